// AUT-10, A2.3, T14, T24: a deactivated person is refused on every path to a session, however far they had come.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { deleteUser } from '../../../src/domain/users/admin-commands.ts';
import { activateUser, deactivateUser } from '../../../src/domain/users/commands.ts';
import { requestForgottenPassword, sendPasswordReset } from '../../../src/domain/users/password-commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
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
  tryCode,
  tryPassword,
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
  signIn,
  type TestModule,
  type TestPerson,
  token,
} from '../../support/people.ts';
import { type Page, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let module: TestModule;

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000' } });
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app, 'Another Company');
  module = await makeModule(app, [company], { grant_types: ['authorization_code', 'refresh_token'] });
});
afterAll(() => app.stop());

const deactivate = (person: TestPerson) => deactivateUser(app.operator(), company.id, person.user.id);
const work = () => app.operator();
const secretOn = (page: Page): string => /data-copy="([A-Z2-7]{32})"/.exec(page.body)?.[1] ?? '';

async function sessionsOf(person: TestPerson): Promise<number> {
  return (await app.runtime.store.of(company.id).sessions.listLive(person.user.id, app.clock.now())).length;
}

/** Each path: what is done before the deactivation, and what must not lead in after it. */
const paths: [name: string, walk: (person: TestPerson) => Promise<(() => Promise<Page | undefined>) | undefined>][] = [
  [
    'the right password',
    async (person) => async () => tryPassword(await atPassword(app, namesOf(person)), person.password),
  ],
  [
    'a browser that signed in before',
    async (person) => {
      const known = await signedInVisitor(app, person);
      return async () => tryPassword(await atPassword(app, namesOf(person), known), person.password);
    },
  ],
  [
    'the right code after the password',
    async (person) => {
      const place = await atCode(app, person);
      return async () => tryCode(place, await freshCode(app, person));
    },
  ],
  [
    'a recovery code',
    async (person) => {
      const visitor = await signedInVisitor(app, person);
      const made = await visitor.submit(await visitor.open('/settings/security'), {}, '/recovery-codes');
      const code = /(?:[a-z2-9]{6}-){3}[a-z2-9]{6}/.exec(wordsOf(made))?.[0] ?? '';
      const place = await atCode(app, person);
      const page = await place.visitor.submit(place.page, { method: 'recovery' }, '/code');
      return () => tryCode({ ...place, page }, code);
    },
  ],
  [
    'a sign-in that is proved but not resumed',
    async (person) => {
      const place = await atCode(app, person, app.visitor(), authorizeAddress(module));
      const done = await tryCode(place, await freshCode(app, person));
      return () => place.visitor.follow(done);
    },
  ],
  [
    'a live session',
    async (person) => {
      const visitor = await signedInVisitor(app, person);
      return () => visitor.send('/');
    },
  ],
  [
    'single sign-on into a module',
    async (person) => {
      const visitor = await signedInVisitor(app, person);
      return () => visitor.send(authorizeAddress(module));
    },
  ],
  [
    'a code that the module has not redeemed yet',
    async (person) => {
      const back = await signIn(app, app.visitor(), person, authorizeAddress(module));
      return async () => {
        expect((await redeem(app, module, answerOf(back).get('code') ?? '')).status).toBe(400);
        return undefined;
      };
    },
  ],
  [
    'a refresh token',
    async (person) => {
      const back = await signIn(app, app.visitor(), person, authorizeAddress(module));
      const { body } = await redeem(app, module, answerOf(back).get('code') ?? '');
      expect(body.refresh_token).toEqual(expect.any(String));
      return async () => {
        const refresh = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) };
        expect((await token(app, module, refresh)).status).toBe(400);
        return undefined;
      };
    },
  ],
  [
    'a link to reset the password',
    async (person) => {
      await sendPasswordReset(work(), company, person.user);
      const link = await linkIn(app, person.user.email, 'passwordReset');
      return () => postRaw(app.visitor(), link, { password: 'Amber-Lantern-77' });
    },
  ],
  [
    '"Can’t log in?"',
    async (person) => async () => {
      await requestForgottenPassword(work(), namesOf(person));
      expect(await mailsTo(app, person.user.email, 'passwordReset')).toEqual([]);
      return undefined;
    },
  ],
];

