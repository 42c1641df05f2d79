// Groups and their members through the commands that pages and API share (A3.6, A3.7, B.4, C19-C21).
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import type { Group } from '../../../src/domain/groups/group.ts';
import { addMembers, listGroups, removeMembers, setGroupsOf } from '../../../src/domain/groups/member-commands.ts';
import { roles } from '../../../src/domain/roles/role.ts';
import { type GroupId, newId, type UserId } from '../../../src/lib/ids.ts';
import type { Work } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';

let app: TestApp;
let company: Company;
let root: TestPerson;
let admin: TestPerson;
let foreign: TestPerson;
let foreignGroup: Group;
let all: Group;
let none: Group;
let tech: Group;
let ops: Group;
let pat: TestPerson;

const as = (person: TestPerson): Work =>
  app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });
const groupsOf = async (person: TestPerson) =>
  (await app.runtime.store.of(person.company.id).groups.listOf(person.user.id)).map(({ name }) => name);
let counter = 0;
const fresh = (name = 'Group', isActive = true) =>
  createGroup(app.operator(), company.id, { name: `${name} ${++counter}`, isActive });
const events = async (action: string) => (await app.runtime.store.audit.listRecent(500, { action })).reverse();

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
  const other = await makeCompany(app, 'Another Company');
  root = await makePerson(app, company, { role: 'Root Admin' });
  admin = await makePerson(app, company, { role: 'Admin' });
  foreign = await makePerson(app, other, { role: 'Admin' });
  foreignGroup = await createGroup(app.operator(), other.id, { name: 'Theirs', isActive: true });
  all = await app.runtime.store.of(company.id).groups.getSystem('system-all');
  none = await app.runtime.store.of(company.id).groups.getSystem('system-none');
});
afterAll(() => app.stop());
beforeEach(async () => {
  tech = await fresh('Tech');
  ops = await fresh('Ops');
  pat = await makePerson(app, company);
});

describe('the groups of one person', () => {
  it('are set exactly, told once with before and after, and not told when nothing changes', async () => {
    await setGroupsOf(as(admin), company.id, pat.user.id, [tech.id, ops.id]);
    expect(await groupsOf(pat)).toEqual([ops.name, tech.name]);
    await setGroupsOf(as(admin), company.id, pat.user.id, [ops.id, tech.id]);
    const told = (await events('user.groupChange')).filter(({ target_id }) => target_id === pat.user.id);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      actor: { kind: 'user', id: admin.user.id },
      details: { before: { groups: ['All Module Access'] }, after: { groups: [ops.name, tech.name] } },
    });
  });

  it('C20 nobody is without a group: none chosen, or the last one left, is No Module Access', async () => {
    await setGroupsOf(as(admin), company.id, pat.user.id, []);
    expect(await groupsOf(pat)).toEqual(['No Module Access']);
    await addMembers(as(admin), company.id, tech.id, [pat.user.id]);
    expect(await groupsOf(pat)).toEqual([tech.name]);
    await removeMembers(as(admin), company.id, tech.id, [pat.user.id]);
    expect(await groupsOf(pat)).toEqual(['No Module Access']);
  });

  it('C19 No Module Access excludes all others, and they exclude it', async () => {
    await addMembers(as(admin), company.id, tech.id, [pat.user.id]);
    await addMembers(as(admin), company.id, none.id, [pat.user.id]);
    expect(await groupsOf(pat)).toEqual(['No Module Access']);
    await addMembers(as(admin), company.id, ops.id, [pat.user.id]);
    expect(await groupsOf(pat)).toEqual([ops.name]);
    await expect(removeMembers(as(admin), company.id, none.id, [pat.user.id])).rejects.toMatchObject({ status: 409 });
  });

  it('B.4 the Root Admin stays in All Module Access', async () => {
    for (const act of [
      () => removeMembers(as(admin), company.id, all.id, [pat.user.id, root.user.id]),
      () => addMembers(as(admin), company.id, none.id, [root.user.id]),
      () => setGroupsOf(as(root), company.id, root.user.id, [tech.id]),
      () => setGroupsOf(as(root), company.id, root.user.id, []),
    ])
      await expect(act()).rejects.toThrow('The Root Admin stays in All Module Access.');
    expect(await groupsOf(root)).toEqual(['All Module Access']);
    expect(await groupsOf(pat), 'all or nobody').toEqual(['All Module Access']);
    await setGroupsOf(as(admin), company.id, root.user.id, [all.id, tech.id]);
    expect(await groupsOf(root)).toEqual(['All Module Access', tech.name]);
  });

  it('many at once, in one act', async () => {
    const people = [];
    for (let i = 0; i < 5; i += 1) people.push(await makePerson(app, company, { totpSecret: null }));
    const ids = people.map(({ user }) => user.id);
    expect((await addMembers(as(admin), company.id, tech.id, [...ids, ...ids])).changed).toBe(5);
    expect((await addMembers(as(admin), company.id, tech.id, [...ids, pat.user.id])).changed).toBe(1);
    expect((await removeMembers(as(admin), company.id, tech.id, ids)).changed).toBe(5);
    for (const one of people) expect(await groupsOf(one)).toEqual(['All Module Access']);
  });
});

