// What administrators and the operator do to people (D.4): who may, to whom, and what it leaves behind.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { roles } from '../../../src/domain/roles/role.ts';
import {
  activateUser,
  createReadyUser,
  deactivateUser,
  inviteRoot,
  inviteUser,
  recoverRoot,
  unlockUser,
} from '../../../src/domain/users/commands.ts';
import { changeOwnPassword } from '../../../src/domain/users/password-commands.ts';
import { statusOf } from '../../../src/domain/users/user.ts';
import type { Work } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  eventsOf,
  isHome,
  isSignedIn,
  knownBrowsers,
  linkIn,
  mailsTo,
  namesOf,
  reload,
  signedInVisitor,
  stepOf,
  tryWrong,
} from '../../support/attempts.ts';
import { codeOf, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';

let app: TestApp;
let company: Company;
let root: TestPerson;
let admin: TestPerson;
let foreignAdmin: TestPerson;

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000' } });
  company = await makeCompany(app, 'Northwind IT');
  const other = await makeCompany(app, 'Another Company');
  root = await makePerson(app, company, { role: 'Root Admin' });
  admin = await makePerson(app, company, { role: 'Admin' });
  foreignAdmin = await makePerson(app, other, { role: 'Admin' });
});
afterAll(() => app.stop());

const as = (person: TestPerson): Work =>
  app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });
const guest = (username: string) => ({
  firstName: 'Gus',
  lastName: 'Guest',
  email: `${username}@example.com`,
  username,
  role: 'User' as const,
});

describe('who may', () => {
  const acts: [name: string, act: (work: Work, target: TestPerson) => Promise<unknown>][] = [
    ['A7.1 deactivate', (work, target) => deactivateUser(work, target.company.id, target.user.id)],
    ['A7.2 activate', (work, target) => activateUser(work, target.company.id, target.user.id)],
    ['A7.5 unlock', (work, target) => unlockUser(work, target.company.id, target.user.id)],
    ['T1 invite', (work, target) => inviteUser(work, target.company.id, guest('nobody'))],
  ];

  it.each(acts)(
    '%s: neither other roles, nor a foreign, invited or deactivated administrator, nor a stranger',
    async (_name, act) => {
      const target = await makePerson(app, company);
      const actors = await Promise.all(
        roles
          .filter((role) => role !== 'Admin' && role !== 'Root Admin')
          .map((role) => makePerson(app, company, { role })),
      );
      const former = await makePerson(app, company, { role: 'Admin' });
      await deactivateUser(app.operator(), company.id, former.user.id);
      for (const work of [
        ...[...actors, foreignAdmin, former].map(as),
        app.runtime.work({ kind: 'stranger', name: 'a visitor' }),
      ])
        await expect(act(work, target)).rejects.toMatchObject({ code: 'forbidden', status: 403 });
      expect((await reload(app, target)).baseStatus).toBe('Active');
      expect(await app.runtime.store.of(company.id).users.findByUsername('nobody')).toBeNull();
    },
  );

  it('A7.1, A7.2, A7.5 an administrator does, with one event each that names them', async () => {
    const target = await makePerson(app, company);
    await tryWrong(app, namesOf(target), 5);
    await unlockUser(as(admin), company.id, target.user.id);
    await deactivateUser(as(admin), company.id, target.user.id);
    await activateUser(as(root), company.id, target.user.id);
    for (const [action, by] of [
      ['user.unlock', admin],
      ['user.deactivate', admin],
      ['user.activate', root],
    ] as const)
      expect(await eventsOf(app, target, action)).toMatchObject([{ actor: { kind: 'user', id: by.user.id } }]);
    expect((await mailsTo(app, target.user.email)).map(({ kind }) => kind)).toEqual(['locked', 'deactivated', 'setup']);
  });

  it('D.10 no. 9 an administrator cannot act on themselves', async () => {
    await expect(deactivateUser(as(admin), company.id, admin.user.id)).rejects.toMatchObject({ code: 'conflict' });
    expect((await reload(app, admin)).baseStatus).toBe('Active');
  });

  it('D.10 no. 8 nobody deactivates or activates the Root Admin', async () => {
    for (const work of [as(admin), as(root), app.operator()]) {
      await expect(deactivateUser(work, company.id, root.user.id)).rejects.toMatchObject({ code: 'conflict' });
      await expect(activateUser(work, company.id, root.user.id)).rejects.toMatchObject({ code: 'conflict' });
    }
    expect(await reload(app, root)).toMatchObject({ baseStatus: 'Active', role: 'Root Admin' });
  });

  it('A1.6 a company has one Root Admin, also when two are made at once', async () => {
    const young = await makeCompany(app, 'Young Company');
    const made = await Promise.allSettled(
      ['one', 'two', 'three'].map((username) => inviteRoot(app.operator(), young, guest(username))),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of made)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'conflict' });
    expect(await app.runtime.db('users').where({ company_id: young.id })).toHaveLength(1);
  });

  it('A7.1 of two at the same moment one deactivates', async () => {
    const target = await makePerson(app, company);
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, () => deactivateUser(as(admin), company.id, target.user.id)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await eventsOf(app, target, 'user.deactivate')).toHaveLength(1);
    expect(await mailsTo(app, target.user.email, 'deactivated')).toHaveLength(1);
  });
});

