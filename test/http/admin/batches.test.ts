// Large batches wait for a second administrator before the first is suspended (A8.8).
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { actOnGroup } from '../../../src/domain/groups/change-commands.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { addMembers, removeMembers } from '../../../src/domain/groups/member-commands.ts';
import { approveBatch } from '../../../src/domain/provisioning/batch-commands.ts';
import { startBulk } from '../../../src/domain/users/bulk-commands.ts';
import { deactivateUser } from '../../../src/domain/users/commands.ts';
import { sweepStanding } from '../../../src/jobs/standing-sweep.ts';
import type { GroupId } from '../../../src/lib/ids.ts';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { until } from '../../support/attempts.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { type Connected, connectFake, deliveriesOf, giveAccount } from '../../support/provisioning.ts';
import { type FakeAccount, fakeAccount, ScimModule } from '../../support/scim-module.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let ada: AtDesk;
let ben: AtDesk;
let fake: ScimModule;
let connected: Connected;
let groupId: GroupId;
let people: TestPerson[];
let accounts: FakeAccount[];
let counter = 0;

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app, 'Northwind');
  ada = await atDesk(app, company, { username: 'ada' });
  ben = await atDesk(app, company, { username: 'ben' });
  fake = await new ScimModule().start();
  people = [];
  for (let i = 0; i < 13; i += 1)
    people.push(await makePerson(app, company, { username: `p${i}`, groups: ['No Module Access'] }));
});
afterAll(async () => {
  await app.stop();
  await fake.stop();
});

const workOf = (desk: AtDesk) =>
  app.runtime.work({ kind: 'user', id: desk.person.user.id, name: desk.person.user.username });
const userIds = (some: TestPerson[]) => some.map(({ user }) => user.id);

/** A module of its own for each test, with an account for everybody in a group. @param extra other active accounts */
async function prepare(extra = 0, chiefs = 0): Promise<void> {
  connected = await connectFake(app, company, fake, { events: false });
  const group = await createGroup(app.operator(), company.id, {
    name: `Sales ${++counter}`,
    isActive: true,
    instanceIds: [connected.instanceId],
  });
  groupId = group.id;
  await addMembers(app.operator(), company.id, groupId, userIds(people));
  accounts = [];
  for (const [i, { user }] of people.entries()) {
    const roles = [{ value: i < chiefs ? 'Full' : 'Team' }];
    const account = fakeAccount(`${counter}-${user.email}`, { roles });
    accounts.push(await giveAccount(app, connected, fake, account, user.id));
  }
  for (let i = 0; i < extra; i += 1)
    await giveAccount(app, connected, fake, fakeAccount(`other${counter}-${i}@example.com`), null);
}

const states = async () => (await deliveriesOf(app, connected.instanceId)).map(({ state }) => state);
const waiting = () => app.runtime.store.of(company.id).batches.listWaiting(100);
const batch = () =>
  until(async () => (await waiting()).find(({ instanceId }) => instanceId === connected.instanceId) ?? null);
const active = () => accounts.filter(({ active }) => active).length;
const settled = (count: number) => until(async () => active() === count);
const mailsOf = (kind: string) => app.runtime.db('mails').where({ kind });

