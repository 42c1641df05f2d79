// The page of one person, and every act on it, as administrators meet them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { copyInvitationLink, resendInvitation } from '../../../src/domain/users/admin-commands.ts';
import { inviteUser } from '../../../src/domain/users/commands.ts';
import { days } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  eventsOf,
  isSignedIn,
  linkIn,
  mailsTo,
  namesOf,
  postRaw,
  reload,
  signedInVisitor,
  tryWrong,
} from '../../support/attempts.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import {
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  signIn,
  type TestPerson,
} from '../../support/people.ts';
import { type Page, unescapeHtml, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let admin: AtDesk;
let root: TestPerson;
let target: TestPerson;
let foreigner: TestPerson;

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000' } });
  company = await makeCompany(app, 'Northwind IT');
  const other = await makeCompany(app, 'Another Company');
  root = await makePerson(app, company, { role: 'Root Admin' });
  foreigner = await makePerson(app, other);
  target = await makePerson(app, company, { username: 'ben.user' });
  admin = await atDesk(app, company);
});
afterAll(() => app.stop());

const path = (person: Pick<TestPerson, 'user'>, rest = '') => `/admin/users/${person.user.id}${rest}`;
const open = (person: Pick<TestPerson, 'user'>, rest = '') => admin.visitor.open(path(person, rest));
const act = async (
  person: Pick<TestPerson, 'user'>,
  rest: string,
  fields: Record<string, string> = {},
): Promise<Page> => admin.visitor.submit(await open(person, rest), fields, rest);
let guests = 0;
async function invited(): Promise<TestPerson> {
  const username = `guest${++guests}`;
  const fields = { firstName: 'Gus', lastName: 'Guest', email: `${username}@example.com`, username };
  const { user } = await inviteUser(app.operator(), company.id, { ...fields, role: 'User' });
  return { user, company, password: 'Amber-Lantern-77', totpSecret: null };
}
/** The fields of the edit form as a browser would send them: what is chosen of lists and boxes, too. */
function formOf(page: Page): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [, name = '', options = ''] of page.body.matchAll(/<select[^>]* name="(\w+)"[^>]*>([\s\S]*?)<\/select>/g))
    fields[name] = unescapeHtml(/<option value="([^"]*)" selected/.exec(options)?.[1] ?? '');
  const boxes = [...page.body.matchAll(/<input[^>]*name="group" value="([^"]*)" checked/g)].map(
    ([, value = '']) => value,
  );
  if (boxes[0]) fields.group = boxes[0];
  return fields;
}
const edit = async (person: Pick<TestPerson, 'user'>, fields: Record<string, string>): Promise<Page> => {
  const page = await open(person, '/edit');
  return admin.visitor.submit(page, { ...formOf(page), ...fields }, '/edit');
};

const tabs = ['', '/security', '/activity', '/mail', '/edit'];
const acts = [
  'deactivate',
  'activate',
  'unlock',
  'delete',
  'resend',
  'reset-password',
  'reset-2fa',
  'copy-link',
  'end-sessions',
];
const posts = [...acts, 'edit', 'sessions/end', 'cancel-email'];

describe('the doors of a person', () => {
  const somebody = '01900000-0000-7000-8000-000000000000';
  refusesOthers(
    () => ({ app, company }),
    [...tabs, ...acts.map((one) => `/${one}`)].map((rest) => `/admin/users/${somebody}${rest}`),
  );

  it.each([...tabs, ...acts.map((one) => `/${one}`)])(
    'A1.2, API-02 somebody of another company is not there: %s',
    async (rest) => {
      expect((await open(foreigner, rest)).status).toBe(404);
      expect((await admin.visitor.send(`/admin/users/nobody${rest}`)).status).toBe(404);
    },
  );

  it.each(posts)(
    'A1.2, API-02, WEB-06 %s neither for somebody of another company nor without the token',
    async (rest) => {
      const fields = { username: foreigner.user.username, session: 'x' };
      expect((await postRaw(admin.visitor, path(foreigner, `/${rest}`), fields)).status).toBe(404);
      const bare = await admin.visitor.send(path(target, `/${rest}`), { form: { username: target.user.username } });
      expect(bare.status).toBe(403);
      expect((await reload(app, target)).baseStatus).toBe('Active');
      expect((await app.runtime.db('users').where({ id: foreigner.user.id }).first()).base_status).toBe('Active');
    },
  );

  it.each(posts)('D.3, API-01 %s is refused to other roles by POST, too', async (rest) => {
    const { visitor } = await atDesk(app, company, { role: 'Billing and Purchasing' });
    expect((await postRaw(visitor, path(target, `/${rest}`), {})).status).toBe(403);
  });
});

