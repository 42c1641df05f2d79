// A2.1, A2.2, A2.5, C1, C2, T5, T6, T16, AUT-20: from the invitation to Active, and back again after a deactivation.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { activateUser, deactivateUser, inviteUser } from '../../../src/domain/users/commands.ts';
import { renewOwnRecoveryCodes, resetOwnSecondFactor } from '../../../src/domain/users/own-commands.ts';
import { requestForgottenPassword } from '../../../src/domain/users/password-commands.ts';
import { statusOf } from '../../../src/domain/users/user.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  eventsOf,
  giveCode,
  isHome,
  isSignedIn,
  linkIn,
  mailsTo,
  namesOf,
  type Place,
  postRaw,
  reload,
  stepOf,
  tryCode,
  tryPassword,
  tryWrong,
} from '../../support/attempts.ts';
import {
  answerOf,
  authorizeAddress,
  codeOf,
  freshCode,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import { type Page, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let module: TestModule;
const newPassword = 'Amber-Lantern-77';

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000' } });
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app, 'Another Company');
  module = await makeModule(app, [company]);
});
afterAll(() => app.stop());

let guests = 0;

async function invite(): Promise<TestPerson> {
  const username = `guest${++guests}`;
  const fields = { firstName: 'Gus', lastName: 'Guest', email: `${username}@example.com`, username };
  const { user } = await inviteUser(app.operator(), company.id, { ...fields, role: 'User' });
  return { user, company, password: newPassword, totpSecret: null };
}

/** Sets the password by the newest link of a kind. */
async function setPassword(person: TestPerson, kind: 'invitation' | 'setup' | 'passwordReset'): Promise<Page> {
  const visitor = app.visitor();
  const page = await visitor.open(await linkIn(app, person.user.email, kind));
  return visitor.submit(page, { password: person.password });
}

const atEnrolment = (person: TestPerson) => atCode(app, person, app.visitor(), authorizeAddress(module));
const secretOn = (page: Page): string => /data-copy="([A-Z2-7]{32})"/.exec(page.body)?.[1] ?? '';

/** The person as the app on their phone knows them after scanning the page. */
const scanned = (person: TestPerson, page: Page): TestPerson => ({ ...person, totpSecret: secretOn(page) });

const giveFirstCode = ({ visitor, page }: Place, person: TestPerson, steps = 0) =>
  visitor.submit(page, { code: codeOf(app, scanned(person, page), steps) }, '/enrol');

const factorOf = (person: TestPerson) => app.runtime.store.of(company.id).credentials.findTotp(person.user.id);
const shownStatus = async (person: TestPerson) => statusOf(await reload(app, person), app.clock.now());