describe('what waits', () => {
  beforeEach(async () => {
    for (const { id } of await waiting()) await approveBatch(app.operator(), company.id, id);
  });

  it('13 people of 13 by one act: none is suspended, all administrators are told, and the other one confirms', async () => {
    await prepare();
    const before = (await mailsOf('batchWaits')).length;
    await removeMembers(workOf(ada), company.id, groupId, userIds(people));
    const { id, people: many, causedBy } = await batch();
    expect([many, causedBy]).toEqual([13, ada.person.user.id]);
    expect(new Set(await states())).toEqual(new Set(['waiting']));
    expect((await mailsOf('batchWaits')).length - before).toBe(2);
    app.clock.advance(minutes(2));
    await sweepStanding(app.operator());
    expect(active(), 'and the sweep does not go around it').toBe(13);

    const own = await ada.visitor.open(`/admin/batches/${id}`);
    expect(own.body).toContain('Another administrator has to confirm what you have caused yourself.');
    expect(own.body).not.toContain(`/admin/batches/${id}/approve`);
    await expect(approveBatch(workOf(ada), company.id, id)).rejects.toThrow(/Another administrator/);

    const page = await ben.visitor.open(`/admin/batches/${id}`);
    expect(page.body).toContain('13 people of 13 active accounts would be suspended');
    const done = await ben.visitor.submit(page, {}, `/admin/batches/${id}/approve`);
    expect(done.body).toContain('13 people are being suspended.');
    await settled(0);
    await expect(approveBatch(workOf(ben), company.id, id)).rejects.toThrow(/decided already/);

    const all = await deliveriesOf(app, connected.instanceId);
    const confirmed = all.filter(({ state }) => state === 'superseded');
    expect(confirmed).toHaveLength(13);
    for (const { answer, userId } of confirmed) {
      const sent = all.find((one) => one.id === answer?.sentAs);
      expect([sent?.act, sent?.userId, sent?.batchId]).toEqual(['suspend', userId, null]);
      expect(answer?.words).toBe(`Confirmed by ${ben.person.user.username}; sent as number ${sent?.seq}.`);
    }
    const [one] = confirmed;
    const receipt = await ben.visitor.open(`/admin/modules/${connected.instanceId}/deliveries/${one?.id}`);
    for (const said of ['Waited for a second administrator', one?.answer?.words ?? ''])
      expect(wordsOf(receipt)).toContain(said);
    expect(wordsOf(receipt)).not.toMatch(/Superseded|said otherwise/);
    expect(receipt.body).toContain(`/deliveries/${one?.answer?.sentAs}"`);
    const count = async (state: string) =>
      /<p class="list-count" role="status">([^<]*)</.exec(
        (await ben.visitor.open(`/admin/modules/${connected.instanceId}/deliveries?state=${state}`)).body,
      )?.[1];
    expect([await count('confirmed'), await count('superseded')]).toEqual(['13 deliveries', '0 deliveries']);
  });

  it('10 people go at once, and so do 13 of 400 active accounts', async () => {
    await prepare();
    await removeMembers(workOf(ada), company.id, groupId, userIds(people.slice(0, 10)));
    await settled(3);
    await prepare(387);
    await removeMembers(workOf(ada), company.id, groupId, userIds(people));
    await settled(0);
    expect(await waiting()).toEqual([]);
  });

  it('two people with an administrator of the module among them wait; one person alone does not', async () => {
    await prepare(0, 1);
    await removeMembers(workOf(ada), company.id, groupId, userIds(people.slice(0, 2)));
    expect(await batch()).toMatchObject({ people: 2, administrators: 1 });
    expect(active()).toBe(13);
    // An act on that very person is nobody's mistake.
    await deactivateUser(workOf(ada), company.id, people[0]?.user.id ?? ('' as never));
    await settled(12);
    expect(accounts[0]?.active).toBe(false);
    people[0] = await makePerson(app, company, { username: `again${++counter}`, groups: ['No Module Access'] });
  });

  it('a group that is deleted, and a bulk act row by row, are one act each', async () => {
    await prepare();
    await actOnGroup(workOf(ada), company.id, groupId, { kind: 'delete' });
    expect(await batch()).toMatchObject({ people: 13 });
    await prepare();
    await startBulk(workOf(ada), company.id, { act: 'remove-from-group', groupId }, { ids: userIds(people) });
    const found = await batch();
    expect(found).toMatchObject({ people: 13, causedBy: ada.person.user.id });
    expect(active()).toBe(13);
  });

  it('access that comes back empties it; what is left is confirmed', async () => {
    await prepare();
    await removeMembers(workOf(ada), company.id, groupId, userIds(people));
    const { id } = await batch();
    await addMembers(workOf(ada), company.id, groupId, userIds(people.slice(0, 12)));
    await until(async () => (await states()).filter((state) => state === 'waiting').length === 1);
    expect(await approveBatch(workOf(ben), company.id, id)).toBe(1);
    await settled(12);
    const superseded = (await deliveriesOf(app, connected.instanceId)).filter(({ state }) => state === 'superseded');
    expect(superseded.filter(({ answer }) => answer?.sentAs === undefined)).toHaveLength(12);
  });

  it('refused: the accounts stay, whoever looks again', async () => {
    await prepare();
    await removeMembers(workOf(ada), company.id, groupId, userIds(people));
    const { id } = await batch();
    const page = await ben.visitor.open(`/admin/batches/${id}`);
    const done = await ben.visitor.submit(page, {}, `/admin/batches/${id}/refuse`);
    expect(done.body).toContain('Refused. The accounts stay as they are.');
    app.clock.advance(minutes(2));
    await sweepStanding(app.operator());
    expect(active()).toBe(13);
    expect(new Set(await states())).toEqual(new Set(['given-up']));
    const after = await ben.visitor.open(`/admin/batches/${id}`);
    expect(after.body).toContain('Refused');
    expect(after.body).not.toContain('/approve');
  });
});

describe('the pages', () => {
  it('lists what waits, 404 for another company and for nonsense, 403 without the form token', async () => {
    await prepare();
    await removeMembers(workOf(ada), company.id, groupId, userIds(people));
    const { id } = await batch();
    expect((await ben.visitor.open('/admin/batches')).body).toContain('Suspend 13 people in');
    expect((await ben.visitor.open('/admin')).body).toContain('need a second administrator');
    const stranger = await atDesk(app, await makeCompany(app, 'Contoso'), { username: 'eve' });
    expect((await stranger.visitor.open(`/admin/batches/${id}`)).status).toBe(404);
    expect((await stranger.visitor.open('/admin/batches')).body).toContain('Nothing waits');
    expect((await ben.visitor.open('/admin/batches/nonsense')).status).toBe(404);
    for (const act of ['approve', 'refuse'])
      expect((await ben.visitor.send(`/admin/batches/${id}/${act}`, { form: {} })).status).toBe(403);
    expect(active()).toBe(13);
  });

  refusesOthers(() => ({ app, company }), ['/admin/batches']);
});
