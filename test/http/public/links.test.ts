// AUT-13, AUT-14, AUT-17, A5.7, A6.4, A7.6: what the links in mails open, for how long, and how often.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createLink } from '../../../src/domain/links/commands.ts';
import { activateUser, deactivateUser, inviteUser } from '../../../src/domain/users/commands.ts';
import { sendInvitation } from '../../../src/domain/users/invitations.ts';
import { sendPasswordReset } from '../../../src/domain/users/password-commands.ts';
import type { User } from '../../../src/domain/users/user.ts';
import { tokenHash } from '../../../src/lib/secrets.ts';
import { days, hours, seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  eventsOf,
  giveCode,
  isHome,
  isSignedIn,
  linkIn,
  mailsTo,
  namesOf,
  postRaw,
  reload,
  signedInVisitor,
  stepOf,
  tryPassword,
} from '../../support/attempts.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
const newPassword = 'Amber-Lantern-77';

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app, 'Another Company');
});
afterAll(() => app.stop());

async function resetLink(person: TestPerson): Promise<string> {
  await sendPasswordReset(app.operator(), company, await reload(app, person));
  return linkIn(app, person.user.email, 'passwordReset');
}

let guests = 0;
async function invite(): Promise<User> {
  const username = `guest${++guests}`;
  const names = { firstName: 'Gus', lastName: 'Guest', email: `${username}@example.com`, username };
  return (await inviteUser(app.operator(), company.id, { ...names, role: 'User' })).user;
}

const set = async (path: string, password = newPassword, visitor = app.visitor()) =>
  postRaw(visitor, path, { password });
const tokenOf = (path: string): string => path.split('/').at(-1) ?? '';
const isDead = async (path: string) => (await app.visitor().send(path)).status === 410;
const works = async (person: TestPerson, password: string) =>
  (await tryPassword(await atPassword(app, namesOf(person)), password)).status === 303;

describe('a link to reset the password', () => {
  it('AUT-13 holds 256 random bits, kept as a hash only', async () => {
    const person = await makePerson(app, company);
    const [one, two] = [tokenOf(await resetLink(person)), tokenOf(await resetLink(person))];
    expect(Buffer.from(one, 'base64url').length).toBe(32);
    expect(one).not.toBe(two);
    const rows = await app.runtime.db('links').where({ user_id: person.user.id });
    expect(rows.map((row) => row.token_hash)).toEqual(expect.arrayContaining([tokenHash(one), tokenHash(two)]));
    expect(JSON.stringify(rows)).not.toContain(two);
  });

  it('AUT-13, T20 works once of ten in parallel, on two nodes', async () => {
    const second = await app.node();
    const person = await makePerson(app, company);
    const link = await resetLink(person);
    const nodes = [app, second];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => set(link, `${newPassword}-${i}`, nodes[i % 2]?.visitor())),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(410)]);
    const winner = answers.findIndex(({ status }) => status === 200);
    expect(await works(person, `${newPassword}-${winner}`)).toBe(true);
    expect(await eventsOf(app, person, 'user.passwordReset.done')).toHaveLength(1);
    expect(await mailsTo(app, person.user.email, 'passwordChanged')).toHaveLength(1);
  });

  it('AUT-13, T13 signs nobody in, leaves the second factor as it is, ends sessions, and tells the address', async () => {
    const person = await makePerson(app, company);
    const live = await signedInVisitor(app, person);
    const visitor = app.visitor();
    const done = await set(await resetLink(person), newPassword, visitor);
    expect(wordsOf(done)).toContain('Your password is set');
    expect([await isSignedIn(visitor), await isSignedIn(live)]).toEqual([false, false]);
    expect(await works(person, person.password)).toBe(false);
    const changed = { ...person, password: newPassword };
    const place = await atCode(app, changed);
    expect(stepOf(place.page)).toBe('code');
    expect(isHome(await giveCode(app, place, changed))).toBe(true);
    const [mail] = await mailsTo(app, person.user.email, 'passwordChanged');
    expect(mail?.text).not.toContain('/reset-password/');
  });

  it('AUT-13 is dead once a newer one was asked for, also by ten at the same moment', async () => {
    const person = await makePerson(app, company);
    const old = await resetLink(person);
    await Promise.all(Array.from({ length: 10 }, () => sendPasswordReset(app.operator(), company, person.user)));
    expect((await set(old)).status).toBe(410);
    const links = (await mailsTo(app, person.user.email, 'passwordReset')).map(
      ({ data }) => new URL(String(data.link)).pathname,
    );
    const dead = await Promise.all(links.map(isDead));
    expect(dead.filter((isIt) => !isIt)).toHaveLength(1);
  });

  it('AUT-13 is dead once the address was changed: who reads the old mailbox no longer owns the account', async () => {
    const person = await makePerson(app, company);
    const link = await resetLink(person);
    const { address } = await requestNewEmail(person, 'new-address@example.com');
    await postRaw(app.visitor(), address, {});
    expect((await reload(app, person)).email).toBe('new-address@example.com');
    expect(await isDead(link)).toBe(true);
  });

  it('AUT-13, AUT-02 survives a password that is too weak, and takes the next one', async () => {
    const person = await makePerson(app, company);
    const link = await resetLink(person);
    for (const weak of ['', 'short', 'Password1!', person.password]) {
      const page = await set(link, weak);
      expect(page.status).toBe(422);
      expect(page.body).toContain('name="password"');
    }
    expect((await set(link)).status).toBe(200);
  });

  it('AUT-13, AUT-10 is dead for a deactivated person', async () => {
    const person = await makePerson(app, company);
    const link = await resetLink(person);
    await deactivateUser(app.operator(), company.id, person.user.id);
    expect([await isDead(link), (await set(link)).status]).toEqual([true, 410]);
  });
});

