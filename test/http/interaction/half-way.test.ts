// AUT-14, AUT-24, WEB-02: the right password alone opens nothing, and no step can be skipped, swapped or carried elsewhere.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { sendPasswordReset, setPasswordByLink } from '../../../src/domain/users/password-commands.ts';
import { minutes, seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  eventsOf,
  giveCode,
  isHome,
  isSignedIn,
  linkIn,
  namesOf,
  type Place,
  postRaw,
  reload,
  stepOf,
  tryCode,
} from '../../support/attempts.ts';
import {
  answerOf,
  authorizeAddress,
  codeOf,
  freshCode,
  goodPassword,
  makeCompany,
  makeModule,
  makePerson,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import type { Page, Visitor } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let module: TestModule;

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000' } });
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app, 'Another Company');
  module = await makeModule(app, [company]);
});
afterAll(() => app.stop());

const uidOf = (page: Page): string => /\/interaction\/([\w-]+)/.exec(page.url)?.[1] ?? '';
const atModuleCode = (person: TestPerson) => atCode(app, person, app.visitor(), authorizeAddress(module));
const newPassword = 'Amber-Lantern-77';

/** Posts to a step that is not the present one, and says which step the browser stands at afterwards. */
async function stepAfterPost({ visitor, page }: Place, path: string, fields: Record<string, string>): Promise<Page> {
  const answer = await postRaw(visitor, `/interaction/${uidOf(page)}/${path}`, fields);
  expect([303, 422]).toContain(answer.status);
  return visitor.open(`/interaction/${uidOf(page)}`);
}

const hashOf = async (person: TestPerson) =>
  (await app.runtime.store.of(person.company.id).credentials.findPassword(person.user.id))?.hash;

async function sessionsOf(person: TestPerson): Promise<number> {
  return (await app.runtime.store.of(person.company.id).sessions.listLive(person.user.id, app.clock.now())).length;
}