describe('an invited person', () => {
  it('A2.1, A2.2, C1, T5, T6, D.10 no. 4 goes the whole way: link, password, enrolment, recovery codes, Active, in', async () => {
    const person = await invite();
    expect((await mailsTo(app, person.user.email, 'invitation'))[0]?.subject).toContain('Welcome');
    expect((await reload(app, person)).emailVerifiedAt).toBeNull();
    const set = await setPassword(person, 'invitation');
    expect(wordsOf(set)).toContain('Your password is set');
    // Still Invited, with the address proved; no factor, no session, no module.
    expect(await reload(app, person)).toMatchObject({ baseStatus: 'Invited', emailVerifiedAt: expect.any(Date) });
    expect(await factorOf(person)).toBeNull();

    const place = await atEnrolment(person);
    expect(stepOf(place.page)).toBe('enrol');
    expect(place.page.body).toMatch(/<img src="data:image\/png;base64,/);
    const silent = await place.visitor.open(authorizeAddress(module, { prompt: 'none' }));
    expect(answerOf(silent).get('error')).toBe('login_required');
    expect(await shownStatus(person)).toBe('Invited');

    const codes = await giveFirstCode(place, person);
    expect(stepOf(codes)).toBe('recovery-codes');
    expect(new Set(wordsOf(codes).match(/\b(?:[a-z2-9]{6}-){3}[a-z2-9]{6}\b/g)).size).toBe(10);
    expect(codes.body).toContain('download=');
    expect(await shownStatus(person)).toBe('Active');
    expect(await eventsOf(app, person, 'user.activate')).toMatchObject([{ details: { by: 'sign-up' } }]);
    // Now their accounts in modules can be made: the hint stands in the queue, as no job runs here.
    const { rows: hints } = await app.runtime.db.raw(
      `select data from pgboss.job where name = 'reconcile' and data -> 'userIds' ->> 0 = ?`,
      [person.user.id],
    );
    expect(hints).toMatchObject([{ data: { cause: 'signed up', instanceIds: null } }]);
    expect(await mailsTo(app, person.user.email, 'secondFactorEnrolled')).toHaveLength(1);

    const answer = answerOf(await place.visitor.submit(codes, {}, '/recovery-codes'));
    const { status, body } = await redeem(app, module, answer.get('code') ?? '');
    expect([status, body.token_type]).toEqual([200, 'Bearer']);
    expect(await isSignedIn(place.visitor)).toBe(true);
    // The next login asks for the code, and the code of the enrolment is used up.
    const next = await atCode(app, person);
    expect((await tryCode(next, codeOf(app, scanned(person, place.page)))).status).toBe(422);
    expect(isHome(await giveCode(app, next, scanned(person, place.page)))).toBe(true);
  });

  it('A2.5, C1 stays Invited and Not Enrolled after wrong first codes, which count', async () => {
    const person = await invite();
    await setPassword(person, 'invitation');
    const place = await atEnrolment(person);
    for (const code of ['000000', 'abc', '']) {
      const page = await place.visitor.submitOnce(place.page, { code }, '/enrol');
      expect([page.status, stepOf(page), secretOn(page)]).toEqual([422, 'enrol', secretOn(place.page)]);
    }
    expect(await reload(app, person)).toMatchObject({ baseStatus: 'Invited', failures: 3 });
    expect(await factorOf(person)).toBeNull();
  });

  it.each(['recovery-codes', 'code', 'set-password', 'password', 'restart'])(
    'AUT-24, C1 cannot skip enrolment by a post to %s',
    async (path) => {
      const person = await invite();
      await setPassword(person, 'invitation');
      const { visitor, page } = await atEnrolment(person);
      const uid = /\/interaction\/([\w-]+)/.exec(page.url)?.[1] ?? '';
      await postRaw(visitor, `/interaction/${uid}/${path}`, { code: '000000', password: 'Other-Lantern-78' });
      const resumed = await visitor.open(`/auth/${uid}`);
      expect(resumed.headers.location ?? '').not.toContain('code=');
      expect(await isSignedIn(visitor)).toBe(false);
      expect(await reload(app, person)).toMatchObject({ baseStatus: 'Invited', mustEnrol2fa: true });
      // Whatever they did, the next login leads to enrolment again.
      expect(stepOf((await atEnrolment(person)).page)).toBe('enrol');
    },
  );

  it('AUT-20 has a secret of 160 bits that is new at each try, sealed at rest, and shown no more once confirmed', async () => {
    const person = await invite();
    await setPassword(person, 'invitation');
    const [first, second] = [await atEnrolment(person), await atEnrolment(person)];
    const [one, two] = [secretOn(first.page), secretOn(second.page)];
    expect(one).toMatch(/^[A-Z2-7]{32}$/);
    expect(two).not.toBe(one);
    await giveFirstCode(second, person);
    const sealed = (await factorOf(person))?.sealedSecret ?? '';
    expect(sealed).not.toContain(two);
    expect(sealed.length).toBeGreaterThan(40);
    const settings = second.visitor;
    await settings.submit(await settings.open(new URL(second.page.url).pathname), {}, '/recovery-codes');
    expect((await settings.open('/settings/security')).body).not.toContain(two);
  });

  it.each(['Invited', 'Active'])(
    'AUT-20, AUT-24 (%s) in two browsers at once: one enrols, the other cannot put its own factor in the place',
    async (status) => {
      const person = status === 'Invited' ? await invite() : await makePerson(app, company, { totpSecret: null });
      if (status === 'Invited') await setPassword(person, 'invitation');
      const [one, two] = [await atEnrolment(person), await atEnrolment(person)];
      const pages = await Promise.all([giveFirstCode(one, person), giveFirstCode(two, person)]);
      expect(pages.map(stepOf).sort()).toEqual(['password', 'recovery-codes']);
      const winner = stepOf(pages[0]) === 'recovery-codes' ? one : two;
      expect(isHome(await giveCode(app, await atCode(app, person), scanned(person, winner.page)))).toBe(true);
      expect(await eventsOf(app, person, 'user.2fa.enrol')).toHaveLength(1);
    },
  );

  it('A2.4 that is locked by strangers cannot enrol meanwhile', async () => {
    const person = await invite();
    await setPassword(person, 'invitation');
    const place = await atEnrolment(person);
    await tryWrong(app, namesOf(person), 5);
    expect(stepOf(await giveFirstCode(place, person))).toBe('password');
    expect(await shownStatus(person)).toBe('Invited');
  });
});

describe('a reactivated person', () => {
  async function comeBack(): Promise<TestPerson> {
    const person = await makePerson(app, company);
    await renewOwnRecoveryCodes(app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username }), {
      companyId: company.id,
      userId: person.user.id,
    });
    await deactivateUser(app.operator(), company.id, person.user.id);
    await activateUser(app.operator(), company.id, person.user.id);
    return person;
  }

  it('A2.2, A7.2, C2, T16, D.10 no. 7 is Active, and old password, old code and old recovery codes fail', async () => {
    const person = await comeBack();
    expect(await shownStatus(person)).toBe('Active');
    expect(await reload(app, person)).toMatchObject({ mustSetPassword: true, mustEnrol2fa: true });
    const { credentials } = app.runtime.store.of(company.id);
    expect(await credentials.findPassword(person.user.id)).toBeNull();
    expect(await factorOf(person)).toBeNull();
    expect(await credentials.countRecoveryCodes(person.user.id)).toBe(0);
    const { visitor, page } = await atCode(app, person);
    expect([page.status, stepOf(page)]).toEqual([422, 'password']);
    expect((await tryPassword({ visitor, page }, person.password)).status).toBe(422);
    // A new password, and still the old app: enrolment stands before everything.
    const changed = { ...person, password: newPassword };
    await setPassword(changed, 'setup');
    const place = await atEnrolment(changed);
    expect(stepOf(place.page)).toBe('enrol');
    const old = await place.visitor.submitOnce(place.page, { code: await freshCode(app, person) }, '/enrol');
    expect(old.status).toBe(422);
    const codes = await giveFirstCode(place, changed);
    expect(answerOf(await place.visitor.submit(codes, {}, '/recovery-codes')).has('code')).toBe(true);
    const next = await atCode(app, changed);
    expect((await tryCode(next, await freshCode(app, person))).status).toBe(422);
  });

  it('C2 finds the way back by "Can’t log in?" when the set-up mail is lost, and enrols all the same', async () => {
    const person = await comeBack();
    await requestForgottenPassword(app.operator(), namesOf(person));
    const changed = { ...person, password: newPassword };
    await setPassword(changed, 'passwordReset');
    expect(stepOf((await atEnrolment(changed)).page)).toBe('enrol');
    expect((await app.visitor().open(await linkIn(app, person.user.email, 'setup'))).status).toBe(410);
  });
});

