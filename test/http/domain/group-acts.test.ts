// What a change of a group does to people who are in a module at that moment (C21, D.10 no. 11), and what may not be done to it.
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  actOnGroup,
  finishGroupRemoval,
  type GroupAct,
  previewGroupAct,
} from '../../../src/domain/groups/change-commands.ts';
import { createGroup, renameGroup } from '../../../src/domain/groups/commands.ts';
import type { Group } from '../../../src/domain/groups/group.ts';
import {
  addMembers,
  previewMemberships,
  removeMembers,
  setGroupsOf,
} from '../../../src/domain/groups/member-commands.ts';
import { createReadyUser } from '../../../src/domain/users/commands.ts';
import { type InstanceId, newId, type UserId } from '../../../src/lib/ids.ts';
import type { Work } from '../../../src/work.ts';
import { freePort } from '../../support/app.ts';
import { makeCompany, makeModule, makePerson, type TestModule, type TestPerson, token } from '../../support/people.ts';
import { browserOf, claimsOf, startWorld, tokensFor, userinfo, type World } from '../oidc/relying-party.ts';

let world: World;
let receiver: Server;
let admin: TestPerson;
let other: TestPerson;
let module: TestModule;
let instanceId: InstanceId;
let counter = 0;
const heard: string[] = [];

const as = (person: TestPerson): Work =>
  world.app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });
const groups = () => world.app.runtime.store.of(world.company.id).groups;
const groupsOf = async (person: TestPerson) => (await groups().listOf(person.user.id)).map(({ name }) => name);
const fresh = async (instances: InstanceId[], members: TestPerson[] = [], isActive = true): Promise<Group> => {
  const name = `Group ${++counter}`;
  const group = await createGroup(as(admin), world.company.id, { name, isActive, instanceIds: instances });
  if (members.length > 0)
    await addMembers(
      as(admin),
      world.company.id,
      group.id,
      members.map(({ user }) => user.id),
    );
  return group;
};
const act = (group: Group, act: GroupAct, by = admin) => actOnGroup(as(by), world.company.id, group.id, act);
const refresh = (refresh_token: string) => token(world.app, module, { grant_type: 'refresh_token', refresh_token });
const last = async (action: string) => (await world.app.runtime.store.audit.listRecent(1, { action }))[0];
const told = (sid: string) => vi.waitFor(() => expect(heard).toContain(sid), { timeout: 8000, interval: 50 });

beforeAll(async () => {
  world = await startWorld({}, { start: true });
  const port = await freePort();
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = new URLSearchParams(Buffer.concat(chunks).toString());
      heard.push(String(claimsOf(body.get('logout_token') ?? '').sid));
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(port, '127.0.0.1', resolve));
  const home = await makeCompany(world.app);
  admin = await makePerson(world.app, world.company, { role: 'Admin' });
  other = await makePerson(world.app, world.company, { role: 'Admin' });
  await makePerson(world.app, home, { role: 'Admin' });
  module = await makeModule(world.app, [world.company], { backchannel_logout_uri: `http://127.0.0.1:${port}/logout` });
  const rows: { id: InstanceId }[] = await world.app.runtime
    .db('module_instances')
    .where({ module_id: module.module.id });
  instanceId = rows[0]?.id as InstanceId;
});
afterAll(async () => {
  await new Promise((resolve) => receiver.close(resolve));
  await world.app.stop();
});

/** Somebody who is in the module right now, through these groups alone. */
async function inModule(...members: Group[]) {
  const person = await makePerson(world.app, world.company);
  await setGroupsOf(
    as(admin),
    world.company.id,
    person.user.id,
    members.map(({ id }) => id),
  );
  const visitor = await browserOf(world.app, person);
  const tokens = await tokensFor(world.app, visitor, module, {
    scope: 'openid profile email offline_access',
    prompt: 'consent',
  }).catch(() => tokensFor(world.app, visitor, module));
  return { person, visitor, tokens, sid: String(claimsOf(tokens.id_token).sid) };
}