describe('inviting (T1)', () => {
  it('T1, A3.8, A2.5 makes a person who is Invited and Not Enrolled, with a mail that links to the public address', async () => {
    const { user, invitation } = await inviteUser(as(admin), company.id, {
      ...guest('invited1'),
      groups: ['All Module Access'],
    });
    expect(user).toMatchObject({ baseStatus: 'Invited', mustEnrol2fa: true, emailVerifiedAt: null, role: 'User' });
    expect(invitation.startsWith(`${app.url}/invitation/`)).toBe(true);
    const [mail] = await mailsTo(app, user.email, 'invitation');
    expect(mail?.data).toMatchObject({ link: invitation, company: company.name, username: 'invited1' });
  });

  it('D.10 no. 20, A3.4 a username is taken once in a company, whatever its case, and free in another', async () => {
    await inviteUser(as(admin), company.id, guest('Taken'));
    const again = { ...guest('tAKEN'), email: 'other@example.com' };
    await expect(inviteUser(as(admin), company.id, again)).rejects.toMatchObject({
      code: 'conflict',
      fields: { username: expect.any(String) },
    });
    const { user } = await inviteUser(as(foreignAdmin), foreignAdmin.company.id, guest('Taken'));
    expect(user.companyId).toBe(foreignAdmin.company.id);
  });

  it('D.10 nos. 1, 2, A3.2-A3.4, A1.4 says which field is wrong, and makes nothing', async () => {
    const long = `${'a'.repeat(48)}@example.com`;
    for (const [field, changes] of [
      ['username', { username: long, email: long }],
      ['firstName', { firstName: 'Ada😀' }],
      ['lastName', { lastName: '<b>' }],
      ['email', { email: 'a@b.example\r\nBcc: x@y.example' }],
      // What a form could send; the types would refuse it.
      ['role', { role: 'Root Admin' as 'User' }],
    ] as const)
      await expect(inviteUser(as(admin), company.id, { ...guest('wrong'), ...changes })).rejects.toMatchObject({
        code: 'invalid',
        fields: { [field]: expect.any(String) },
      });
    expect(await app.runtime.store.of(company.id).users.findByUsername('wrong')).toBeNull();
  });
});

describe('passwords of others (AUT-18)', () => {
  it('AUT-18 an administrator can neither choose nor change one', async () => {
    const target = await makePerson(app, company);
    const change = { companyId: company.id, userId: target.user.id, password: 'Amber-Lantern-77' };
    await expect(
      changeOwnPassword(as(admin), { ...change, keepSession: 'none', keepBrowser: null }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    const ready = { password: 'Amber-Lantern-77', totpSecret: null, isOwnPassword: true, emailVerified: true };
    await expect(createReadyUser(as(admin), company.id, guest('ready'), ready)).rejects.toMatchObject({
      code: 'forbidden',
    });
  });
});

describe('recovery of the Root Admin', () => {
  it('D.10 no. 8, AUT-11 gives the operator a link that needs no mail; lock, password, factor and sessions are gone', async () => {
    const own = await makeCompany(app, 'Locked Out Ltd');
    const person = await makePerson(app, own, { role: 'Root Admin' });
    const visitor = await signedInVisitor(app, person);
    await tryWrong(app, namesOf(person), 5);
    const { link } = await recoverRoot(app.operator(), own.id);
    expect(new URL(link).pathname).toBe(await linkIn(app, person.user.email, 'setup'));
    expect(await isSignedIn(visitor)).toBe(false);
    expect(await knownBrowsers(app, person)).toEqual([]);
    expect(statusOf(await reload(app, person), app.clock.now())).toBe('Active');
    expect((await atCode(app, person)).page.status).toBe(422);
    expect((await app.runtime.store.audit.listRecent(1, { action: 'operator.recover' }))[0]?.target_id).toBe(
      person.user.id,
    );

    const fresh = app.visitor();
    await fresh.submit(await fresh.open(new URL(link).pathname), { password: 'Amber-Lantern-77' });
    const changed = { ...person, password: 'Amber-Lantern-77' };
    const place = await atCode(app, changed, fresh);
    expect(stepOf(place.page)).toBe('enrol');
    const totpSecret = /data-copy="([A-Z2-7]{32})"/.exec(place.page.body)?.[1] ?? '';
    const codes = await fresh.submit(place.page, { code: codeOf(app, { ...changed, totpSecret }) }, '/enrol');
    expect(isHome(await fresh.submit(codes, {}, '/recovery-codes'))).toBe(true);
    expect(await reload(app, person)).toMatchObject({ role: 'Root Admin', baseStatus: 'Active' });
  });

  it('D.10 no. 8 is for the operator alone, and for a company that has a root', async () => {
    for (const work of [as(root), as(admin), app.runtime.work({ kind: 'system', name: 'x' })])
      await expect(recoverRoot(work, company.id)).rejects.toMatchObject({ code: 'forbidden' });
    const empty = await makeCompany(app, 'Rootless Ltd');
    await expect(recoverRoot(app.operator(), empty.id)).rejects.toMatchObject({ code: 'conflict' });
  });
});
