// Modules that are slow, failing or lying hold up nobody but themselves, and what was to be told is told in the end.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { Delivery } from '../../../src/domain/provisioning/account.ts';
import { deactivateUser } from '../../../src/domain/users/commands.ts';
import { sweepStanding } from '../../../src/jobs/standing-sweep.ts';
import { days, minutes, seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { until } from '../../support/attempts.ts';
import { atDesk } from '../../support/console.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { type Connected, connectFake, deliveriesOf, giveAccount, setSettings } from '../../support/provisioning.ts';
import { type FakeAccount, fakeAccount, ScimModule, send } from '../../support/scim-module.ts';

let app: TestApp;
let company: Company;
let fake: ScimModule;
let connected: Connected;
let counter = 0;

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app);
  await atDesk(app, company, { username: 'ada' });
});
afterAll(() => app.stop());
beforeEach(async () => {
  fake = await new ScimModule().start();
  connected = await connectFake(app, company, fake, { events: false });
});
afterEach(async () => {
  await setSettings(app, company, connected.instanceId, { enabled: false });
  await app.runtime.db('deliveries').where({ instance_id: connected.instanceId }).delete();
  await fake.stop();
});

async function people(count: number, at: Connected[] = [connected], fakes: ScimModule[] = [fake]) {
  const made: { person: TestPerson; accounts: FakeAccount[] }[] = [];
  for (let i = 0; i < count; i += 1) {
    const name = `f${++counter}`;
    const person = await makePerson(app, company, { username: name });
    const accounts: FakeAccount[] = [];
    for (const [j, one] of at.entries())
      accounts.push(
        await giveAccount(app, one, fakes[j] ?? fake, fakeAccount(`${name}-${j}@example.com`), person.user.id),
      );
    made.push({ person, accounts });
  }
  return made;
}

const leave = async (some: { person: TestPerson }[]) => {
  for (const { person } of some) await deactivateUser(app.operator(), company.id, person.user.id);
};
const receipt = async (of: { person: TestPerson }, where = connected): Promise<Delivery> => {
  const [one] = await deliveriesOf(app, where.instanceId, of.person.user.id);
  if (!one) throw new Error('no receipt');
  return one;
};
const untilState = (of: { person: TestPerson }, state: string) =>
  until(async () => {
    const [one] = await deliveriesOf(app, connected.instanceId, of.person.user.id);
    return one?.state === state ? one : null;
  });

