// Corners of the console where two rules meet: who watches while long work runs, what a copied link proves, letters cut in half.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { actOnGroup } from '../../../src/domain/groups/change-commands.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { anyEvent } from '../../../src/domain/reports/audit-filter.ts';
import { exportAudit } from '../../../src/domain/reports/export-commands.ts';
import { copyInvitationLink, deleteUser, resetSecondFactor } from '../../../src/domain/users/admin-commands.ts';
import { deactivateUser, inviteUser } from '../../../src/domain/users/commands.ts';
import { cancelEmailChange, changeOwnEmail } from '../../../src/domain/users/email-commands.ts';
import { exportPeople } from '../../../src/domain/users/export-queries.ts';
import { everybody } from '../../../src/domain/users/list-queries.ts';
import { setPasswordByLink } from '../../../src/domain/users/password-commands.ts';
import { createStore } from '../../../src/store.ts';
import { transaction, type Work } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { linkIn } from '../../support/attempts.ts';
import { type AtDesk, atDesk } from '../../support/console.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { uploadFile } from '../../support/upload.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let admin: AtDesk;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
  admin = await atDesk(app, company);
});
afterAll(() => app.stop());

const as = ({ user }: TestPerson): Work => ({
  ...app.operator(),
  actor: { kind: 'user', id: user.id, name: user.username },
});
const users = () => app.runtime.store.of(company.id).users;
/** A hundred letters, the last of which is half of one when it is cut by number. */
const halved = `${'a'.repeat(99)}😀`;

describe('C47 a copied link', () => {
  const invited = (username: string) =>
    inviteUser(app.operator(), company.id, {
      firstName: 'Gus',
      lastName: 'Guest',
      email: `${username}@elsewhere.example`,
      username,
      role: 'User',
    });
  const tokenOf = (link: string) => link.split('/').at(-1) ?? '';

  it('A2.1 was handed over, and so proves no mailbox; copied again, it still does not', async () => {
    const { user } = await invited('copied');
    await copyInvitationLink(as(admin.person), company.id, user.id);
    const { invitation } = await copyInvitationLink(as(admin.person), company.id, user.id);
    const answer = await setPasswordByLink(app.operator(), 'invitation', tokenOf(invitation), 'Copper-Kettle-Tango-41');
    expect(answer.outcome).toBe('done');
    expect((await users().findById(user.id))?.emailVerifiedAt).toBeNull();
  });

  it('A2.1 one that came by mail does', async () => {
    const { user } = await invited('mailed');
    const link = await linkIn(app, user.email, 'invitation');
    const answer = await setPasswordByLink(app.operator(), 'invitation', tokenOf(link), 'Copper-Kettle-Tango-42');
    expect(answer.outcome).toBe('done');
    expect((await users().findById(user.id))?.emailVerifiedAt).not.toBeNull();
  });
});

describe('D.10 no. 8 the Root Admin', () => {
  it('alone takes back the change of their own e-mail', async () => {
    const root = await makePerson(app, company, { role: 'Root Admin' });
    const { id } = root.user;
    await changeOwnEmail(as(root), { companyId: company.id, userId: id }, 'new@root.example');
    const taking = cancelEmailChange(as(admin.person), company.id, id);
    await expect(taking).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining('Only the Root Admin'),
    });
    expect((await users().findById(id))?.pendingEmail).toBe('new@root.example');
    const page = await admin.visitor.open(`/admin/users/${id}`);
    expect(page.body).toContain('new@root.example counts once');
    expect(page.body).not.toContain('cancel-email');
    await cancelEmailChange(as(root), company.id, id);
    expect((await users().findById(id))?.pendingEmail).toBeNull();
  });
});

describe('API-01 who is deactivated in the middle of a long file', () => {
  const drain = async (file: AsyncIterable<unknown>) => {
    for await (const _piece of file);
  };
  const leaver = async () => {
    const person = await makePerson(app, company, { role: 'Admin' });
    const out = () => deactivateUser(app.operator(), company.id, person.user.id);
    return { work: as(person), out };
  };

  it('gets no more of the audit log', async () => {
    const { work, out } = await leaver();
    const file = await exportAudit(work, company.id, anyEvent, 'jsonl');
    await out();
    await expect(drain(file)).rejects.toMatchObject({ status: 403 });
  });

  it('gets no more people', async () => {
    const { work, out } = await leaver();
    const file = await exportPeople(work, company.id, { filter: everybody }, ['username']);
    await out();
    await expect(drain(file)).rejects.toMatchObject({ status: 403 });
  });
});

