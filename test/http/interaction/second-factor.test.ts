// AUT-21 to AUT-25, F8: the code from the app, and the recovery codes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { tokenHash } from '../../../src/lib/secrets.ts';
import { minutes, seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  eventsOf,
  giveCode,
  isHome,
  knownBrowsers,
  mailsTo,
  namesOf,
  type Place,
  postRaw,
  refusedCodeWords,
  reload,
  signedInVisitor,
  tryCode,
  tryPassword,
  tryWrong,
} from '../../support/attempts.ts';
import { codeOf, freshCode, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { type Page, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let second: TestApp;
let company: Company;

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000' } });
  second = await app.node();
  company = await makeCompany(app, 'Northwind IT', { lock: { threshold: 100, minutes: 10 } });
  await makeCompany(app, 'Another Company');
});
afterAll(() => app.stop());

const isIn = (page: Page) => page.status === 303 && page.headers.location?.startsWith('/auth/') === true;
const count = (pages: Page[], test: (page: Page) => boolean) => pages.filter(test).length;

/** Places for the code in `n` browsers. */
const places = (person: TestPerson, n: number) => Promise.all(Array.from({ length: n }, () => atCode(app, person)));

/** The same browser and page, at the other node. */
const elsewhere = ({ visitor, page }: Place): Place => ({ visitor: visitor.at(second.port), page });

async function atRecovery(person: TestPerson): Promise<Place> {
  const place = await atCode(app, person);
  return { ...place, page: await place.visitor.submit(place.page, { method: 'recovery' }, '/code') };
}

/** Ten recovery codes, made by the person at My Settings. */
async function newRecoveryCodes(person: TestPerson): Promise<string[]> {
  const visitor = await signedInVisitor(app, person);
  const renew = '/settings/recovery-codes';
  const asked = await visitor.submit(await visitor.open('/settings/security'), {}, renew);
  return recoveryCodesOn(await visitor.submit(asked, {}, renew));
}

const recoveryCodesOn = (page: Page): string[] => [
  ...new Set([...wordsOf(page).matchAll(/\b(?:[a-z2-9]{6}-){3}[a-z2-9]{6}\b/g)].map(([code]) => code)),
];