describe('the right password, and no code yet', () => {
  it('AUT-24 opens none of our own pages', async () => {
    const person = await makePerson(app, company);
    const { visitor } = await atModuleCode(person);
    for (const path of ['/', '/settings/profile', '/settings/security', '/settings/sessions', '/settings/picture']) {
      const page = await visitor.send(path);
      expect(page.status, path).toBe(303);
      expect(page.headers.location).toMatch(/^\/auth\?/);
    }
    for (const path of ['/settings/password', '/settings/recovery-codes', '/settings/second-factor/reset'])
      expect((await postRaw(visitor, path, { password: newPassword })).status, path).toBe(403);
    expect(await sessionsOf(person)).toBe(0);
  });

  it('AUT-24 gives a module no code, asked silently or aloud', async () => {
    const person = await makePerson(app, company);
    const { visitor } = await atModuleCode(person);
    const silent = await visitor.open(authorizeAddress(module, { prompt: 'none' }));
    expect(answerOf(silent).get('error')).toBe('login_required');
    expect(answerOf(silent).has('code')).toBe(false);
    expect(stepOf(await visitor.open(authorizeAddress(module)))).toBe('identify');
  });

  it('AUT-24 does not let the request resume: its address leads back to the code', async () => {
    const person = await makePerson(app, company);
    const { visitor, page } = await atModuleCode(person);
    const resumed = await visitor.open(`/auth/${uidOf(page)}`);
    expect(resumed.headers.location ?? '').not.toContain('code=');
    expect(resumed.url.startsWith(app.url)).toBe(true);
    expect(await isSignedIn(visitor)).toBe(false);
    expect(await sessionsOf(person)).toBe(0);
  });

  it.each([
    ['set-password', { password: newPassword }],
    ['enrol', { code: '000000' }],
    ['recovery-codes', {}],
    ['consent', {}],
    ['identify', { username: 'somebody', company: 'Northwind IT' }],
    ['password', { password: newPassword }],
  ])('AUT-14, AUT-24 a post to %s changes nothing and leads back to the code', async (path, fields) => {
    const person = await makePerson(app, company);
    const before = await hashOf(person);
    const place = await atModuleCode(person);
    const page = await stepAfterPost(place, path, fields as Record<string, string>);
    expect(stepOf(page)).toBe('code');
    expect(await hashOf(person)).toBe(before);
    expect((await reload(app, person)).failures).toBe(0);
    expect(await eventsOf(app, person, 'login.ok')).toEqual([]);
  });

  it('AUT-24 lasts five minutes: then the code is not read and the password is asked again', async () => {
    const person = await makePerson(app, company);
    const place = await atModuleCode(person);
    app.clock.advance(minutes(5) + seconds(1));
    const page = await place.visitor.follow(await tryCode(place, await freshCode(app, person)));
    expect(stepOf(page)).toBe('password');
    expect((await reload(app, person)).failures).toBe(0);
    expect(await eventsOf(app, person, 'login.ok')).toEqual([]);
  });

  it('AUT-24, A7.7 does not outlive a duty that came up meanwhile: the right code leads back to the password', async () => {
    const person = await makePerson(app, company);
    const place = await atModuleCode(person);
    await app.runtime.store.of(company.id).users.update(person.user.id, { mustEnrol2fa: true });
    const page = await place.visitor.follow(await tryCode(place, await freshCode(app, person)));
    expect(stepOf(page)).toBe('password');
    expect(await eventsOf(app, person, 'login.ok')).toEqual([]);
  });

  it('AUT-24 "Not you?" forgets it', async () => {
    const person = await makePerson(app, company);
    const { visitor, page } = await atModuleCode(person);
    const first = await visitor.submit(page, {}, '/restart');
    expect(stepOf(first)).toBe('identify');
    const answer = await postRaw(visitor, `/interaction/${uidOf(page)}/code`, { code: await freshCode(app, person) });
    expect(stepOf(await visitor.follow(answer))).toBe('identify');
    expect(await eventsOf(app, person, 'login.ok')).toEqual([]);
  });

  it('AUT-13, AUT-24 is worth nothing once the password was changed', async () => {
    const person = await makePerson(app, company, { totpSecret: null });
    const place = await atModuleCode(person);
    expect(stepOf(place.page)).toBe('enrol');
    await sendPasswordReset(app.operator(), company, person.user);
    const token = (await linkIn(app, person.user.email, 'passwordReset')).split('/').at(-1) ?? '';
    app.clock.advance(seconds(2));
    expect((await setPasswordByLink(app.operator(), 'passwordReset', token, newPassword)).outcome).toBe('done');
    // Whoever knew the old password must not enrol a phone of theirs with what is left of it.
    const secret = /data-copy="([A-Z2-7]{32})"/.exec(place.page.body)?.[1] ?? '';
    const code = codeOf(app, { ...person, totpSecret: secret });
    const page = await place.visitor.submit(place.page, { code }, '/enrol');
    expect(stepOf(page)).toBe('password');
    expect(await app.runtime.store.of(company.id).credentials.findTotp(person.user.id)).toBeNull();
  });
});

describe('nothing at all yet', () => {
  it.each([
    ['code', { code: '000000' }],
    ['enrol', { code: '000000' }],
    ['recovery-codes', {}],
    ['set-password', { password: newPassword }],
    ['consent', {}],
  ])('AUT-24 a post to %s leads back to where the browser stands', async (path, fields) => {
    const person = await makePerson(app, company);
    const before = await hashOf(person);
    const visitor = app.visitor();
    const first = await visitor.open(authorizeAddress(module));
    const at = (page: Page) => stepAfterPost({ visitor, page }, path, fields as Record<string, string>);
    expect(stepOf(await at(first))).toBe('identify');
    const named = await visitor.submit(first, { ...namesOf(person) });
    expect(stepOf(await at(named))).toBe('password');
    expect(await hashOf(person)).toBe(before);
    expect((await reload(app, person)).failures).toBe(0);
  });
});

