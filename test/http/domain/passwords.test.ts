// C38, B.3, T20, AUT-01, AUT-02: rules for passwords hold at every door where one is set.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { proveOneself } from '../../../src/domain/users/own-commands.ts';
import {
  changeOwnPassword,
  sendPasswordReset,
  setPasswordByLink,
} from '../../../src/domain/users/password-commands.ts';
import { setPasswordDuringSignIn } from '../../../src/domain/users/sign-in-commands.ts';
import { tokenHash } from '../../../src/lib/secrets.ts';
import { days } from '../../../src/lib/time.ts';
import type { Work } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  isSignedIn,
  linkIn,
  namesOf,
  signedInVisitor,
  stepOf,
  tryPassword,
} from '../../support/attempts.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
});
afterAll(() => app.stop());

const numbered = (i: number) => `Amber-Lantern-${i}0`;

async function change(person: TestPerson, password: string): Promise<string> {
  // Passwords of one millisecond would be one line of the history.
  app.clock.advance(1000);
  const work = app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });
  const own = { companyId: person.company.id, userId: person.user.id, keepSession: 'none', keepBrowser: null };
  const result = await changeOwnPassword(work, { ...own, password });
  return result.outcome === 'done' ? 'done' : result.problems.join(' ');
}

async function tokenFor(person: TestPerson): Promise<string> {
  await sendPasswordReset(app.operator(), person.company, person.user);
  return (await linkIn(app, person.user.email, 'passwordReset')).split('/').at(-1) ?? '';
}

describe('two who set a password at the same moment (AUT-13)', () => {
  /** As `act`'s new password is hashed, the person resets theirs by the mailed link. */
  function resetMeanwhile(person: TestPerson, work: Work, reset: string): Work {
    const hash = async (password: string) => {
      expect((await setPasswordByLink(app.operator(), 'passwordReset', await tokenFor(person), reset)).outcome).toBe(
        'done',
      );
      return work.hasher.hash(password);
    };
    return { ...work, hasher: { ...work.hasher, hash } };
  }

  const isPasswordOf = async (person: TestPerson, password: string) =>
    app.runtime.hasher.verify(
      (await app.runtime.store.of(company.id).credentials.findPassword(person.user.id))?.hash ?? null,
      password,
    );

  it('AUT-13 a change that was under way does not overwrite a completed reset', async () => {
    const person = await makePerson(app, company);
    const work = app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });
    const own = { companyId: company.id, userId: person.user.id, keepSession: 'none', keepBrowser: null };
    const change = { ...own, password: numbered(1) };
    expect((await changeOwnPassword(resetMeanwhile(person, work, numbered(2)), change)).outcome).toBe('refused');
    expect(await isPasswordOf(person, numbered(2))).toBe(true);
  });

  it('AUT-13 neither does a password that had to be chosen at signing in', async () => {
    const person = await makePerson(app, company);
    await app.runtime.store.of(company.id).users.update(person.user.id, { mustSetPassword: true });
    const { hash = '' } = (await app.runtime.store.of(company.id).credentials.findPassword(person.user.id)) ?? {};
    const ids = { ...namesOf(person), browserToken: 'x', userId: person.user.id };
    const half = { ...ids, proved: tokenHash(hash), enrolled: '', upstream: null, arrival: null };
    const work = resetMeanwhile(person, app.operator(), numbered(2));
    expect((await setPasswordDuringSignIn(work, half, numbered(1))).outcome).toBe('start-again');
    expect(await isPasswordOf(person, numbered(2))).toBe(true);
  });

  it('AUT-13 a password that is reset while it is compared proves nothing', async () => {
    const person = await makePerson(app, company);
    const work = app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });
    const verify = async (hash: string | null, password: string) => {
      const matches = await work.hasher.verify(hash, password);
      expect(
        (await setPasswordByLink(app.operator(), 'passwordReset', await tokenFor(person), numbered(2))).outcome,
      ).toBe('done');
      return matches;
    };
    const proof = await proveOneself(
      { ...work, hasher: { ...work.hasher, verify } },
      { companyId: company.id, userId: person.user.id },
      { password: person.password, code: null, browserToken: 'x' },
    );
    expect(proof.outcome).toBe('refused');
  });
});