describe('a code from the app', () => {
  it('AUT-21, F8 works once: the same code again is refused, in series', async () => {
    const person = await makePerson(app, company);
    const [first, again] = (await places(person, 2)) as [Place, Place];
    const code = await freshCode(app, person);
    expect(isIn(await tryCode(first, code))).toBe(true);
    const refused = await tryCode(again, code);
    expect(refused.status).toBe(422);
    expect(wordsOf(refused)).toMatch(refusedCodeWords);
    expect((await reload(app, person)).failures).toBe(1);
  });

  it('AUT-21, F8 works once of ten in parallel, on two nodes', async () => {
    const person = await makePerson(app, company);
    const ten = await places(person, 10);
    const code = await freshCode(app, person);
    let sent: Promise<Page>[] = [];
    await app.runtime.db.transaction(async (trx) => {
      // All of them find the code unused, and then wait for the row that is held here.
      await trx('factors').where({ user_id: person.user.id }).forUpdate().first();
      sent = ten.map((place, i) => tryCode(i % 2 === 0 ? place : elsewhere(place), code));
      await new Promise((resolve) => setTimeout(resolve, 600));
    });
    const answers = await Promise.all(sent);
    expect(count(answers, isIn)).toBe(1);
    expect(count(answers, (page) => page.status === 422)).toBe(9);
    expect(await eventsOf(app, person, 'login.ok')).toHaveLength(1);
    expect((await reload(app, person)).failures).toBeGreaterThan(0);
  });

  it('AUT-21 is refused at the other node once this one has taken it', async () => {
    const person = await makePerson(app, company);
    const [here, there] = (await places(person, 2)) as [Place, Place];
    const code = await freshCode(app, person);
    expect(isIn(await tryCode(here, code))).toBe(true);
    expect((await tryCode(elsewhere(there), code)).status).toBe(422);
  });

  it('AUT-21 is refused when a newer one was taken before it', async () => {
    const person = await makePerson(app, company);
    const [newer, older] = (await places(person, 2)) as [Place, Place];
    await freshCode(app, person);
    expect(isIn(await tryCode(newer, codeOf(app, person, 1)))).toBe(true);
    expect((await tryCode(older, codeOf(app, person, 0))).status).toBe(422);
    expect((await tryCode(older, codeOf(app, person, -1))).status).toBe(422);
  });

  it.each([
    [-2, false],
    [-1, true],
    [1, true],
    [2, false],
  ])('AUT-22 that is %i steps off by the server’s clock: %s', async (steps, isGood) => {
    const person = await makePerson(app, company);
    const place = await atCode(app, person);
    // A second into a step, so that none begins between making the code and sending it.
    const into = app.clock.now().getTime() % seconds(30);
    app.clock.advance(seconds(31) - into);
    expect(isIn(await tryCode(place, codeOf(app, person, steps)))).toBe(isGood);
  });

  it.each([
    ['nothing', ''],
    ['a space', ' '],
    ['five digits', '12345'],
    ['seven digits', '1234567'],
    ['letters', 'abcdef'],
    ['full-width digits', '１２３４５６'],
    ['Arabic digits', '٠١٢٣٤٥'],
    ['a sign', '-12345'],
    ['a number that is no code', '1e5'],
    ['SQL', "' or 1=1"],
    ['a line separator', '12345\u2028'],
    ['fifty thousand digits', '9'.repeat(50_000)],
  ])('AUT-23, F8 malformed (%s): the same answer as any wrong code, counted, never an error', async (_what, typed) => {
    const person = await makePerson(app, company);
    const page = await tryCode(await atCode(app, person), typed);
    expect(page.status).toBe(422);
    expect(wordsOf(page)).toMatch(refusedCodeWords);
    expect((await reload(app, person)).failures).toBe(1);
  });

  it('AUT-23 without a field at all is a wrong code, too', async () => {
    const person = await makePerson(app, company);
    const { visitor, page } = await atCode(app, person);
    const answer = await postRaw(visitor, `${new URL(page.url).pathname}/code`, {});
    expect(answer.status).toBe(422);
    expect((await reload(app, person)).failures).toBe(1);
  });

  it('AUT-23 is read with the space that apps show', async () => {
    const person = await makePerson(app, company);
    const place = await atCode(app, person);
    const code = await freshCode(app, person);
    expect(isIn(await tryCode(place, ` ${code.slice(0, 3)} ${code.slice(3)} `))).toBe(true);
  });

  it('AUT-24 after ten wrong ones the password is asked again, even where the account may fail a hundred times', async () => {
    const person = await makePerson(app, company);
    const place = await atCode(app, person);
    for (let i = 0; i < 10; i += 1) expect((await tryCode(place, `00000${i}`)).status).toBe(422);
    const eleventh = await place.visitor.follow(await tryCode(place, await freshCode(app, person)));
    expect(eleventh.body).toContain('name="password"');
    expect((await reload(app, person)).failures).toBe(10);
  });

  it('AUT-06, AUT-07 a known browser that was locked while its code was checked stays out', async () => {
    const strict = await makeCompany(app);
    const person = await makePerson(app, strict);
    const visitor = await signedInVisitor(app, person);
    await visitor.submit(await visitor.open('/'), {}, '/sign-out');
    const place = await atCode(app, person, visitor);
    const wrong = Array.from({ length: 12 }, (_, i) => tryCode(place, `00000${i % 10}`));
    await Promise.all(wrong);
    const [browser] = await knownBrowsers(app, person);
    expect(browser?.locked_until?.getTime()).toBeGreaterThan(app.clock.now().getTime());
    // What a request does that read its facts before the lock began, and comes with a fresh code.
    app.clock.advance(minutes(1));
    const credential = await app.runtime.store.of(strict.id).credentials.findPassword(person.user.id);
    const result = await app.runtime.store.signIns.complete({
      userId: person.user.id,
      passwordHash: credential?.hash ?? '',
      proof: { step: Math.floor(app.clock.now().getTime() / 30_000) },
      upstream: null,
      arrival: null,
      isKnownBrowser: true,
      browserHash: tokenHash(visitor.cookie('ul_browser')?.value ?? ''),
      interactionId: 'none',
      result: {},
      details: {},
      by: app.operator(),
    });
    expect(result).toMatchObject({ taken: true, completed: false });
  });
});