describe('what the page tells', () => {
  it('shows facts, groups, modules and why, history, sessions, sign-ins and mails', async () => {
    const module = await makeModule(app, [company], {}, { name: 'Planning Board' });
    const person = await makePerson(app, company, { username: 'dora.told' });
    await tryWrong(app, namesOf(person), 5);
    await act(person, '/unlock');
    await signIn(app, app.visitor(), person, authorizeAddress(module));
    const overview = wordsOf(await open(person));
    expect(overview).toMatch(/Pat Example Active dora\.told/);
    expect(overview).toContain('All Module Access');
    expect(overview).toMatch(/Planning Board .*Through All Module Access\. Can enter/);
    expect(overview).toContain('unlocked Pat Example');
    expect(overview).toContain('was locked after too many failed logins');
    const security = wordsOf(await open(person, '/security'));
    expect(security).toMatch(/Authenticator app, set up/);
    expect(security).toMatch(/Chrome on Windows Address 127\.0\.0\.1/);
    expect(security).toContain(module.module.name);
    const activity = wordsOf(await open(person, '/activity'));
    expect(activity).toContain('logged in with password and code');
    expect(activity).toContain('A login as “dora.told” was refused: the password was wrong.');
    const signIns = wordsOf(await open(person, '/activity?show=sign-ins'));
    expect(signIns).not.toContain('unlocked');
    expect(wordsOf(await open(person, '/activity?show=changes'))).not.toContain('logged in with');
    expect(wordsOf(await open(person, '/mail'))).toContain('Account locked');
  });

  it('tells of an administrator also what they did to others, once', async () => {
    const person = await makePerson(app, company);
    await act(person, '/deactivate');
    const activity = wordsOf(await admin.visitor.open(`/admin/users/${admin.person.user.id}/activity?size=200`));
    expect(activity.match(/deactivated Pat Example/g)?.length).toBeGreaterThan(0);
  });

  it('A3.7, D.10 no. 11 says why a module cannot be entered: status first to last', async () => {
    const person = await makePerson(app, company, { groups: ['No Module Access'] });
    expect(wordsOf(await open(person))).toContain('None of their access groups holds it.');
    const locked = await makePerson(app, company);
    await tryWrong(app, namesOf(locked), 5);
    expect(wordsOf(await open(locked))).toContain('but locked: no new login until the lock ends.');
    expect(wordsOf(await open(await invited()))).toContain('but not signed up yet.');
  });

  it('A3.9 warns where mail is blocked', async () => {
    const person = await invited();
    await app.runtime.store.mails.suppress(person.user.email, 'test', app.clock.now());
    expect(wordsOf(await open(person))).toContain(`Mail to ${person.user.email} is blocked`);
    const resend = await open(person, '/resend');
    expect(resend.status).toBe(409);
    expect(wordsOf(resend)).toContain('is blocked');
  });
});

