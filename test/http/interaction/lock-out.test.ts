// A2.4, B.3, C6-C9: when an account is locked, for how long, and what ends the lock.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { unlockUser } from '../../../src/domain/users/commands.ts';
import { requestForgottenPassword, setPasswordByLink } from '../../../src/domain/users/password-commands.ts';
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
  refusedCodeWords,
  refusedWords,
  reload,
  signedInVisitor,
  tryCode,
  tryPassword,
  tryWrong,
  wrongPassword,
} from '../../support/attempts.ts';
import { freshCode, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let patient: Company;

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000' } });
  // Sessions outlast the time that these tests let pass.
  company = await makeCompany(app, 'Northwind IT', { session: { idleMinutes: 1440, absoluteMinutes: 1440 } });
  patient = await makeCompany(app, 'Patient Ltd', { lock: { threshold: 100, minutes: 1 } });
});
afterAll(() => app.stop());

async function isLockedOut(person: TestPerson): Promise<boolean> {
  const right = await tryPassword(await atPassword(app, namesOf(person)), person.password);
  expect([303, 422]).toContain(right.status);
  return right.status === 422;
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('the count', () => {
  it('AUT-06 a company name that is cut for the record in the middle of a character counts like any other', async () => {
    const person = await makePerson(app, company);
    // Means the same company: spaces count once, and the letter is a mathematical I, of two UTF-16 units.
    const start = 'Northwind';
    const names = { username: person.user.username, company: `${start}${' '.repeat(99 - start.length)}\u{1d408}T` };
    for (const page of await tryWrong(app, names, 5))
      expect([page.status, wordsOf(page)]).toEqual([422, expect.stringMatching(refusedWords)]);
    expect(await reload(app, person)).toMatchObject({ failures: 5, lockedUntil: expect.any(Date) });
    expect(await isLockedOut(person)).toBe(true);
  });

  it('AUT-06, C7 fifty parallel wrong passwords count fifty, and the hundredth locks', async () => {
    const person = await makePerson(app, patient);
    const place = await atPassword(app, namesOf(person));
    const burst = () => Promise.all(numbers(50).map((i) => tryPassword(place, `${wrongPassword}-${i}`)));
    for (const page of await burst()) expect(page.status).toBe(422);
    expect(await reload(app, person)).toMatchObject({ failures: 50, lockedUntil: null });
    await burst();
    const locked = await reload(app, person);
    expect(locked.failures).toBe(100);
    expect(statusOf(locked, app.clock.now())).toBe('LockedOut');
    expect(await eventsOf(app, person, 'user.lock')).toHaveLength(1);
    expect(await eventsOf(app, person, 'login.fail')).toHaveLength(100);
  });

  it('AUT-06, C7 fifty parallel wrong codes count fifty, on the same counter', async () => {
    const person = await makePerson(app, patient);
    await tryWrong(app, namesOf(person), 3);
    const place = await atCode(app, person);
    const answers = await Promise.all(numbers(50).map((i) => tryCode(place, String(i).padStart(6, '0'))));
    for (const page of answers) expect(page.status).toBe(422);
    expect((await reload(app, person)).failures).toBe(53);
  });

  it('AUT-06 wrong recovery codes count, too', async () => {
    const person = await makePerson(app, patient);
    const place = await atCode(app, person);
    place.page = await place.visitor.submit(place.page, { method: 'recovery' }, '/code');
    expect((await tryCode(place, 'abcdef-abcdef-abcdef-abcdef')).status).toBe(422);
    expect((await reload(app, person)).failures).toBe(1);
    expect((await eventsOf(app, person, 'login.fail'))[0]?.details).toMatchObject({ reason: 'wrong-code' });
  });

  it('AUT-06, T10 a burst beyond the threshold locks once and mails once', async () => {
    const person = await makePerson(app, company);
    const place = await atPassword(app, namesOf(person));
    await Promise.all(numbers(12).map((i) => tryPassword(place, `${wrongPassword}-${i}`)));
    expect(await isLockedOut(person)).toBe(true);
    expect(await eventsOf(app, person, 'user.lock')).toHaveLength(1);
    expect(wordsOf(await tryPassword(place, wrongPassword))).toContain('you then get a mail that says until when.');
    const mails = await mailsTo(app, person.user.email, 'locked');
    expect(mails).toHaveLength(1);
    expect(mails[0]?.text).not.toContain('http');
  });

  it('AUT-06 a burst cannot outrun the lock: the right password at its end is refused', async () => {
    const person = await makePerson(app, company);
    const place = await atPassword(app, namesOf(person));
    const guesses = [...numbers(30).map((i) => `${wrongPassword}-${i}`), person.password];
    const answers = await Promise.all(guesses.map((guess) => tryPassword(place, guess)));
    expect(answers.map((page) => page.status)).toEqual(answers.map(() => 422));
  });

  it('C7 a failure of a whole login counts, and a right password alone does not reset it', async () => {
    const person = await makePerson(app, company);
    await tryWrong(app, namesOf(person), 4);
    const place = await atCode(app, person);
    expect((await reload(app, person)).failures).toBe(4);
    const wrong = await tryCode(place, '000000');
    expect(wordsOf(wrong)).toMatch(refusedCodeWords);
    expect(await isLockedOut(person)).toBe(true);
  });

  it('C7 people who do not exist are counted nowhere but at the address', async () => {
    const before = await app.runtime.db('users').sum('failures as n').first();
    await tryWrong(app, { username: 'nobody-here', company: company.name }, 6);
    await tryWrong(app, { username: 'nobody-here', company: 'No Such Company' }, 6);
    expect(await app.runtime.db('users').sum('failures as n').first()).toEqual(before);
  });
});

describe('the lock', () => {
  it('A2.4, B.3, C6 begins at the fifth failure, not before', async () => {
    const person = await makePerson(app, company);
    await tryWrong(app, namesOf(person), 4);
    expect(await isLockedOut(person)).toBe(false);
    await tryWrong(app, namesOf(person), 1);
    expect(await isLockedOut(person)).toBe(true);
    expect(statusOf(await reload(app, person), app.clock.now())).toBe('LockedOut');
  });

  it('A2.4, C6, T11 ends by itself after ten minutes, and the count begins anew', async () => {
    const person = await makePerson(app, company);
    await tryWrong(app, namesOf(person), 5);
    app.clock.advance(minutes(10) - seconds(5));
    expect(await isLockedOut(person)).toBe(true);
    app.clock.advance(seconds(6));
    expect(statusOf(await reload(app, person), app.clock.now())).toBe('Active');
    expect(await isLockedOut(person)).toBe(false);
    await tryWrong(app, namesOf(person), 4);
    expect((await reload(app, person)).failures).toBe(4);
    expect(await isLockedOut(person)).toBe(false);
    await tryWrong(app, namesOf(person), 1);
    expect(await isLockedOut(person)).toBe(true);
    expect(await mailsTo(app, person.user.email, 'locked')).toHaveLength(2);
  });

  it('B.3, C6 threshold and length are the company’s', async () => {
    const strict = await makeCompany(app, 'Strict Ltd', { lock: { threshold: 6, minutes: 30 } });
    const person = await makePerson(app, strict);
    await tryWrong(app, namesOf(person), 5);
    expect(await isLockedOut(person)).toBe(false);
    await tryWrong(app, namesOf(person), 1);
    app.clock.advance(minutes(29));
    expect(await isLockedOut(person)).toBe(true);
    app.clock.advance(minutes(1));
    expect(await isLockedOut(person)).toBe(false);
  });

  it('A2.4 tries during a lock make it neither longer nor count', async () => {
    const person = await makePerson(app, company);
    await tryWrong(app, namesOf(person), 5);
    const before = await reload(app, person);
    app.clock.advance(minutes(5));
    await tryWrong(app, namesOf(person), 8);
    expect(await reload(app, person)).toMatchObject({ failures: 5, lockedUntil: before.lockedUntil });
  });

  it('C9 holds a login that is half done: the right code is refused like a wrong one', async () => {
    const person = await makePerson(app, company);
    const place = await atCode(app, person);
    await tryWrong(app, namesOf(person), 5);
    const page = await tryCode(place, await freshCode(app, person));
    expect(page.status).toBe(422);
    expect(wordsOf(page)).toMatch(refusedCodeWords);
    expect((await eventsOf(app, person, 'login.fail'))[0]?.details).toMatchObject({ reason: 'locked' });
  });

  it('C9 never ends a live session, nor what it may do', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    await tryWrong(app, namesOf(person), 5);
    expect(await isLockedOut(person)).toBe(true);
    expect(await isSignedIn(visitor)).toBe(true);
    expect(isHome(await visitor.open('/login'))).toBe(true);
  });
});