describe('C21 whoever loses a module is thrown out of it', () => {
  it.each<[string, (group: Group, person: TestPerson) => Promise<unknown>]>([
    ['the group is deactivated', (group) => act(group, { kind: 'deactivate' })],
    ['the group is deleted', (group) => act(group, { kind: 'delete' })],
    ['the module is taken from the group', (group) => act(group, { kind: 'modules', open: [], close: [instanceId] })],
    ['they are removed', (group, { user }) => removeMembers(as(admin), world.company.id, group.id, [user.id])],
    ['their groups are set', (_, { user }) => setGroupsOf(as(admin), world.company.id, user.id, [])],
  ])('when %s: the refresh token is dead, and the module is told', async (_, change) => {
    const group = await fresh([instanceId]);
    const { person, visitor, tokens, sid } = await inModule(group);
    expect((await userinfo(world.app, tokens.access_token)).status).toBe(200);
    await change(group, person);
    expect((await userinfo(world.app, tokens.access_token)).status).toBe(401);
    expect((await refresh(tokens.refresh_token)).status).toBe(400);
    await told(sid);
    expect((await visitor.send('/settings/security')).status, 'our own session goes on').toBe(200);
    // Access that comes back does not bring the old tokens with it.
    const again = await fresh([instanceId]);
    await addMembers(as(admin), world.company.id, again.id, [person.user.id]);
    expect((await refresh(tokens.refresh_token)).status).toBe(400);
    expect((await userinfo(world.app, (await tokensFor(world.app, visitor, module)).access_token)).status).toBe(200);
  });

  it('who has it still through another group stays in', async () => {
    const one = await fresh([instanceId]);
    const two = await fresh([instanceId]);
    const { tokens, sid } = await inModule(one, two);
    await act(one, { kind: 'deactivate' });
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
    expect(heard).not.toContain(sid);
  });

  it('two administrators close the two ways in at the same moment: the person is out, and the module is told', async () => {
    const one = await fresh([instanceId]);
    const two = await fresh([instanceId]);
    const { person, tokens, sid } = await inModule(one, two);
    await Promise.all([
      act(one, { kind: 'deactivate' }, admin),
      removeMembers(as(other), world.company.id, two.id, [person.user.id]),
    ]);
    expect((await refresh(tokens.refresh_token)).status).toBe(400);
    await told(sid);
  });

  it('D.10 no. 11 an inactive group gives nothing; activating it gives access to all its members at once', async () => {
    const group = await fresh([instanceId], [], false);
    const person = await makePerson(world.app, world.company);
    await setGroupsOf(as(admin), world.company.id, person.user.id, [group.id]);
    const visitor = await browserOf(world.app, person);
    await expect(tokensFor(world.app, visitor, module)).rejects.toThrow();
    await act(group, { kind: 'activate' });
    expect((await tokensFor(world.app, visitor, module)).access_token).toBeTruthy();
  });
});

describe('the preview and the act agree', () => {
  it('on who loses what, with who has it still, before and after', async () => {
    const keeps = await fresh([instanceId]);
    const group = await fresh([instanceId]);
    const ids: UserId[] = [];
    for (let i = 0; i < 4; i += 1) {
      const person = await makePerson(world.app, world.company, { totpSecret: null });
      await setGroupsOf(as(admin), world.company.id, person.user.id, i === 0 ? [group.id, keeps.id] : [group.id]);
      ids.push(person.user.id);
    }
    const preview = await previewGroupAct(as(admin), world.company.id, group.id, { kind: 'deactivate' });
    expect(preview.effects).toMatchObject({ losing: 3, gaining: 0, notActive: 0 });
    expect(preview.effects.instances[0]).toMatchObject({
      instanceId,
      lose: { people: 3 },
      stillThrough: { [keeps.name]: 1 },
    });
    const change = { kind: 'remove', groupId: group.id } as const;
    const before = await previewMemberships(as(admin), world.company.id, ids, change);
    const done = await removeMembers(as(admin), world.company.id, group.id, ids);
    expect(done).toEqual(before);
    expect(done.effects).toEqual(preview.effects);
  });
});

describe('a group', () => {
  it('B.4 system groups refuse every change of themselves; a foreign one is not there', async () => {
    for (const kind of ['system-all', 'system-none'] as const) {
      const group = await groups().getSystem(kind);
      const acts: GroupAct[] = [
        { kind: 'activate' },
        { kind: 'deactivate' },
        { kind: 'delete' },
        { kind: 'modules', open: [], close: [] },
      ];
      for (const one of acts) {
        await expect(act(group, one)).rejects.toMatchObject({ status: 409 });
        await expect(previewGroupAct(as(admin), world.company.id, group.id, one)).rejects.toMatchObject({
          status: 409,
        });
      }
      await expect(renameGroup(as(admin), world.company.id, group.id, 'Mine')).rejects.toMatchObject({ status: 409 });
    }
    const company = await makeCompany(world.app);
    const theirs = await createGroup(world.app.operator(), company.id, { name: 'Theirs', isActive: true });
    await expect(act(theirs, { kind: 'delete' })).rejects.toMatchObject({ status: 404 });
    await expect(renameGroup(as(admin), world.company.id, theirs.id, 'Mine')).rejects.toMatchObject({ status: 404 });
    await expect(actOnGroup(as(admin), company.id, theirs.id, { kind: 'delete' })).rejects.toMatchObject({
      status: 403,
    });
  });

  it('API-02 does not open an instance of another company', async () => {
    const company = await makeCompany(world.app);
    const foreign = await makeModule(world.app, [company]);
    const [row]: { id: InstanceId }[] = await world.app.runtime
      .db('module_instances')
      .where({ module_id: foreign.module.id });
    const group = await fresh([]);
    const open = [row?.id ?? newId<InstanceId>()];
    await expect(act(group, { kind: 'modules', open, close: [] })).rejects.toMatchObject({ status: 404 });
    const create = createGroup(as(admin), world.company.id, { name: 'With theirs', isActive: true, instanceIds: open });
    await expect(create).rejects.toMatchObject({ status: 404 });
    expect(await groups().findByNames(['With theirs'])).toEqual([]);
  });

  it('A4.5 has a name of its own to the letter, and is told with before and after', async () => {
    const group = await fresh([]);
    const taken = await fresh([]);
    await expect(renameGroup(as(admin), world.company.id, group.id, taken.name)).rejects.toMatchObject({ status: 409 });
    await expect(renameGroup(as(admin), world.company.id, group.id, ' ')).rejects.toMatchObject({ status: 422 });
    await renameGroup(as(admin), world.company.id, group.id, taken.name.toLowerCase());
    expect(await last('group.edit')).toMatchObject({
      target_id: group.id,
      details: { before: { name: group.name }, after: { name: taken.name.toLowerCase() } },
    });
  });

  it('two administrators give it different modules at the same moment: it has both', async () => {
    const one = await makeModule(world.app, [world.company]);
    const two = await makeModule(world.app, [world.company]);
    const rows: { id: InstanceId }[] = await world.app.runtime
      .db('module_instances')
      .whereIn('module_id', [one.module.id, two.module.id]);
    const group = await fresh([]);
    await Promise.all(
      rows.map(({ id }, at) => act(group, { kind: 'modules', open: [id], close: [] }, at === 0 ? admin : other)),
    );
    const state = (await groups().listStates()).find(({ id }) => id === group.id);
    expect(state?.instances.sort()).toEqual(rows.map(({ id }) => id).sort());
  });

  it('activating and deactivating twice is one act, told once', async () => {
    const group = await fresh([]);
    await act(group, { kind: 'deactivate' });
    const first = await last('group.deactivate');
    await act(group, { kind: 'deactivate' });
    expect((await last('group.deactivate'))?.id).toBe(first?.id);
    expect(first).toMatchObject({ target_id: group.id, details: { name: group.name } });
  });
});