describe('a recovery code', () => {
  it('AUT-25 lets in once, in series and in parallel on two nodes, and its use is mailed and audited', async () => {
    const person = await makePerson(app, company);
    const [code = '', other = ''] = await newRecoveryCodes(person);
    const ten = await Promise.all(Array.from({ length: 10 }, () => atRecovery(person)));
    const answers = await Promise.all(ten.map((place, i) => tryCode(i % 2 === 0 ? place : elsewhere(place), code)));
    expect(count(answers, isIn)).toBe(1);
    expect(count(answers, (page) => page.status === 422)).toBe(9);
    expect((await tryCode(await atRecovery(person), code)).status).toBe(422);
    expect(isIn(await tryCode(await atRecovery(person), other))).toBe(true);
    const mails = await mailsTo(app, person.user.email, 'recoveryCodeUsed');
    expect(mails.map((mail) => mail.data.left)).toEqual([9, 8]);
    expect(await eventsOf(app, person, 'user.recoveryCode.used')).toHaveLength(2);
  });

  it('AUT-25 is read as people type it, and is no code of the app', async () => {
    const person = await makePerson(app, company);
    const [code = ''] = await newRecoveryCodes(person);
    expect((await tryCode(await atCode(app, person), code)).status).toBe(422);
    const place = await atRecovery(person);
    expect(
      isHome(await place.visitor.follow(await tryCode(place, ` ${code.toUpperCase().replaceAll('-', ' ')}`))),
    ).toBe(true);
  });

  it('AUT-05, AUT-25 is refused in words of its own, the same for one that never was, that was used, and of the app', async () => {
    const person = await makePerson(app, company);
    const [used = ''] = await newRecoveryCodes(person);
    expect(isIn(await tryCode(await atRecovery(person), used))).toBe(true);
    for (const code of ['abcdef-abcdef-abcdef-abcdef', used, await freshCode(app, person)]) {
      const refused = await tryCode(await atRecovery(person), code);
      expect(refused.status).toBe(422);
      expect(wordsOf(refused)).toContain('That code did not work. Enter a recovery code that you have not used yet.');
      expect(wordsOf(refused)).not.toContain('your app shows now');
    }
  });

  it('AUT-25 of an older set is dead once new ones were made', async () => {
    const person = await makePerson(app, company);
    const old = await newRecoveryCodes(person);
    const fresh = await newRecoveryCodes(person);
    expect(fresh).toHaveLength(10);
    expect(fresh.filter((code) => old.includes(code))).toEqual([]);
    for (const code of old.slice(0, 3)) expect((await tryCode(await atRecovery(person), code)).status).toBe(422);
    expect(isIn(await tryCode(await atRecovery(person), fresh[0] ?? ''))).toBe(true);
  });

  it('AUT-25 belongs to one person', async () => {
    const [person, other] = [await makePerson(app, company), await makePerson(app, company)];
    const [code = ''] = await newRecoveryCodes(other);
    expect((await tryCode(await atRecovery(person), code)).status).toBe(422);
    expect(isIn(await tryCode(await atRecovery(other), code))).toBe(true);
  });

  it('AUT-10, A2.4 opens nothing while the account is locked', async () => {
    const strict = await makeCompany(app);
    const person = await makePerson(app, strict);
    const [code = ''] = await newRecoveryCodes(person);
    const place = await atRecovery(person);
    await tryWrong(app, namesOf(person), 5);
    expect((await tryCode(place, code)).status).toBe(422);
    expect((await tryPassword(await atPassword(app, namesOf(person)), person.password)).status).toBe(422);
    app.clock.advance(minutes(10));
    expect(isHome(await giveCode(app, await atCode(app, person), person))).toBe(true);
  });
});