describe('acts', () => {
  it('A7.1, A2.3 deactivates: names what stops, ends the session at once, says so', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    const page = await open(person, '/deactivate');
    expect(wordsOf(page)).toContain('The session ends at once');
    const done = await admin.visitor.submit(page, {}, '/deactivate');
    expect(wordsOf(done)).toContain('Pat Example is deactivated and logged out everywhere.');
    expect(await isSignedIn(visitor)).toBe(false);
    expect(wordsOf(await open(person))).toMatch(/Deactivated by an administrator/);
    expect(wordsOf(await act(person, '/activate'))).toContain('A link to set a password went to');
  });

  it('A7.5 unlocks', async () => {
    const person = await makePerson(app, company);
    await tryWrong(app, namesOf(person), 5);
    expect(wordsOf(await open(person))).toContain('LockedOut');
    expect(wordsOf(await act(person, '/unlock'))).toContain('is unlocked and can log in.');
    expect(await isSignedIn(await signedInVisitor(app, person))).toBe(true);
  });

  it('T11, A7.5 says of who is not locked any more just that, and the log has no unlock', async () => {
    const person = await makePerson(app, company);
    await tryWrong(app, namesOf(person), 5);
    const page = await open(person, '/unlock');
    await app.runtime.db('users').where({ id: person.user.id }).update({ locked_until: app.clock.now() });
    expect(wordsOf(await admin.visitor.submit(page, {}, '/unlock'))).toContain('Pat Example is not locked any more.');
    expect(await eventsOf(app, person, 'user.unlock')).toEqual([]);
  });

  it('says who added somebody in the words of the history', async () => {
    const byOperator = await invited();
    expect(wordsOf(await open(byOperator))).toMatch(/Added by the operator .*The operator added Gus Guest/);
    expect(wordsOf(await open(target))).toContain('Added by the operator');
    const work = app.runtime.work({ kind: 'user', id: root.user.id, name: root.user.username });
    const fields = { firstName: 'Ina', lastName: 'Invited', email: 'ina@example.com', username: 'ina' };
    const { user } = await inviteUser(work, company.id, { ...fields, role: 'User' });
    expect(wordsOf(await open({ user }))).toContain('Added by an administrator');
  });

  it('A1.6, D.10 no. 9 what is refused does not begin as if it were allowed', async () => {
    const page = await open(root, '/delete');
    expect(page.status).toBe(409);
    expect(wordsOf(page)).toContain('The Root Admin cannot be deleted.');
    expect(wordsOf(page)).not.toContain('gone for good');
    expect(wordsOf(await open(root, '/deactivate'))).not.toContain('can no longer log in');
    expect(page.body).toContain(`href="${path(root)}"`);
  });

  it('A7.7 resets 2FA, A7.6 resets the password', async () => {
    const person = await makePerson(app, company);
    expect(wordsOf(await act(person, '/reset-2fa'))).toContain('is reset: Not Enrolled.');
    expect(wordsOf(await act(person, '/reset-password'))).toContain('A link to set a new password went to');
    expect(wordsOf(await open(person, '/reset-2fa'))).toContain('has no second factor to reset');
  });

  it('A7.4 deletes only who is named, and the page is gone', async () => {
    const person = await makePerson(app, company, { username: 'Gone.Soon' });
    const page = await open(person, '/delete');
    const wrong = await admin.visitor.submit(page, { username: 'gone' }, '/delete');
    expect(wrong.status).toBe(422);
    expect(wordsOf(wrong)).toContain('Type Gone.Soon to delete this person.');
    const done = await admin.visitor.submit(page, { username: ' gone.soon ' }, '/delete');
    expect(new URL(done.url).pathname).toBe('/admin/users');
    expect(wordsOf(done)).toContain('Pat Example is deleted.');
    expect((await open(person)).status).toBe(404);
  });

  it('A5.7 says on each page of an act how long the invitation is still good', async () => {
    const person = await invited();
    for (const rest of ['', '/resend', '/copy-link', '/delete']) {
      expect(wordsOf(await open(person, rest)), rest).toContain('14 days left');
    }
  });

  it('A7.9 resends; C16 deletes an invitation without typing', async () => {
    const person = await invited();
    expect(wordsOf(await act(person, '/resend'))).toContain(`The invitation went to ${person.user.email} again.`);
    expect(await mailsTo(app, person.user.email, 'invitation')).toHaveLength(2);
    expect(wordsOf(await act(person, '/delete'))).toContain('Gus Guest is deleted.');
  });

  it('C47 shows a new link once, with the end of the old one, which dies; the log tells', async () => {
    const person = await invited();
    const mailed = await linkIn(app, person.user.email, 'invitation');
    const open1 = await app.runtime.store.links.findOpen(company.id, person.user.id, 'invitation');
    const page = await act(person, '/copy-link');
    expect(page.headers['cache-control']).toBe('no-store');
    const link = new URL(/value="(http[^"]*\/invitation\/[^"]*)"/.exec(page.body)?.[1] ?? '').pathname;
    expect((await app.visitor().open(link)).body).toContain('name="password"');
    expect((await app.visitor().open(mailed)).body).not.toContain('name="password"');
    const open2 = await app.runtime.store.links.findOpen(company.id, person.user.id, 'invitation');
    expect(open2?.expiresAt).toEqual(open1?.expiresAt);
    expect(await eventsOf(app, person, 'user.linkCopied')).toHaveLength(1);
    expect((await open(person)).body).not.toContain(link);
  });

  it('A2.3 ends one session, and all of them', async () => {
    const person = await makePerson(app, company);
    const [one, two] = [await signedInVisitor(app, person), await signedInVisitor(app, person)];
    const page = await open(person, '/security');
    await admin.visitor.submit(page, {}, '/sessions/end');
    expect([await isSignedIn(one), await isSignedIn(two)].filter(Boolean)).toHaveLength(1);
    expect(wordsOf(await act(person, '/end-sessions'))).toContain('One session has ended.');
    expect([await isSignedIn(one), await isSignedIn(two)]).toEqual([false, false]);
  });

  it('WEB-02 a session of somebody else is not ended by naming it here', async () => {
    const other = await makePerson(app, company);
    const visitor = await signedInVisitor(app, other);
    const [session] = await app.runtime.store.of(company.id).sessions.listLive(other.user.id, app.clock.now());
    await postRaw(admin.visitor, path(target, '/sessions/end'), { session: session?.uid ?? '' });
    await postRaw(admin.visitor, path(target, '/sessions/end'), { session: '' });
    expect(await isSignedIn(visitor)).toBe(true);
  });
});

