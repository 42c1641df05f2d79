// A module asks for a fresh login (prompt=login, max_age; Core 3.1.2.1), and an upstream that lets its session stand; and what the log of
// a connection says of a login that our own second factor still stands before (C25).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  freshCode,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import { signed } from '../../support/saml-attacks.ts';
import { connectIdp, enforced, postAnswer, TestIdp, toUpstream, upstreamPerson } from '../../support/saml-idp.ts';
import type { Page, Visitor } from '../../support/visitor.ts';

let app: TestApp;
const idp = new TestIdp('lazy');

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
});
afterAll(() => app.stop());

interface Place {
  company: Company;
  connection: StoredConnection;
  module: TestModule;
  person: TestPerson;
}

async function place(asksSecondFactor: boolean, role: 'User' | 'Root Admin' = 'User'): Promise<Place> {
  const company = await makeCompany(app);
  const connection = await connectIdp(app, company, idp, { asksSecondFactor, enforce: enforced });
  return {
    company,
    connection,
    module: await makeModule(app, [company]),
    person: await makePerson(app, company, { role }),
  };
}

/** The upstream says that the person logged in there an hour ago, whatever it was asked. */
async function comeBack(
  visitor: Visitor,
  { company, module, person }: Place,
  options: { ask?: Record<string, string>; name?: string; ago?: number | null } = {},
): Promise<Page> {
  const { ask = { prompt: 'login' }, name = person.user.username, ago = 3600 } = options;
  const page = await visitor.open(authorizeAddress(module, ask));
  // Whoever is known here goes straight on.
  const named = page.status === 303 ? page : await visitor.submit(page, { username: name, company: company.name });
  const { id } = await toUpstream(visitor, named);
  const said = upstreamPerson(name, name === person.user.username ? { Email: person.user.email } : {});
  const instant = ago === null ? '' : new Date(app.clock.now().getTime() - seconds(ago)).toISOString();
  const xml = (await idp.answer(app, said, { inResponseTo: id })).replace(
    /AuthnInstant="[^"]*"/,
    ago === null ? '' : `AuthnInstant="${instant}"`,
  );
  const posted = await postAnswer(app, signed(xml, { key: idp.key }), id);
  return visitor.open(posted.headers.location ?? '');
}

const logOf = async ({ connection }: Place) =>
  app.runtime
    .db('sso_attempts')
    .where({ connection_id: connection.id })
    .orderBy('at')
    .orderBy('id')
    .select('outcome', 'code', 'user_id', 'details');

const sessionsOf = ({ person }: Place) => app.runtime.db('sessions').where({ user_id: person.user.id }).select('amr');

describe('a fresh login was asked for', () => {
  it('an upstream that lets its session stand is refused, with a sentence and advice of its own', async () => {
    const at = await place(false);
    const page = await comeBack(app.visitor(), at);
    expect(page.status).toBe(403);
    expect(page.body).toContain('let an earlier login stand');
    const [line] = await logOf(at);
    expect(line).toMatchObject({ outcome: 'not-fresh', user_id: at.person.user.id });
    expect(page.body).toContain(line.code);
    expect(line.details).toMatchObject({ asked: expect.any(String), authnInstant: expect.any(String) });
    expect(await sessionsOf(at)).toEqual([]);
  });

  it('one that asked the person again is not, and where nobody asked for it an old login is good enough', async () => {
    const at = await place(false);
    expect((await comeBack(app.visitor(), at, { ago: 0 })).status).toBe(303);
    expect((await comeBack(app.visitor(), at, { ask: { prompt: 'consent' } })).status).not.toBe(403);
    expect((await logOf(at)).map(({ outcome }) => outcome)).toEqual(['signed-in', 'signed-in']);
  });

  it('C25 our own factor, given now, is a login anew: the module gets a fresh auth_time', async () => {
    const at = await place(true);
    const visitor = app.visitor();
    const asked = await comeBack(visitor, at);
    expect(asked.body).toContain('name="code"');
    const done = await visitor.submit(asked, { code: await freshCode(app, at.person) }, '/code');
    const tokens = await redeem(app, at.module, answerOf(done).get('code') ?? '');
    const claims = JSON.parse(Buffer.from(String(tokens.body.id_token).split('.')[1] ?? '', 'base64url').toString());
    expect(claims.amr).toEqual(['fed', 'otp', 'mfa']);
  });

  it('C25 a factor that would be set up just now proves nothing: refused', async () => {
    const at = await place(true);
    const page = await comeBack(app.visitor(), at, { name: 'newcomer' });
    expect(page.status).toBe(403);
    expect(page.body).toContain('let an earlier login stand');
    expect((await logOf(at)).map(({ outcome }) => outcome)).toEqual(['not-fresh']);
  });
});