describe('what clears it', () => {
  it('C7, AUT-09 success of the whole login sets the count to nothing', async () => {
    const person = await makePerson(app, company);
    await tryWrong(app, namesOf(person), 4);
    expect(isHome(await giveCode(app, await atCode(app, person), person))).toBe(true);
    expect(await reload(app, person)).toMatchObject({ failures: 0, lockedUntil: null });
    await tryWrong(app, namesOf(person), 4);
    expect(await isLockedOut(person)).toBe(false);
  });

  it('T12, A7.5, AUT-09 an unlock lets the person in at once, and is audited', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const person = await makePerson(app, company);
    await tryWrong(app, namesOf(person), 5);
    const work = app.runtime.work({ kind: 'user', id: admin.user.id, name: admin.user.username });
    await unlockUser(work, company.id, person.user.id);
    expect(isHome(await giveCode(app, await atCode(app, person), person))).toBe(true);
    const [event] = await eventsOf(app, person, 'user.unlock');
    expect(event).toMatchObject({ actor: { kind: 'user', id: admin.user.id }, details: { failures: 5 } });
  });

  it('T12 an unlock frees the person’s own browsers, too', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    await visitor.submit(await visitor.open('/'), {}, '/sign-out');
    await tryWrong(app, namesOf(person), 5, visitor);
    expect((await tryPassword(await atPassword(app, namesOf(person), visitor), person.password)).status).toBe(422);
    await unlockUser(app.operator(), company.id, person.user.id);
    expect(isHome(await giveCode(app, await atCode(app, person, visitor), person))).toBe(true);
  });

  it('T13, A7.6 asking for a reset clears nothing; completing it does', async () => {
    const person = await makePerson(app, company);
    await tryWrong(app, namesOf(person), 5);
    const work = app.runtime.work({ kind: 'system', name: 'jobs' });
    await requestForgottenPassword(work, namesOf(person));
    expect(await isLockedOut(person)).toBe(true);
    const token = (await linkIn(app, person.user.email, 'passwordReset')).split('/').at(-1) ?? '';
    const changed = { ...person, password: 'Amber-Lantern-77' };
    const result = await setPasswordByLink(app.operator(), 'passwordReset', token, changed.password);
    expect(result.outcome).toBe('done');
    expect(await reload(app, person)).toMatchObject({ failures: 0, lockedUntil: null });
    expect(isHome(await giveCode(app, await atCode(app, changed), changed))).toBe(true);
  });

  it('T12 an unlock is refused where there is nothing to unlock, and to people without the right', async () => {
    const person = await makePerson(app, company);
    const other = await makePerson(app, patient, { role: 'Admin' });
    for (const actor of [person, other]) {
      const work = app.runtime.work({ kind: 'user', id: actor.user.id, name: actor.user.username });
      await expect(unlockUser(work, company.id, person.user.id)).rejects.toMatchObject({ code: 'forbidden' });
    }
    expect(await knownBrowsers(app, person)).toEqual([]);
  });
});

describe('what a person sees of it', () => {
  it('A2.4, AUT-05 the same words as for a wrong password, and a code for the administrator', async () => {
    const person = await makePerson(app, company);
    const pages = await tryWrong(app, namesOf(person), 7);
    for (const page of pages) expect(wordsOf(page)).toMatch(refusedWords);
    const shown = /Code ([A-Z0-9]{4}-[A-Z0-9]{4})/.exec(pages.map(wordsOf).at(-1) ?? '')?.[1] ?? '';
    const [event] = await app.runtime.store.audit.listRecent(1, { code: shown });
    expect(event).toMatchObject({ action: 'login.fail', target_id: person.user.id, details: { reason: 'locked' } });
  });
});