describe('the last way in (D.10 no. 8, 9)', () => {
  const barred = ['deactivate', 'activate', 'delete', 'reset-password', 'reset-2fa', 'copy-link', 'end-sessions'];

  it.each(barred)('the Root Admin: %s is refused by its rule, asked for or posted', async (rest) => {
    const page = await open(root, `/${rest}`);
    expect(page.status).toBe(409);
    expect(wordsOf(page)).toContain('Root Admin');
    const posted = await postRaw(admin.visitor, path(root, `/${rest}`), { username: root.user.username });
    expect(posted.status).toBe(409);
    expect(wordsOf(posted)).toContain('Root Admin');
  });

  it('stands through forty posts at the same moment', async () => {
    const all = barred.flatMap((rest) => Array.from({ length: 6 }, () => rest));
    const pages = await Promise.all(
      all.map((rest) => postRaw(admin.visitor, path(root, `/${rest}`), { username: root.user.username })),
    );
    expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([409]));
    expect(await reload(app, root)).toMatchObject({ baseStatus: 'Active', role: 'Root Admin', mustEnrol2fa: false });
    expect(await isSignedIn(await signedInVisitor(app, root))).toBe(true);
  });

  it('C11, A6.4 neither role nor e-mail of the Root Admin can be posted; the name can', async () => {
    const page = await edit(root, { email: 'thief@example.com', role: 'User', lastName: 'Renamed' });
    expect(page.status).toBe(200);
    expect(await reload(app, root)).toMatchObject({
      role: 'Root Admin',
      email: root.user.email,
      pendingEmail: null,
      lastName: 'Renamed',
    });
  });

  it.each(['deactivate', 'delete', 'reset-2fa'])('C10, AUT-19 oneself: %s is refused', async (rest) => {
    const page = await open(admin.person, `/${rest}`);
    expect(page.status).toBe(409);
    expect(wordsOf(page)).toMatch(/You cannot|My Settings/);
  });
});