describe('bad modules', () => {
  it('one that hangs has four requests at once, and another module hears within seconds; nobody signing in waits', async () => {
    const quick = await new ScimModule().start();
    const other = await connectFake(app, company, quick, { events: false });
    const some = await people(8, [connected, other], [fake, quick]);
    fake.delayMs = 30_000;
    const began = Date.now();
    await leave(some);
    await until(async () => some.every(({ accounts }) => accounts[1]?.active === false), 6000);
    expect(Date.now() - began).toBeLessThan(6000);
    await until(async () => fake.underWay > 0);
    const before = Date.now();
    await atDesk(app, company, { username: `calm${++counter}`, role: 'User' });
    expect(Date.now() - before).toBeLessThan(2000);
    expect(fake.mostUnderWay).toBeLessThanOrEqual(4);
    await setSettings(app, company, other.instanceId, { enabled: false });
    await quick.stop();
  });

  it('429 with Retry-After is obeyed, and is no failure', async () => {
    const [one] = await people(1);
    let isBusy = true;
    fake.answer = ({ method }, response) =>
      isBusy && method === 'PATCH' ? send(response, 429, { detail: 'slow down' }, { 'retry-after': '120' }) : false;
    if (!one) throw new Error('nobody');
    await leave([one]);
    const failed = await untilState(one, 'failed');
    expect(failed.answer).toEqual({ status: 429, words: 'It asks for time: slow down' });
    expect((failed.nextAt?.getTime() ?? 0) - app.clock.now().getTime()).toBeGreaterThan(seconds(100));
    isBusy = false;
    app.clock.advance(seconds(60));
    await sleep(1500);
    expect(one.accounts[0]?.active, 'not before').toBe(true);
    app.clock.advance(seconds(65));
    await until(async () => one.accounts[0]?.active === false);
    expect(await app.runtime.store.lanes.findLane(connected.instanceId)).toMatchObject({ failures: 0 });
  });

  it('five failures in a row close the lane; then one is tried, and the rest follows when it works', async () => {
    const some = await people(9);
    let isDown = true;
    fake.answer = (_, response) => (isDown ? send(response, 500, {}) : false);
    await leave(some);
    const lane = await until(async () => {
      const found = await app.runtime.store.lanes.findLane(connected.instanceId);
      return found && found.failures >= 5 ? found : null;
    });
    expect((lane.closedUntil?.getTime() ?? 0) - app.clock.now().getTime()).toBeGreaterThan(seconds(20));
    const tried = fake.writes().length;
    expect(tried).toBeLessThanOrEqual(9);
    await sleep(1500);
    expect(fake.writes().length, 'nothing while it is closed').toBe(tried);
    app.clock.advance(seconds(40));
    await until(async () => fake.writes().length > tried);
    await sleep(1500);
    expect(fake.writes().length - tried, 'one probe').toBe(1);
    isDown = false;
    app.clock.advance(minutes(11));
    await until(async () => some.every(({ accounts }) => accounts[0]?.active === false));
  });

  it.each<[string, Parameters<typeof answerWith>[0], RegExp]>([
    [
      'a redirect into the cloud’s own network is not followed',
      { status: 302, location: 'http://169.254.169.254/' },
      /another address/,
    ],
    ['a refused credential', { status: 401 }, /credential/],
    ['a half answer', { status: 200, half: true }, /broke off/],
    [
      'another account than the one asked for',
      { status: 200, body: { id: 'somebody-else', userName: 'x', active: false } },
      /not of this account/,
    ],
    ['an answer that is far too large', { status: 200, body: { id: 'x'.repeat(400_000) } }, /too large/],
    ['no JSON', { status: 200, text: '<p>Hi</p>' }, /not of this account/],
  ])('API-11 %s', async (_, bad, words) => {
    const [one] = await people(1);
    if (!one) throw new Error('nobody');
    answerWith(bad);
    await leave([one]);
    const failed = await untilState(one, 'failed');
    expect(failed.answer?.words).toMatch(words);
    expect(
      (await app.runtime.store.of(company.id).accounts.findOf(connected.instanceId, one.person.user.id))?.isActive,
    ).toBe(true);
    fake.answer = () => false;
    app.clock.advance(minutes(1));
    await until(async () => one.accounts[0]?.active === false);
  });

  it('late for 15 minutes: administrators are told once; after 3 days it is given up, and on record', async () => {
    const [one, two] = await people(2);
    if (!one || !two) throw new Error('nobody');
    fake.answer = (_, response) => send(response, 503, {});
    await leave([one, two]);
    await untilState(one, 'failed');
    const mails = async () => (await app.runtime.db('mails').where({ kind: 'deliveriesLate' })).length;
    const before = await mails();
    app.clock.advance(minutes(16));
    await sweepStanding(app.operator());
    await sweepStanding(app.operator());
    expect((await mails()) - before, 'one mail for one administrator').toBe(1);
    app.clock.advance(days(3));
    await untilState(one, 'given-up');
    const [event] = await app.runtime.store.audit.listRecent(5, { action: 'module.delivery.givenUp' });
    expect(event?.details).toMatchObject({ act: 'suspend', instanceId: connected.instanceId });
  });
});

function answerWith(bad: { status: number; location?: string; body?: unknown; text?: string; half?: boolean }): void {
  fake.answer = ({ method }, response) => {
    if (method !== 'PATCH') return false;
    const body = bad.text ?? JSON.stringify(bad.body ?? {});
    response.writeHead(bad.status, {
      'content-type': 'application/scim+json',
      ...(bad.location ? { location: bad.location } : {}),
      ...(bad.half ? { 'content-length': '1000' } : {}),
    });
    if (!bad.half) return response.end(body);
    response.write('{"id": ');
    return setTimeout(() => response.destroy(), 50);
  };
}

describe('several nodes', () => {
  it('share the work: each account is told, and nothing is told twice while all is well', async () => {
    const second = await app.node();
    await second.runtime.start();
    const some = await people(30);
    fake.delayMs = 30;
    await leave(some);
    await until(async () => some.every(({ accounts }) => accounts[0]?.active === false), 15_000);
    const patched = fake.writes().map(({ path }) => path);
    expect(new Set(patched).size).toBe(30);
    expect(patched.length).toBe(30);
  });

  it('a claim of a node that died is taken over when its lease ends', async () => {
    const [one] = await people(1);
    if (!one) throw new Error('nobody');
    fake.answer = (_, response) => send(response, 500, {});
    await leave([one]);
    await untilState(one, 'failed');
    // As a killed node leaves it.
    await app.runtime
      .db('deliveries')
      .where({ id: (await receipt(one)).id })
      .update({ state: 'sent', next_at: app.clock.now(), claimed_until: new Date(app.clock.now().getTime() + 60_000) });
    fake.answer = () => false;
    await sleep(1500);
    expect(one.accounts[0]?.active).toBe(true);
    app.clock.advance(seconds(61));
    await until(async () => one.accounts[0]?.active === false);
  });
});
