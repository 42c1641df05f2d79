// AUT-06, AUT-12, AUT-19, AUT-25: what people change about their own sign-in, and what they must prove for it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { proveOneself } from '../../../src/domain/users/own-commands.ts';
import { sendPasswordReset } from '../../../src/domain/users/password-commands.ts';
import { statusOf } from '../../../src/domain/users/user.ts';
import { minutes, seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  eventsOf,
  giveCode,
  isHome,
  isSignedIn,
  knownBrowsers,
  linkIn,
  mailsTo,
  namesOf,
  postRaw,
  reload,
  signedInVisitor,
  stepOf,
  tryPassword,
  tryWrong,
  VisitorFrom,
  wrongPassword,
} from '../../support/attempts.ts';
import { codeOf, freshCode, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let patient: Company;
const newPassword = 'Amber-Lantern-77';

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '200', TRUSTED_PROXIES: '1' } });
  const session = { idleMinutes: 1440, absoluteMinutes: 1440 };
  company = await makeCompany(app, 'Northwind IT', { session });
  patient = await makeCompany(app, 'Patient Ltd', { session, lock: { threshold: 100, minutes: 10 } });
});
afterAll(() => app.stop());

const security = (visitor: Visitor) => visitor.open('/settings/security');

async function changePassword(visitor: Visitor, currentPassword: string, password = newPassword): Promise<Page> {
  return visitor.submitOnce(await security(visitor), { currentPassword, password }, '/settings/password');
}

const factorOf = (person: TestPerson) => app.runtime.store.of(person.company.id).credentials.findTotp(person.user.id);

describe('the own password', () => {
  it('AUT-12 changes with the present one; others end, this session goes on, the address is told', async () => {
    const person = await makePerson(app, company);
    const [here, there] = [await signedInVisitor(app, person), await signedInVisitor(app, person)];
    expect(await knownBrowsers(app, person)).toHaveLength(2);
    expect((await changePassword(here, person.password)).status).toBe(303);
    expect([await isSignedIn(here), await isSignedIn(there)]).toEqual([true, false]);
    expect(await mailsTo(app, person.user.email, 'passwordChanged')).toHaveLength(1);
    expect(await eventsOf(app, person, 'user.passwordChange')).toHaveLength(1);
    // AUT-26: the other browser is a stranger now.
    expect(await knownBrowsers(app, person)).toHaveLength(1);
    expect((await tryPassword(await atPassword(app, namesOf(person)), person.password)).status).toBe(422);
    const changed = { ...person, password: newPassword };
    expect(isHome(await giveCode(app, await atCode(app, changed), changed))).toBe(true);
  });

  it('AUT-12 does not change with a wrong one, or without one, or without a session', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    const wrong = await changePassword(visitor, wrongPassword);
    expect(wrong.status).toBe(422);
    expect(wordsOf(wrong)).toContain('The current password is not right.');
    expect((await postRaw(visitor, '/settings/password', { password: newPassword })).status).toBe(422);
    const stranger = await postRaw(app.visitor(), '/settings/password', {
      currentPassword: person.password,
      password: newPassword,
    });
    expect(stranger.status).toBe(403);
    expect((await atCode(app, person)).page.status).toBe(200);
    expect(await mailsTo(app, person.user.email)).toEqual([]);
  });

  it('AUT-02, C38 says what is wrong with the new one, history included', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    const words = async (password: string) => wordsOf(await changePassword(visitor, person.password, password));
    expect(await words('short')).toContain('Use at least 8 characters.');
    expect(await words('Password1!')).toContain('most used passwords');
    expect(await words('Northwind-2026!')).toMatch(/"northwind"/i);
    expect(await words(person.password)).toContain('You have used this password before.');
  });

  it('AUT-13 kills a reset link that is still open', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    await sendPasswordReset(app.operator(), company, person.user);
    const link = await linkIn(app, person.user.email, 'passwordReset');
    await changePassword(visitor, person.password);
    expect((await app.visitor().open(link)).status).toBe(410);
  });
});