describe('everything at once', () => {
  it.each([1, 2, 3])(
    'T14-T22 ends in one true state, each refusal with its rule, nobody waiting for another (%i)',
    async () => {
      const person = await makePerson(app, company);
      await signedInVisitor(app, person);
      const form = await open(person, '/edit');
      const edits = ['One', 'Two', 'Three'].map(
        (lastName) => () =>
          admin.visitor.submitOnce(form, { ...formOf(form), lastName, email: `${lastName}@example.com` }, '/edit'),
      );
      const posts = [
        'deactivate',
        'activate',
        'unlock',
        'reset-2fa',
        'reset-password',
        'end-sessions',
        'resend',
        'delete',
      ].map((rest) => () => postRaw(admin.visitor, path(person, `/${rest}`), { username: person.user.username }));
      const [logIn] = [() => tryWrong(app, namesOf(person), 1).then(([page]) => page)];
      const pages = await Promise.all([...edits, ...posts, ...edits, ...posts, logIn].map((one) => one()));
      const statuses = [...new Set(pages.map((page) => page?.status))];
      expect(statuses.filter((status) => ![303, 404, 409, 422].includes(status ?? 0))).toEqual([]);
      const row = await app.runtime.db('users').where({ id: person.user.id }).first();
      expect(row.base_status).toBe('Deleted');
      expect(await eventsOf(app, person, 'user.delete')).toHaveLength(1);
      expect(await app.runtime.db('group_members').where({ user_id: person.user.id })).toEqual([]);
      const live = await app.runtime.db('links').where({ user_id: person.user.id, used_at: null, voided_at: null });
      expect(live).toEqual([]);
    },
  );
});