describe('a deactivation in the middle of it', () => {
  it('A2.3, T14 the first code that was on its way does not make the person Active again', async () => {
    const person = await makePerson(app, company, { totpSecret: null });
    const place = await atEnrolment(person);
    const code = codeOf(app, scanned(person, place.page));
    let answer: Promise<Page> | undefined;
    await app.runtime.db.transaction(async (trx) => {
      await trx('users').where({ id: person.user.id }).forUpdate().first();
      answer = place.visitor.submit(place.page, { code }, '/enrol');
      // The request has read its facts by now, and waits for the row that is held here.
      await new Promise((resolve) => setTimeout(resolve, 400));
      await trx('users').where({ id: person.user.id }).update({ base_status: 'Deactivated' });
    });
    expect(stepOf((await answer) as Page)).toBe('password');
    expect(await shownStatus(person)).toBe('Deactivated');
    expect(await factorOf(person)).toBeNull();
  });

  it('AUT-24 the page of recovery codes finishes no sign-in once another factor has taken the place of its own', async () => {
    const person = await makePerson(app, company);
    const work = () => app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });
    const reset = () =>
      resetOwnSecondFactor(work(), { companyId: company.id, userId: person.user.id, keepSession: 'none' });
    await reset();
    const first = await atEnrolment(person);
    const codes = await giveFirstCode(first, person);
    expect(stepOf(codes)).toBe('recovery-codes');
    await reset();
    const second = await atEnrolment(person);
    expect(stepOf(await giveFirstCode(second, person))).toBe('recovery-codes');
    expect(stepOf(await first.visitor.submit(codes, {}, '/recovery-codes'))).toBe('password');
    expect(await isSignedIn(first.visitor)).toBe(false);
  });
});