describe('OAU-23 a login that stood at the upstream is no login of this moment', () => {
  const claimsFor = async (at: Place, back: Page) => {
    const tokens = await redeem(app, at.module, answerOf(back).get('code') ?? '');
    return JSON.parse(Buffer.from(String(tokens.body.id_token).split('.')[1] ?? '', 'base64url').toString());
  };

  const ageOf = async (at: Place, back: Page) =>
    app.clock.now().getTime() / 1000 - (await claimsFor(at, back)).auth_time;
  const within = (visitor: Visitor, { module }: Place, max_age: string) =>
    visitor.send(authorizeAddress(module, { max_age, prompt: 'none' }));

  it('who wants a younger one is asked anew, who takes an older one is told how old it is', async () => {
    const at = await place(false);
    const visitor = app.visitor();
    expect((await comeBack(visitor, at, { ask: {}, ago: 7200 })).headers.location).toContain('code=');
    expect(answerOf(await within(visitor, at, '60')).get('error')).toBe('login_required');
    expect(Math.abs((await ageOf(at, await within(visitor, at, '86400'))) - 7200)).toBeLessThan(30);
    const again = await comeBack(visitor, at, { ask: { max_age: '60' }, ago: 0 });
    expect(await ageOf(at, again)).toBeLessThan(30);
  });

  it('one that the upstream does not date is too old for every limit', async () => {
    const at = await place(false);
    const visitor = app.visitor();
    expect((await comeBack(visitor, at, { ask: {}, ago: null })).headers.location).toContain('code=');
    expect(answerOf(await within(visitor, at, '86400')).get('error')).toBe('login_required');
    expect((await visitor.send(authorizeAddress(at.module, { prompt: 'none' }))).headers.location).toContain('code=');
  });

  it('C37 our own session begins now, however long ago that login was', async () => {
    const at = await place(false);
    const visitor = app.visitor();
    await comeBack(visitor, at, { ask: {}, ago: 90 * 86_400 });
    const [session] = await app.runtime.db('sessions').where({ user_id: at.person.user.id });
    expect(app.clock.now().getTime() - session.created_at.getTime()).toBeLessThan(30_000);
    expect(session.ends_at.getTime()).toBeGreaterThan(app.clock.now().getTime());
    expect((await visitor.open('/')).body).toContain('My Modules');
    expect((await visitor.send(authorizeAddress(at.module, { prompt: 'none' }))).headers.location).toContain('code=');
  });
});

describe('C25 the log says who signed in, and not before they did', () => {
  it('accepted by the upstream, it waits for our own factor; with the code it is one line that says signed in', async () => {
    const at = await place(true);
    const visitor = app.visitor();
    const asked = await comeBack(visitor, at, { ask: { prompt: 'consent' } });
    expect(await logOf(at)).toMatchObject([{ outcome: 'second-factor', code: null, user_id: at.person.user.id }]);
    const wrong = await visitor.submit(asked, { code: '000000' }, '/code');
    expect(await logOf(at)).toMatchObject([{ outcome: 'second-factor' }]);
    await visitor.submit(wrong, { code: await freshCode(app, at.person) }, '/code');
    expect(await logOf(at)).toMatchObject([{ outcome: 'signed-in', code: null }]);
  });

  it('each login has its own line: one that stopped half-way stays so', async () => {
    const at = await place(true);
    await comeBack(app.visitor(), at, { ask: { prompt: 'consent' } });
    app.clock.advance(seconds(1));
    const visitor = app.visitor();
    const asked = await comeBack(visitor, at, { ask: { prompt: 'consent' } });
    await visitor.submit(asked, { code: await freshCode(app, at.person) }, '/code');
    expect((await logOf(at)).map(({ outcome }) => outcome)).toEqual(['second-factor', 'signed-in']);
  });
});