describe('the form behind it', () => {
  it('AUT-14 is reached with the mailed token only: no other path, kind or token changes a password', async () => {
    const [person, other] = [await makePerson(app, company), await makePerson(app, company)];
    const guest = await invite();
    const invitation = tokenOf(await linkIn(app, guest.email, 'invitation'));
    const reset = tokenOf(await resetLink(other));
    const hash = async () => (await app.runtime.store.of(company.id).credentials.findPassword(person.user.id))?.hash;
    const before = await hash();
    const paths = [
      '/reset-password',
      '/reset-password/',
      '/reset-password/undefined',
      '/reset-password/%00',
      `/reset-password/${'A'.repeat(43)}`,
      `/reset-password/${tokenHash(reset)}`,
      `/reset-password/${invitation}`,
      `/reset-password/${reset.toLowerCase()}`,
      `/reset-password/${person.user.id}`,
      `/set-up/${reset}`,
      `/invitation/${reset}`,
      `/confirm-email/${reset}`,
      `/install/${reset}`,
      '/forgot/password',
    ];
    for (const path of paths) {
      const fields = { password: newPassword, username: person.user.username, company: company.name };
      const answer = await postRaw(app.visitor(), path, { ...fields, user: person.user.id, userId: person.user.id });
      expect(answer.status === 200 && path !== '/forgot/password', path).toBe(false);
      expect(answer.status, path).toBeLessThan(500);
    }
    expect(await hash()).toBe(before);
    // The reset of another person is still whole, and changes that person alone, whoever the form names.
    const fields = { password: newPassword, username: person.user.username, user: person.user.id };
    expect((await postRaw(app.visitor(), `/reset-password/${reset}`, fields)).status).toBe(200);
    expect(await hash()).toBe(before);
    expect(await works(other, newPassword)).toBe(true);
  });

  it('AUT-14 a login that is open in the same browser changes nothing about whose password it is', async () => {
    const [person, other] = [await makePerson(app, company), await makePerson(app, company)];
    const visitor = await signedInVisitor(app, person);
    expect((await set(await resetLink(other), newPassword, visitor)).status).toBe(200);
    expect(await works(person, person.password)).toBe(true);
    expect(await works(other, newPassword)).toBe(true);
  });

  it('AUT-05 every dead link is one page: used, unknown, too old, of another kind', async () => {
    const person = await makePerson(app, company);
    const used = await resetLink(person);
    await set(used);
    const bare = async (path: string) => {
      const page = await app.visitor().send(path);
      return [page.status, page.body.replaceAll(/csrf" value="[^"]+/g, '')];
    };
    const unknown = await bare(`/reset-password/${'A'.repeat(43)}`);
    expect(unknown[0]).toBe(410);
    expect(await bare(used)).toEqual(unknown);
    // Alive, and its person may use it, but not here.
    await deactivateUser(app.operator(), company.id, person.user.id);
    await activateUser(app.operator(), company.id, person.user.id);
    const setup = await linkIn(app, person.user.email, 'setup');
    expect(await isDead(setup)).toBe(false);
    expect(await bare(setup.replace('/set-up/', '/reset-password/'))).toEqual(unknown);
    expect(await bare(`/reset-password/${tokenOf(await linkIn(app, (await invite()).email, 'invitation'))}`)).toEqual(
      unknown,
    );
  });
});

describe('an invitation', () => {
  it('A7.9, T8, AUT-17, D.10 no. 5 is dead after a resend, and once used', async () => {
    const guest = await invite();
    const old = await linkIn(app, guest.email, 'invitation');
    await sendInvitation(app.operator(), company, guest, 'user.resend');
    const fresh = await linkIn(app, guest.email, 'invitation');
    expect([await isDead(old), await isDead(fresh)]).toEqual([true, false]);
    expect((await set(old)).status).toBe(410);
    expect((await set(fresh)).status).toBe(200);
    expect((await set(fresh, 'Other-Lantern-78')).status).toBe(410);
  });

  it('C38 names earlier passwords to those only who have one', async () => {
    const rulesAt = async (path: string) => wordsOf(await app.visitor().send(path));
    const last = 'None of your last 5 passwords';
    expect(await rulesAt(await linkIn(app, (await invite()).email, 'invitation'))).not.toContain(last);
    expect(await rulesAt(await resetLink(await makePerson(app, company)))).toContain(last);
  });

  it('AUT-17 works once of ten in parallel', async () => {
    const link = await linkIn(app, (await invite()).email, 'invitation');
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => set(link, `${newPassword}-${i}`)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

/** What asking for another address will do (A6.4): keep it aside and mail a link to it. */
async function requestNewEmail(person: TestPerson, email: string): Promise<{ address: string }> {
  await app.runtime.store.of(company.id).users.update(person.user.id, { pendingEmail: email });
  const { address } = await createLink(app.operator(), {
    kind: 'emailChange',
    companyId: company.id,
    userId: person.user.id,
    sentTo: email,
    lifetime: hours(24),
  });
  return { address: new URL(address).pathname };
}

describe('a link to confirm a new address', () => {
  it('A6.4, C14, D.10 no. 10 changes the address at the click and not before; a second request voids the first; the old one is told', async () => {
    const person = await makePerson(app, company);
    const first = await requestNewEmail(person, 'first@example.com');
    const second = await requestNewEmail(person, 'second@example.com');
    expect((await postRaw(app.visitor(), first.address, {})).status).toBe(410);
    await app.visitor().open(second.address);
    expect((await reload(app, person)).email).toBe(person.user.email);
    const answers = await Promise.all(Array.from({ length: 5 }, () => postRaw(app.visitor(), second.address, {})));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await reload(app, person)).toMatchObject({ email: 'second@example.com', pendingEmail: null });
    expect(await mailsTo(app, person.user.email, 'emailChanged')).toHaveLength(1);
  });
});

// Last, since sessions do not outlive the days that pass here.
describe('as days go by', () => {
  it('AUT-13, A7.6 a link to reset the password lives for 24 hours, as domain rules have it, and not a second longer', async () => {
    const person = await makePerson(app, company);
    const link = await resetLink(person);
    app.clock.advance(hours(24) - seconds(5));
    expect(await isDead(link)).toBe(false);
    app.clock.advance(seconds(6));
    expect(await isDead(link)).toBe(true);
    expect((await set(link)).status).toBe(410);
    expect(await works(person, person.password)).toBe(true);
  });

  it('A5.7, AUT-17, T7, D.10 no. 5 an invitation works on day 14 and not after it; then the page says whom to ask', async () => {
    const [early, late] = [await invite(), await invite()];
    const [one, two] = [await linkIn(app, early.email, 'invitation'), await linkIn(app, late.email, 'invitation')];
    app.clock.advance(days(14) - seconds(5));
    expect((await set(one)).status).toBe(200);
    app.clock.advance(seconds(6));
    expect((await set(two)).status).toBe(410);
    expect(wordsOf(await app.visitor().open(two))).toContain('ask your administrator');
  });
});