describe('who may, and of which company', () => {
  it('API-01 every other role is refused, and nothing changes', async () => {
    for (const role of roles.filter((one) => !one.includes('Admin'))) {
      const person = await makePerson(app, company, { role, totpSecret: null });
      for (const act of [
        () => setGroupsOf(as(person), company.id, pat.user.id, [tech.id]),
        () => addMembers(as(person), company.id, tech.id, [person.user.id]),
        () => removeMembers(as(person), company.id, all.id, [pat.user.id]),
        () => listGroups(as(person), company.id),
      ])
        await expect(act()).rejects.toMatchObject({ status: 403 });
    }
    await expect(addMembers(as(foreign), company.id, tech.id, [pat.user.id])).rejects.toMatchObject({ status: 403 });
    expect(await groupsOf(pat)).toEqual(['All Module Access']);
  });

  it("API-02 another company's person or group does not exist", async () => {
    for (const act of [
      () => addMembers(as(admin), company.id, tech.id, [pat.user.id, foreign.user.id]),
      () => addMembers(as(admin), company.id, foreignGroup.id, [pat.user.id]),
      () => setGroupsOf(as(admin), company.id, pat.user.id, [tech.id, foreignGroup.id]),
      () => setGroupsOf(as(admin), company.id, foreign.user.id, [tech.id]),
      () => setGroupsOf(as(admin), company.id, newId<UserId>(), [tech.id]),
      () => removeMembers(as(admin), company.id, newId<GroupId>(), [pat.user.id]),
    ])
      await expect(act()).rejects.toMatchObject({ status: 404 });
    expect(await groupsOf(pat)).toEqual(['All Module Access']);
  });
});

describe('two administrators at the same moment', () => {
  it('C20 each takes the person out of another group: the last one is never lost', async () => {
    for (let round = 0; round < 5; round += 1) {
      await setGroupsOf(as(admin), company.id, pat.user.id, [tech.id, ops.id]);
      await Promise.all([
        removeMembers(as(admin), company.id, tech.id, [pat.user.id]),
        removeMembers(as(root), company.id, ops.id, [pat.user.id]),
      ]);
      expect(await groupsOf(pat)).toEqual(['No Module Access']);
    }
  });

  it('C19 one adds to a group while the other adds to No Module Access: never both', async () => {
    for (let round = 0; round < 5; round += 1) {
      await setGroupsOf(as(admin), company.id, pat.user.id, [all.id]);
      await Promise.all([
        addMembers(as(admin), company.id, tech.id, [pat.user.id]),
        addMembers(as(root), company.id, none.id, [pat.user.id]),
      ]);
      const groups = await groupsOf(pat);
      expect([['No Module Access'], [tech.name]]).toContainEqual(groups);
    }
  });
});