describe('a deactivated person', () => {
  it.each(paths)('AUT-10, A2.3, T14, T24 is not let in by %s', async (_name, walk) => {
    const person = await makePerson(app, company);
    const before = (await app.runtime.store.of(company.id).credentials.findPassword(person.user.id))?.hash;
    const goOn = await walk(person);
    await deactivate(person);
    const page = await goOn?.();
    if (page) {
      expect(page.headers.location ?? '').not.toMatch(/[?&]code=/);
      expect(isHome(page)).toBe(false);
      expect([303, 400, 410, 422]).toContain(page.status);
    }
    expect(await sessionsOf(person)).toBe(0);
    expect((await reload(app, person)).baseStatus).toBe('Deactivated');
    expect((await app.runtime.store.of(company.id).credentials.findPassword(person.user.id))?.hash).toBe(before);
  });

  it.each(paths)('T19 nor is a deleted one by %s', async (_name, walk) => {
    const person = await makePerson(app, company);
    const goOn = await walk(person);
    await deleteUser(app.operator(), company.id, person.user.id);
    const page = await goOn?.();
    if (page) {
      expect(page.headers.location ?? '').not.toMatch(/[?&]code=/);
      expect(isHome(page)).toBe(false);
      expect([303, 400, 410, 422]).toContain(page.status);
    }
    expect(await sessionsOf(person)).toBe(0);
    const left = await Promise.all(
      ['credentials', 'factors', 'recovery_codes', 'known_browsers', 'group_members'].map((table) =>
        app.runtime.db(table).where({ user_id: person.user.id }),
      ),
    );
    expect(left.flat()).toEqual([]);
  });

  it('AUT-10 is not let in at any point of a first enrolment', async () => {
    const [early, late] = [
      await makePerson(app, company, { totpSecret: null }),
      await makePerson(app, company, { totpSecret: null }),
    ];
    const first = await atCode(app, early);
    await deactivate(early);
    const totpSecret = secretOn(first.page);
    const page = await first.visitor.submit(first.page, { code: codeOf(app, { ...early, totpSecret }) }, '/enrol');
    expect(stepOf(page)).toBe('password');
    const second = await atCode(app, late);
    const code = codeOf(app, { ...late, totpSecret: secretOn(second.page) });
    const codes = await second.visitor.submit(second.page, { code }, '/enrol');
    await deactivate(late);
    expect(stepOf(await second.visitor.submit(codes, {}, '/recovery-codes'))).toBe('password');
    expect([await sessionsOf(early), await sessionsOf(late)]).toEqual([0, 0]);
  });

  it('AUT-10 is refused for the status alone: what a race with the deactivation left behind opens nothing', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    const { body } = await redeem(
      app,
      module,
      answerOf(await visitor.open(authorizeAddress(module))).get('code') ?? '',
    );
    await sendPasswordReset(work(), company, person.user);
    const link = await linkIn(app, person.user.email, 'passwordReset');
    // Session, grant, tokens and link stay in the database; only the person's row says so.
    await app.runtime.db('users').where({ id: person.user.id }).update({ base_status: 'Deactivated' });
    expect(await isSignedIn(visitor)).toBe(false);
    expect(isHome(await visitor.open('/login'))).toBe(false);
    expect((await visitor.send(authorizeAddress(module))).headers.location ?? '').not.toContain('code=');
    const refresh = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) };
    expect((await token(app, module, refresh)).status).toBe(400);
    const bearer = { authorization: `Bearer ${body.access_token}` };
    expect((await app.visitor().send('/userinfo', { headers: bearer })).status).toBe(401);
    expect((await app.visitor().send(link)).status).toBe(410);
    expect((await postRaw(app.visitor(), link, { password: 'Amber-Lantern-77' })).status).toBe(410);
  });

  it('AUT-10 cannot change anything in a session that was open', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    const page = await visitor.open('/settings/security');
    await deactivate(person);
    const fields = { currentPassword: person.password, password: 'Amber-Lantern-77' };
    expect((await visitor.submitOnce(page, fields, '/settings/password')).status).toBe(403);
    expect(await isSignedIn(visitor)).toBe(false);
  });

  it('A2.3, A7.2, AUT-10 keeps groups and settings, and comes back to them; the old session does not', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    await app.runtime.store.of(company.id).users.update(person.user.id, { timeZone: 'Europe/Berlin', theme: 'dark' });
    const members = () => app.runtime.db('group_members').where({ user_id: person.user.id }).orderBy('group_id');
    const groups = await members();
    await deactivate(person);
    expect(await members()).toEqual(groups);
    await activateUser(work(), company.id, person.user.id);
    expect(await members()).toEqual(groups);
    expect(await reload(app, person)).toMatchObject({ timeZone: 'Europe/Berlin', theme: 'dark', baseStatus: 'Active' });
    expect(await isSignedIn(visitor)).toBe(false);
    const place = await atCode(app, person);
    expect(place.page.status).toBe(422);
    expect(await giveCode(app, place, person).catch(() => 'no such form')).toBe('no such form');
  });
});