describe('history (C38)', () => {
  it.each([
    [0, 0],
    [1, 1],
    [4, 4],
  ])(
    'C38 a company that remembers %i refuses the last %i, and takes the one before',
    async (history, refused) => {
      const own = await makeCompany(app, `Remembers ${history}`, { password: { history } });
      const person = await makePerson(app, own, { password: numbered(0) });
      for (let i = 1; i <= Math.max(1, history); i += 1) expect(await change(person, numbered(i))).toBe('done');
      const last = Math.max(1, history);
      for (let i = 0; i < refused; i += 1) expect(await change(person, numbered(last - i)), String(i)).not.toBe('done');
      const kept = await app.runtime.db('credential_history').where({ user_id: person.user.id });
      expect(kept).toHaveLength(Math.max(0, history - 1));
      expect(await change(person, numbered(last - refused))).toBe('done');
    },
    60_000,
  );

  it('C38 holds for links as well, and a refusal says how many are remembered', async () => {
    const person = await makePerson(app, company, { password: numbered(0) });
    expect(await change(person, numbered(1))).toBe('done');
    const result = await setPasswordByLink(app.operator(), 'passwordReset', await tokenFor(person), numbered(0));
    expect(result).toMatchObject({
      outcome: 'refused',
      problems: ['You have used this password before. Choose one that is not among your last 5.'],
    });
  });
});

describe('rules at the link (AUT-01, AUT-02, B.3)', () => {
  it('AUT-01 take the whole of a long password, in any Unicode form, and nothing beyond 1,024 bytes', async () => {
    const person = await makePerson(app, company);
    const token = await tokenFor(person);
    const set = (password: string) => setPasswordByLink(app.operator(), 'passwordReset', token, password);
    expect((await set(`Aa1-${'x'.repeat(1021)}`)).outcome).toBe('refused');
    const start = `Cafe\u0301-1${'x'.repeat(66)}`;
    expect((await set(`${start}a`)).outcome).toBe('done');
    const status = async (password: string) =>
      (await tryPassword(await atPassword(app, namesOf(person)), password)).status;
    expect([
      await status(`${start}b`),
      await status(start),
      await status(`${start}a`.normalize('NFC')),
      await status(`${start}a`.normalize('NFD')),
    ]).toEqual([422, 422, 303, 303]);
  });

  it('AUT-02 refuse common ones and words of person, company and product, and name the word', async () => {
    const person = await makePerson(app, company, { username: 'marguerite' });
    const token = await tokenFor(person);
    for (const [password, why] of [
      ['Password1!', 'most used passwords'],
      ['Northwind-2026!', '"northwind"'],
      ['MargueritE-77', '"marguerite"'],
      ['KaseyaOne-2026', '"kaseyaone"'],
    ] as const) {
      const result = await setPasswordByLink(app.operator(), 'passwordReset', token, password);
      expect(result.outcome === 'refused' ? result.problems.join(' ').toLowerCase() : result.outcome).toContain(why);
    }
  });
});

describe('a reset (T20)', () => {
  it('T20, A7.6 ends live sessions when it is completed, not when it is asked for', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    const token = await tokenFor(person);
    expect(await isSignedIn(visitor)).toBe(true);
    expect((await tryPassword(await atPassword(app, namesOf(person)), person.password)).status).toBe(303);
    await setPasswordByLink(app.operator(), 'passwordReset', token, numbered(1));
    expect(await isSignedIn(visitor)).toBe(false);
  });
});

// Last, since sessions do not outlive the days that pass here.
describe('expiry (C38)', () => {
  it('C38, D.5 a password past its last day lets nobody in before a new one is set, which is not the old one', async () => {
    const aging = await makeCompany(app, 'Aging Ltd', { password: { maxAgeDays: 30, history: 0 } });
    const person = await makePerson(app, aging);
    expect(stepOf((await atCode(app, person)).page)).toBe('code');
    app.clock.advance(days(30) + 1000);
    const { visitor, page } = await atCode(app, person);
    expect([stepOf(page), wordsOf(page).includes('yours has run out')]).toEqual(['set-password', true]);
    const again = await visitor.submit(page, { password: person.password }, '/set-password');
    expect(wordsOf(again)).toContain('This is your present password.');
    const next = await visitor.submit(page, { password: numbered(1) }, '/set-password');
    expect(stepOf(next)).toBe('code');
    const place = await atCode(app, { ...person, password: numbered(1) });
    expect(stepOf(place.page)).toBe('code');
  });

  it('AUT-02, C38 passwords of other companies do not age', async () => {
    const person = await makePerson(app, company);
    app.clock.advance(days(400));
    expect(stepOf((await atCode(app, person)).page)).toBe('code');
  });
});