describe('another browser', () => {
  it('AUT-14, WEB-02 an interaction opened without its cookies is refused, also with the ticket of another one', async () => {
    const person = await makePerson(app, company);
    const { page } = await atModuleCode(person);
    const stranger = app.visitor();
    expect((await stranger.send(`/interaction/${uidOf(page)}`)).status).toBe(400);
    const own = await atModuleCode(await makePerson(app, company));
    const tickets = own.visitor.jar.filter(({ path }) => path.startsWith('/interaction/'));
    for (const cookie of tickets) own.visitor.jar.push({ ...cookie, path: `/interaction/${uidOf(page)}` });
    for (const path of ['', '/code', '/enrol', '/set-password', '/recovery-codes']) {
      const address = `/interaction/${uidOf(page)}${path}`;
      const answer =
        path === '' ? await own.visitor.send(address) : await postRaw(own.visitor, address, { code: '000000' });
      expect(answer.status, path).toBe(400);
    }
    expect((await own.visitor.send(`/auth/${uidOf(page)}`)).status).toBe(400);
    // And a ticket that got away is worth nothing without the engine's own cookie beside it.
    own.visitor.jar = own.visitor.jar.filter(({ name }) => name !== 'ul_interaction');
    expect((await own.visitor.send(new URL(own.page.url).pathname)).status).toBe(400);
  });

  it('WEB-02 the address of a finished sign-in gives a second browser nothing', async () => {
    const person = await makePerson(app, company);
    const { visitor, page } = await atModuleCode(person);
    const done = await visitor.submitOnce(page, { code: await freshCode(app, person) }, '/code');
    expect(done.headers.location).toBe(`/auth/${uidOf(page)}`);
    const thief = await app.visitor().send(`/auth/${uidOf(page)}`);
    expect(thief.status).toBe(400);
    expect(answerOf(await visitor.follow(done)).has('code')).toBe(true);
  });

  it('AUT-24 a ticket that was kept and is played again after the sign-in gives no second session', async () => {
    const person = await makePerson(app, company);
    const { visitor, page } = await atModuleCode(person);
    const kept = visitor.jar.map((cookie) => ({ ...cookie }));
    expect(answerOf(await giveCode(app, { visitor, page }, person)).has('code')).toBe(true);
    const again: Visitor = app.visitor();
    again.jar = kept;
    const answer = await again.submit(page, { code: await freshCode(app, person) }, '/code');
    expect(answer.headers.location ?? '').not.toContain('code=');
    expect(await isSignedIn(again)).toBe(false);
    expect(await sessionsOf(person)).toBe(1);
  });
});

describe('a password that must be changed', () => {
  const must = () => makePerson(app, company, { mustChangePassword: true });

  it('AUT-18, D.5 cannot be skipped by any step, by resuming, or by beginning anew', async () => {
    const person = await must();
    const place = await atModuleCode(person);
    expect(stepOf(place.page)).toBe('set-password');
    const posts = { code: { code: await freshCode(app, person) }, enrol: { code: '000000' }, 'recovery-codes': {} };
    for (const [path, fields] of Object.entries(posts))
      expect(stepOf(await stepAfterPost(place, path, fields)), path).toBe('set-password');
    const resumed = await place.visitor.open(`/auth/${uidOf(place.page)}`);
    expect(resumed.headers.location ?? '').not.toContain('code=');
    expect(stepOf((await atModuleCode(person)).page)).toBe('set-password');
    expect(await eventsOf(app, person, 'login.ok')).toEqual([]);
  });

  it('AUT-18, AUT-02 cannot be the same again, even in a company that keeps no history', async () => {
    const forgetful = await makeCompany(app, 'Forgetful Ltd', { password: { history: 0 } });
    const person = await makePerson(app, forgetful, { mustChangePassword: true });
    const { visitor, page } = await atCode(app, person);
    const again = await visitor.submit(page, { password: goodPassword }, '/set-password');
    expect(again.status).toBe(422);
    expect(stepOf(again)).toBe('set-password');
    const next = await visitor.submit(page, { password: newPassword }, '/set-password');
    expect(stepOf(next)).toBe('code');
  });

  it('AUT-18 is changed, then the code is asked, then the person is in; the old one is dead', async () => {
    const person = await must();
    const { visitor, page } = await atCode(app, person);
    const weak = await visitor.submit(page, { password: 'password' }, '/set-password');
    expect(weak.status).toBe(422);
    const next = await visitor.submit(weak, { password: newPassword }, '/set-password');
    expect(isHome(await giveCode(app, { visitor, page: next }, person))).toBe(true);
    const old = await atPassword(app, namesOf(person));
    expect((await old.visitor.submit(old.page, { password: goodPassword })).status).toBe(422);
    expect(stepOf((await atCode(app, { ...person, password: newPassword })).page)).toBe('code');
  });
});