describe('C15 a person who is deleted while their group is', () => {
  it('leaves no membership behind', async () => {
    const group = await createGroup(app.operator(), company.id, { name: 'Leavers', isActive: true });
    const { user } = await makePerson(app, company, { groups: ['Leavers'] });
    const begun = Promise.withResolvers<void>();
    const deleting = transaction(app.operator(), async (work) => {
      await deleteUser(work, company.id, user.id);
      begun.resolve();
      await sleep(300);
    });
    await begun.promise;
    await Promise.all([deleting, actOnGroup(app.operator(), company.id, group.id, { kind: 'delete' })]);
    expect(await app.runtime.db('group_members').where({ user_id: user.id })).toEqual([]);
  });
});

describe('an act on somebody who is just signing in', () => {
  it('does not hold up their session, which needs the row of its person to be there, no more: else each could wait for the other', async () => {
    const { user } = await makePerson(app, company);
    await transaction(app.operator(), async (work) => {
      await work.store.of(company.id).users.lockById(user.id);
      await work.store.of(company.id).users.holdAll([user.id]);
      await app.runtime.db.transaction(async (trx) => {
        await trx.raw(`set local lock_timeout = '500ms'`);
        await trx('known_browsers').insert({
          company_id: company.id,
          user_id: user.id,
          browser_hash: 'a-browser',
          last_used_at: app.clock.now(),
        });
      });
    });
    expect(await app.runtime.db('known_browsers').where({ user_id: user.id })).toHaveLength(1);
  });

  it('A7.7 waits for a session that is being born, and ends it, too', async () => {
    const { user } = await makePerson(app, company);
    const at = app.clock.now();
    const later = new Date(at.getTime() + 3_600_000);
    await app.runtime
      .db('oidc_records')
      .insert({ id: 'waiting', kind: 'Interaction', payload: '{}', account_id: user.id, expires_at: later });
    const begun = Promise.withResolvers<void>();
    // As the engine does it: the waiting request goes, and the session comes, in one transaction.
    const signingIn = app.runtime.db.transaction(async (trx) => {
      await trx('oidc_records').where({ id: 'waiting' }).delete();
      const own = { uid: 'newborn', company_id: company.id, user_id: user.id, ip: '', agent: '' };
      const times = { created_at: at, last_seen_at: at, idle_ends_at: later, ends_at: later };
      await trx('sessions').insert({ ...own, ...times, amr: [] });
      begun.resolve();
      await sleep(300);
    });
    await begun.promise;
    await Promise.all([signingIn, resetSecondFactor(app.operator(), company.id, user.id)]);
    expect(await app.runtime.db('sessions').where({ uid: 'newborn' }).first()).toMatchObject({
      end_reason: 'second-factor-reset',
    });
  });

  it('A7.1 and another act at the same moment stand in line', async () => {
    const { user } = await makePerson(app, company);
    await transaction(app.operator(), async (work) => {
      await work.store.of(company.id).users.lockById(user.id);
      const second = app.runtime.db.transaction(async (trx) => {
        await trx.raw(`set local lock_timeout = '200ms'`);
        await createStore(trx, app.runtime.store.prepared).of(company.id).users.lockById(user.id);
      });
      await expect(second).rejects.toMatchObject({ code: '55P03' });
    });
  });
});

describe('letters of two units, cut in the middle', () => {
  it('A4.1 in the name of a file', async () => {
    const bytes = 'Username,Email,Role,Groups,First Name,Last Name\r\nx,x@x.example,User,All Module Access,X,X';
    const answer = await uploadFile(admin.visitor, '/admin/users/import', { name: `${halved}.csv`, bytes });
    expect(answer.status, wordsOf(answer)).toBe(303);
  });

  it.each(['ip', 'code'])('API-07 in the field %s of an export of the audit log', async (field) => {
    const page = await admin.visitor.open(`/admin/audit?${new URLSearchParams({ [field]: halved })}`);
    expect(page.status).toBe(200);
    const answer = await admin.visitor.submit(page, { [field]: halved, format: 'csv' }, '/admin/audit/export');
    expect(answer.status, wordsOf(answer)).toBe(200);
  });
});
