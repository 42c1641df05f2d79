// Cookies and the sessions behind them: names, planting, ending.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  codeOf,
  givePassword,
  makeCompany,
  makeModule,
  makePerson,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import { isSignedIn, thief } from '../../support/sessions.ts';
import { type Visitor, wordsOf } from '../../support/visitor.ts';

const sessionOf = (visitor: Visitor, name = 'ul_session') => visitor.cookie(name)?.value ?? '';

describe('cookies of a server on https', () => {
  let app: TestApp;
  let lines: string[];

  beforeAll(async () => {
    app = await startApp({ environment: { PUBLIC_URL: 'https://login.example' } });
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app);
    const person = await makePerson(app, company);
    const module = await makeModule(app, [company]);
    const visitor = app.visitor();
    lines = [];
    const send = visitor.send.bind(visitor);
    visitor.send = async (...args) => {
      const page = await send(...args);
      lines.push(...(page.headers['set-cookie'] ?? []));
      return page;
    };
    await signIn(app, visitor, person, authorizeAddress(module));
    await visitor.open('/');
    await visitor.submit(await visitor.open('/settings/profile'), { theme: 'dark' }, '/settings/theme');
    await visitor.submit(await visitor.open('/'), {}, '/sign-out');
  });
  afterAll(() => app.stop());

  it('WEB-01 every cookie is Secure, HttpOnly, SameSite=Lax and has the prefix of its path', () => {
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(/;\s*/);
      const name = pair.slice(0, pair.indexOf('='));
      const found = attributes.map((attribute) => attribute.toLowerCase());
      const path = found.find((attribute) => attribute.startsWith('path='))?.slice(5);
      expect(found, line).toContain('secure');
      expect(found, line).toContain('httponly');
      expect(found, line).toContain('samesite=lax');
      expect(
        found.filter((attribute) => attribute.startsWith('domain')),
        line,
      ).toEqual([]);
      expect(name, line).toMatch(path === '/' ? /^__Host-ul_/ : /^__Secure-ul_/);
    }
  });

  it('WEB-01 the session cookie is a random value of 128 bits or more, signed, and says nothing', () => {
    const values = lines
      .flatMap((line) => /^__Host-ul_session=([^;]+)/.exec(line)?.[1] ?? [])
      .filter((value) => value !== '');
    expect(values.length).toBeGreaterThan(0);
    // 22 letters of 64 are 132 bits.
    for (const value of values) expect(value).toMatch(/^[\w-]{22,64}$/);
    expect(lines.some((line) => /^__Host-ul_session\.sig=[\w-]{27,}/.test(line))).toBe(true);
  });
});

describe('sessions', () => {
  let app: TestApp;
  let other: TestApp;
  let person: TestPerson;
  let module: TestModule;

  beforeAll(async () => {
    app = await startApp();
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app);
    person = await makePerson(app, company, { username: 'pat' });
    module = await makeModule(app, [company]);
    other = await app.node();
  });
  afterAll(() => app.stop());

  const signedIn = async (who = person): Promise<Visitor> => {
    const visitor = app.visitor();
    await signIn(app, visitor, who, '/');
    expect(await isSignedIn(visitor)).toBe(true);
    return visitor;
  };

  it('WEB-01 a cookie whose signature is missing or wrong is no session', async () => {
    const visitor = await signedIn();
    const unsigned = thief(app, visitor);
    unsigned.jar = unsigned.jar.filter(({ name }) => !name.endsWith('.sig'));
    const forged = thief(app, visitor);
    for (const cookie of forged.jar)
      if (cookie.name === 'ul_session.sig') cookie.value = cookie.value.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'));
    expect([await isSignedIn(unsigned), await isSignedIn(forged), await isSignedIn(thief(app, visitor))]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('WEB-02 a step-up gives a new session id, and the one before stops working', async () => {
    const visitor = await signedIn();
    const before = thief(app, visitor);
    await signIn(app, visitor, person, authorizeAddress(module, { prompt: 'login' }));
    expect(sessionOf(visitor)).not.toBe(sessionOf(before));
    expect(await isSignedIn(visitor)).toBe(true);
    expect(await isSignedIn(before)).toBe(false);
    expect(await isSignedIn(before.at(other.port))).toBe(false);
  });

  it('WEB-02 a session id that was planted before the login is not the one after it', async () => {
    const attacker = app.visitor();
    await attacker.open('/login');
    const planted = [
      { name: 'ul_session', value: 'planted-by-somebody-else-0123456789abcdefgh', path: '/', attributes: '' },
      ...attacker.jar.filter(({ path }) => path === '/'),
    ];
    const victim = app.visitor();
    victim.jar = planted.map((cookie) => ({ ...cookie }));
    await signIn(app, victim, person, '/login');
    expect(await isSignedIn(victim)).toBe(true);
    attacker.jar = planted.map((cookie) => ({ ...cookie }));
    expect(await isSignedIn(attacker)).toBe(false);
  });

  it('WEB-02 the address of a sign-in that somebody else began opens nothing', async () => {
    const attacker = app.visitor();
    const prepared = await attacker.open('/login');
    const victim = app.visitor();
    const page = await victim.open(prepared.url);
    expect(page.status).toBe(400);
    expect(wordsOf(page)).toContain('begun in another browser');
    expect(page.body).not.toContain('name="username"');
  });

  it('WEB-02 whoever planted all cookies of a sign-in has nothing when the victim has finished it, not even in a race', async () => {
    const attacker = app.visitor();
    const prepared = await attacker.open(authorizeAddress(module));
    const victim = app.visitor();
    victim.jar = attacker.jar.map((cookie) => ({ ...cookie }));
    const page = await givePassword(victim, await victim.open(prepared.url), person);
    app.clock.advance(minutes(1));
    const finished = await victim.submitOnce(page, { code: codeOf(app, person) }, '/code');
    const resume = finished.headers.location ?? '';
    expect(resume).toMatch(/^\/auth\/[\w-]+$/);

    // The attacker's browser is faster than the victim's, at both nodes.
    for (const browser of [attacker, attacker.at(other.port)]) {
      const stolen = await browser.send(resume);
      expect(stolen.headers.location ?? '').not.toContain('code=');
      expect(await isSignedIn(browser)).toBe(false);
    }
    const arrived = await victim.open(resume);
    expect(answerOf(arrived).get('code')).toBeTruthy();
    expect(await isSignedIn(victim)).toBe(true);
    expect((await attacker.send(resume)).status).toBe(400);
    expect(await isSignedIn(attacker)).toBe(false);
  });
});