describe('failures here', () => {
  it('AUT-06 count once each under fifty parallel tries, on the browser’s own counter', async () => {
    const person = await makePerson(app, patient);
    const visitor = await signedInVisitor(app, person);
    const page = await security(visitor);
    const fields = { currentPassword: wrongPassword, password: newPassword };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => visitor.submitOnce(page, fields, '/settings/password')),
    );
    for (const answer of answers) expect(answer.status).toBe(422);
    expect((await knownBrowsers(app, person)).map(({ failures }) => failures)).toEqual([50]);
  });

  it('AUT-06, T10 lock at the fifth, also against the right password; the address is told; the session lives', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    for (let i = 0; i < 5; i += 1) await changePassword(visitor, `${wrongPassword}-${i}`);
    const held = await changePassword(visitor, person.password);
    expect([held.status, /paused/.test(wordsOf(held))]).toEqual([422, true]);
    expect(await isSignedIn(visitor)).toBe(true);
    expect(statusOf(await reload(app, person), app.clock.now())).toBe('LockedOut');
    expect(await mailsTo(app, person.user.email, 'locked')).toHaveLength(1);
    expect(await eventsOf(app, person, 'user.lock')).toHaveLength(1);
    expect((await tryPassword(await atPassword(app, namesOf(person)), person.password)).status).toBe(422);
    app.clock.advance(minutes(10) + seconds(1));
    expect((await changePassword(visitor, person.password)).status).toBe(303);
  });

  it('AUT-06 cannot be outrun: the right password at the end of a burst is refused', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    const page = await security(visitor);
    const guesses = [...Array.from({ length: 20 }, (_, i) => `${wrongPassword}-${i}`), person.password];
    const answers = await Promise.all(
      guesses.map((currentPassword) =>
        visitor.submitOnce(page, { currentPassword, password: newPassword }, '/settings/password'),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 422));
  });

  it('AUT-07, C9 of strangers do not keep the person from changing it in a browser that is known', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    await tryWrong(app, namesOf(person), 5);
    expect(statusOf(await reload(app, person), app.clock.now())).toBe('LockedOut');
    expect((await changePassword(visitor, person.password)).status).toBe(303);
  });

  it('AUT-06 in a session whose browser is not known any more count on the account, and its lock holds', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    visitor.jar = visitor.jar.filter((cookie) => cookie.name !== 'ul_browser');
    await changePassword(visitor, wrongPassword);
    expect((await reload(app, person)).failures).toBe(1);
    await tryWrong(app, namesOf(person), 4);
    expect((await changePassword(visitor, person.password)).status).toBe(422);
  });

  it('AUT-08 count at the network address, which then waits here as anywhere', async () => {
    const person = await makePerson(app, patient);
    const visitor = await signedInVisitor(app, person, new VisitorFrom(app, '198.51.100.77'));
    visitor.jar = visitor.jar.filter((cookie) => cookie.name !== 'ul_browser');
    await changePassword(visitor, wrongPassword);
    const row = () => app.runtime.db('address_failures').where({ address: '198.51.100.77' });
    expect((await row().first())?.failures).toBe(1);
    await row().update({ failures: 200 });
    expect((await changePassword(visitor, person.password)).status).toBe(429);
  });

  it('AUT-06 wrong codes count, too, and a code is good once', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    const work = app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });
    const own = { companyId: company.id, userId: person.user.id };
    const browserToken = visitor.cookie('ul_browser')?.value ?? '';
    const prove = (code: string) => proveOneself(work, own, { password: person.password, code, browserToken });
    const code = await freshCode(app, person);
    work.now = app.clock.now();
    const ten = await Promise.all(Array.from({ length: 4 }, () => prove(code)));
    expect(ten.filter(({ outcome }) => outcome === 'proved')).toHaveLength(1);
    expect((await knownBrowsers(app, person)).map(({ failures }) => failures)).toEqual([3]);
    const other = await makePerson(app, company);
    await expect(
      proveOneself(work, { ...own, userId: other.user.id }, { password: other.password, code, browserToken }),
    ).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('the second factor', () => {
  const reset = '/settings/second-factor/reset';

  it('AUT-19, B.2 is reset with password and code only; other sessions end; mailed, audited, enrolled anew at the next login', async () => {
    const person = await makePerson(app, company);
    const [here, there] = [await signedInVisitor(app, person), await signedInVisitor(app, person)];
    const confirm = await here.submit(await security(here), {}, reset);
    expect(confirm.body).toContain('name="code"');
    for (const fields of [
      { password: wrongPassword, code: await freshCode(app, person) },
      { password: person.password, code: '000000' },
      { password: person.password, code: '' },
    ])
      expect((await here.submitOnce(confirm, fields, reset)).status).toBe(422);
    expect(await factorOf(person)).not.toBeNull();
    const done = await here.submitOnce(
      confirm,
      { password: person.password, code: await freshCode(app, person) },
      reset,
    );
    expect(done.status).toBe(303);
    expect(await factorOf(person)).toBeNull();
    expect([await isSignedIn(here), await isSignedIn(there)]).toEqual([true, false]);
    expect(await mailsTo(app, person.user.email, 'secondFactorReset')).toHaveLength(1);
    expect(await eventsOf(app, person, 'user.2fa.reset')).toMatchObject([{ details: { by: 'self' } }]);
    expect(stepOf((await atCode(app, person)).page)).toBe('enrol');
  });

  it('AUT-19 is not reset by a post without the password, however fresh the sign-in', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    await postRaw(visitor, reset, {});
    await postRaw(visitor, reset, { code: codeOf(app, person, 1) });
    expect(await factorOf(person)).not.toBeNull();
  });
});

describe('recovery codes', () => {
  const renew = '/settings/recovery-codes';

  it('AUT-19, AUT-25 are made anew within five minutes of signing in; later password and code are asked', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    const left = () => app.runtime.store.of(company.id).credentials.countRecoveryCodes(person.user.id);
    const asked = await visitor.submit(await security(visitor), {}, renew);
    expect(wordsOf(asked)).toContain('The codes that you have now stop working at once');
    expect(asked.body).not.toContain('name="password"');
    expect(await eventsOf(app, person, 'user.recoveryCodes.new')).toEqual([]);
    expect(wordsOf(await visitor.submit(asked, {}, renew))).toMatch(/(?:[a-z2-9]{6}-){3}[a-z2-9]{6}/);
    expect(await left()).toBe(10);
    const before = await app.runtime.db('recovery_codes').where({ user_id: person.user.id }).orderBy('code_hash');
    app.clock.advance(minutes(6));
    const confirm = await visitor.submit(await security(visitor), {}, renew);
    expect(confirm.body).toContain('name="password"');
    const refused = await visitor.submitOnce(confirm, { password: wrongPassword, code: codeOf(app, person) }, renew);
    expect(refused.status).toBe(422);
    expect(await app.runtime.db('recovery_codes').where({ user_id: person.user.id }).orderBy('code_hash')).toEqual(
      before,
    );
    const fields = { password: person.password, code: await freshCode(app, person) };
    expect(wordsOf(await visitor.submit(confirm, fields, renew))).toMatch(/(?:[a-z2-9]{6}-){3}[a-z2-9]{6}/);
    expect(await eventsOf(app, person, 'user.recoveryCodes.new')).toHaveLength(2);
  });
});