describe('editing (A6.3)', () => {
  it('T22 saves every field but the username, and tells what changed', async () => {
    const person = await makePerson(app, company);
    const done = await edit(person, {
      firstName: 'Zoë-Anne',
      lastName: "O'Neil",
      phone: '+49 30 1',
      timeZone: 'Europe/Berlin',
      role: 'Co-Managed User',
      username: 'another',
    });
    expect(wordsOf(done)).toContain('Zoë-Anne O’Neil is saved.'.replace('’', "'"));
    expect(await reload(app, person)).toMatchObject({
      firstName: 'Zoë-Anne',
      lastName: "O'Neil",
      phone: '+49 30 1',
      timeZone: 'Europe/Berlin',
      role: 'Co-Managed User',
      username: person.user.username,
    });
  });

  it('A3.2, A3.3 a refused form keeps what was typed, and marks the field', async () => {
    const page = await edit(target, { firstName: '<b>', email: 'no address' });
    expect(page.status).toBe(422);
    expect(page.body).toContain('value="&#60;b&#62;"');
    expect(page.body).toContain('value="no address"');
    expect(page.body).toMatch(/id="firstName"[^>]*aria-invalid="true"/);
    expect(await eventsOf(app, target, 'user.edit')).toHaveLength(0);
  });

  it('C20 refuses to leave no group', async () => {
    const page = await open(target, '/edit');
    const fields = formOf(page);
    delete fields.group;
    const refused = await admin.visitor.submit(page, fields, '/edit');
    expect(refused.status).toBe(422);
    expect(wordsOf(refused)).toContain('Choose at least one access group.');
  });

  it('B.4, C21 shows which modules are lost before they are; saved again, it is done', async () => {
    await makeModule(app, [company], {}, { name: 'Time Sheets' });
    const none = await app.runtime.store.of(company.id).groups.getSystem('system-none');
    const person = await makePerson(app, company);
    const asked = await edit(person, { group: none.id, lastName: 'Kept' });
    expect(wordsOf(asked)).toMatch(/Pat Example loses .*Time Sheets.* Save again to do it\./);
    expect(asked.body).toContain('value="Kept"');
    expect((await reload(app, person)).lastName).toBe('Example');
    const done = await admin.visitor.submit(asked, formOf(asked), '/edit');
    expect(wordsOf(done)).toContain('Pat Kept is saved.');
    expect(wordsOf(done)).toContain('None of their access groups holds it.');
    const groups = await app.runtime.store.of(company.id).groups.listOf(person.user.id);
    expect(groups.map(({ name }) => name)).toEqual(['No Module Access']);
  });

  it('API-12 nobody overwrites what somebody else has saved meanwhile without seeing it', async () => {
    const person = await makePerson(app, company);
    const page = await open(person, '/edit');
    await edit(person, { lastName: 'First' });
    const second = await admin.visitor.submit(page, { ...formOf(page), lastName: 'Second' }, '/edit');
    expect(second.status).toBe(409);
    expect(second.body).toContain('value="Second"');
    expect((await reload(app, person)).lastName).toBe('First');
    await admin.visitor.submit(second, formOf(second), '/edit');
    expect((await reload(app, person)).lastName).toBe('Second');
  });

  it('A6.4, C14, D.10 no. 10 a new e-mail counts when its link is opened; a second request voids the first', async () => {
    const person = await makePerson(app, company, { email: 'old@example.com' });
    expect(wordsOf(await edit(person, { email: 'first@example.com' }))).toContain('A link went to first@example.com');
    await edit(person, { email: 'second@example.com' });
    expect((await reload(app, person)).email).toBe('old@example.com');
    expect(await mailsTo(app, 'old@example.com', 'emailChangeRequested')).toHaveLength(2);
    const [notice] = await mailsTo(app, 'old@example.com', 'emailChangeRequested');
    expect(`${notice?.text}${notice?.html}`).not.toMatch(/confirm-email|first@example\.com/);
    const confirm = async (address: string) => {
      const visitor = app.visitor();
      const page = await visitor.open(await linkIn(app, address, 'confirmEmail'));
      return page.body.includes('<form') ? visitor.submit(page, {}, '/confirm-email') : page;
    };
    await confirm('first@example.com');
    expect((await reload(app, person)).email).toBe('old@example.com');
    await confirm('second@example.com');
    expect(await reload(app, person)).toMatchObject({ email: 'second@example.com', pendingEmail: null });
  });

  it('C13 an address that somebody else has is taken, and said', async () => {
    await makePerson(app, company, { username: 'first.owner', email: 'shared@example.com' });
    const person = await makePerson(app, company);
    const done = wordsOf(await edit(person, { email: 'shared@example.com' }));
    expect(done).toContain('Pat Example (first.owner) has this e-mail, too.');
    expect((await reload(app, person)).pendingEmail).toBe('shared@example.com');
  });

  it('A6.4 a waiting change can be taken back; its link is dead', async () => {
    const person = await makePerson(app, company);
    await edit(person, { email: 'unwanted@example.com' });
    const page = await open(person);
    expect(wordsOf(page)).toContain('unwanted@example.com counts once its link is opened');
    expect(wordsOf(await admin.visitor.submit(page, {}, '/cancel-email'))).toContain('is taken back');
    const visitor = app.visitor();
    const dead = await visitor.open(await linkIn(app, 'unwanted@example.com', 'confirmEmail'));
    await visitor.submit(dead, {}, '/confirm-email');
    expect((await reload(app, person)).email).toBe(person.user.email);
  });

  it('C12 the invitation of an invited person goes to the new address, and the old link dies', async () => {
    const person = await invited();
    const old = await linkIn(app, person.user.email, 'invitation');
    const moved = `moved-${person.user.email}`;
    expect(wordsOf(await edit(person, { email: moved }))).toContain(`A new invitation went to ${moved}.`);
    expect((await app.visitor().open(old)).body).not.toContain('name="password"');
    expect((await app.visitor().open(await linkIn(app, moved, 'invitation'))).body).toContain('name="password"');
  });

  it('D.10 no. 5, C47 an invitation that ran out is sent again, not copied', async () => {
    const person = await invited();
    app.clock.advance(days(14));
    const copying = copyInvitationLink(app.operator(), company.id, person.user.id);
    await expect(copying).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('run out') });
    expect((await resendInvitation(app.operator(), company.id, person.user.id)).invitation).toContain('/invitation/');
  });
});