describe('deleting a group', () => {
  it('C20 leaves its members in their other groups, or in No Module Access; two at once delete it once', async () => {
    const stays = await fresh([]);
    const group = await fresh([]);
    const [pat, sam] = [await makePerson(world.app, world.company), await makePerson(world.app, world.company)];
    await setGroupsOf(as(admin), world.company.id, pat.user.id, [group.id, stays.id]);
    await setGroupsOf(as(admin), world.company.id, sam.user.id, [group.id]);
    const done = await Promise.allSettled([act(group, { kind: 'delete' }), act(group, { kind: 'delete' }, other)]);
    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await groupsOf(pat)).toEqual([stays.name]);
    expect(await groupsOf(sam)).toEqual(['No Module Access']);
    expect(await last('group.delete')).toMatchObject({ target_id: group.id, details: { name: group.name } });
  });

  it('of very many members gives nothing from the first moment, frees its name, and moves them out in the background', async () => {
    const group = await fresh([instanceId]);
    const { person, tokens, sid } = await inModule(group);
    const crowd = 1200;
    await world.app.runtime.db.raw(
      `with people as (
         insert into users (id, company_id, username, username_key, email, email_key, first_name, last_name, role, base_status, source, created_at)
         select gen_random_uuid(), ?, 'crowd' || n, 'crowd' || n, 'crowd' || n || '@example.com', 'crowd' || n || '@example.com',
           'Cro', 'Wd', 'User', 'Active', 'form', now() from generate_series(1, ?::int) n returning id)
       insert into group_members (company_id, group_id, user_id) select ?, ?, id from people`,
      [world.company.id, crowd, world.company.id, group.id],
    );
    const preview = await previewGroupAct(as(admin), world.company.id, group.id, { kind: 'delete' });
    expect(preview.effects.losing).toBe(crowd + 1);
    await act(group, { kind: 'delete' });
    expect((await userinfo(world.app, tokens.access_token)).status).toBe(401);
    expect(await groups().findById(group.id)).toBeNull();
    await createGroup(as(admin), world.company.id, { name: group.name, isActive: true });
    await told(sid);
    await vi.waitFor(async () => expect(await groupsOf(person)).toEqual(['No Module Access']), { timeout: 8000 });
    await vi.waitFor(
      async () => expect(await world.app.runtime.db('access_groups').where({ id: group.id })).toEqual([]),
      { timeout: 8000 },
    );
    const lonely = await world.app.runtime.db('users').whereNotExists((query) => {
      query.from('group_members').whereRaw('group_members.user_id = users.id');
    });
    expect(lonely).toEqual([]);
    await finishGroupRemoval(world.app.operator(), world.company.id, group.id);
  });

  it('while somebody is being invited into it: they end in a group that is there', async () => {
    const group = await fresh([]);
    const invite = createReadyUser(
      world.app.operator(),
      world.company.id,
      {
        firstName: 'In',
        lastName: 'Time',
        email: 'in@example.com',
        username: `intime${++counter}`,
        role: 'User',
        groups: [group.name],
      },
      { password: 'Violet-Harbour-42', totpSecret: null, isOwnPassword: true, emailVerified: true },
    );
    const [invited] = await Promise.allSettled([invite, act(group, { kind: 'delete' })]);
    if (invited.status === 'rejected') expect(invited.reason).toMatchObject({ status: 422 });
    else expect((await groups().listOf(invited.value.id)).map(({ name }) => name)).toEqual(['No Module Access']);
  });
});
