// An upstream that logs somebody out while they are on the way in: between its yes and the session that would come of it.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeConnection, oidcAttributes } from '../../support/federation.ts';
import { codeOf, freshCode, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { connectIdp, postAnswer, TestIdp, toUpstream, upstreamLink, upstreamPerson } from '../../support/saml-idp.ts';
import { byForm, logoutXml, signedLogout } from '../../support/saml-logout.ts';
import { type Liar, startLiar } from '../../support/upstream-oidc.ts';
import { type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let liar: Liar;

/** One that the person is logged in at, and logged out. */
interface Upstream {
  connection: StoredConnection;
  company: Company;
  /** The upstream says yes. @returns where the browser is sent to fetch that */
  answer(visitor: Visitor, page: Page, person: TestPerson, session: string | undefined): Promise<string>;
  /** @returns whether it was honoured */
  logOut(of: { person?: TestPerson | string; session?: string }): Promise<boolean>;
}

const subjectOf = (person: TestPerson | string) => (typeof person === 'string' ? person : `id-of-${person.user.id}`);

async function overSaml(asksSecondFactor: boolean, { allowIdpInitiated = false } = {}): Promise<Upstream> {
  const company = await makeCompany(app);
  const idp = new TestIdp(`idp-${randomUUID()}`);
  const saml = { sloUrl: idp.sloUrl, allowIdpInitiated };
  const connection = await connectIdp(app, company, idp, { name: 'Northwind Okta', asksSecondFactor, saml });
  return {
    connection,
    company,
    async answer(visitor, page, person, sessionIndex) {
      const { id } = allowIdpInitiated ? { id: '' } : await toUpstream(visitor, page);
      const named = { Email: person.user.email, CompanyIdentifier: company.identifier };
      const said = { ...upstreamPerson('x', named), nameId: subjectOf(person) };
      const xml = await idp.answer(app, said, { sessionIndex, ...(id ? { inResponseTo: id } : {}) });
      return (await postAnswer(app, xml, id)).headers.location ?? '';
    },
    async logOut({ person = 'nobody', session }) {
      const words = { nameId: subjectOf(person), sessions: session === undefined ? [] : [session] };
      const page = await byForm(app, signedLogout(logoutXml(app, idp, words), idp.key));
      return page.headers.location?.startsWith(`${idp.sloUrl}?`) === true;
    },
  };
}

async function overOidc(asksSecondFactor: boolean): Promise<Upstream> {
  const company = await makeCompany(app);
  const connection = await makeConnection(app, company, {
    name: 'Northwind Okta',
    settings: { kind: 'oidc', issuer: liar.issuer, clientId: liar.clientId },
    clientSecret: liar.clientSecret,
    attributes: oidcAttributes,
    asksSecondFactor,
  });
  return {
    connection,
    company,
    async answer(visitor, page, person, sid) {
      const left = await visitor.send(upstreamLink(page));
      const who = { sub: subjectOf(person), email: person.user.email, email_verified: true };
      liar.lies.claims = { ...who, ...(sid === undefined ? {} : { sid }) };
      const back = liar.callback(left.headers.location ?? '');
      return (await visitor.send(`${back.pathname}${back.search}`)).headers.location ?? '';
    },
    async logOut({ person, session }) {
      const who = person === undefined ? {} : { sub: subjectOf(person) };
      const token = liar.logoutToken({ ...who, ...(session === undefined ? {} : { sid: session }) });
      const body = new URLSearchParams({ logout_token: token }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return (await app.visitor().send(`/sso/oidc/logout/${connection.id}`, { body, headers })).status === 200;
    },
  };
}

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
  liar = await startLiar();
}, 60_000);
afterAll(async () => {
  await liar?.stop();
  await app.stop();
});

const begin = async (visitor: Visitor, person: TestPerson): Promise<Page> =>
  visitor.submit(await visitor.open('/login'), {
    username: person.user.username,
    company: person.company.name,
  });

const isIn = async (visitor: Visitor): Promise<boolean> => !(await visitor.open('/')).body.includes('name="username"');

const live = async ({ user }: TestPerson): Promise<number> =>
  (await app.runtime.db('sessions').where({ user_id: user.id }).whereNull('ended_at')).length;

const attemptsOf = ({ connection }: Upstream, { user }: TestPerson) =>
  app.runtime
    .db('sso_attempts')
    .where({ connection_id: connection.id, user_id: user.id, outcome: 'logged-out-meanwhile' });

/** Until so many statements wait for a lock. */
const waiters = (count: number) =>
  vi.waitFor(
    async () => {
      const { rows } = await app.runtime.db.raw(
        `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows[0].count).toBe(count);
    },
    { timeout: 5000, interval: 20 },
  );

/** It says so, and nothing else has come of it. */
async function expectOut(page: Page, visitor: Visitor, person: TestPerson): Promise<void> {
  expect(wordsOf(page)).toContain(
    'You were logged out at Northwind Okta. Log in again. If it keeps happening, give your administrator this code.',
  );
  expect(page.status).toBe(403);
  expect(await live(person)).toBe(0);
  expect(await isIn(visitor)).toBe(false);
}

const protocols: [string, (asksSecondFactor: boolean) => Promise<Upstream>][] = [
  ['SAML', overSaml],
  ['OpenID Connect', overOidc],
];

describe.each(protocols)('%s: logged out there while our own second factor is asked for', (_, connect) => {
  let upstream: Upstream;
  let person: TestPerson;
  let visitor: Visitor;

  /** At our code page. */
  async function halfWay(session: string | undefined): Promise<Page> {
    person = await makePerson(app, upstream.company);
    visitor = app.visitor();
    const at = await upstream.answer(visitor, await begin(visitor, person), person, session);
    const page = await visitor.open(at);
    expect(page.body, page.body).toContain('name="code"');
    return page;
  }
  const giveCode = async (page: Page) => visitor.submit(page, { code: await freshCode(app, person) }, '/code');

  beforeAll(async () => {
    upstream = await connect(true);
  });

  it.each<[string, string | undefined, { isPerson: boolean; session?: string }]>([
    ['the person', 's1', { isPerson: true }],
    ['the person and their session', 's1', { isPerson: true, session: 's1' }],
    ['a session of the person, where the upstream had named none', undefined, { isPerson: true, session: 's9' }],
  ])(
    'by a logout of %s the code gets nobody in; a login anew does at once',
    async (_, session, { isPerson, ...of }) => {
      const page = await halfWay(session);
      expect(await upstream.logOut({ ...(isPerson ? { person } : {}), ...of })).toBe(true);
      const before = structuredClone(visitor.jar);
      const told = await giveCode(page);
      await expectOut(told, visitor, person);
      // A cookie of before brings no second line.
      const old = app.visitor();
      old.jar = before;
      await expectOut(await old.submit(page, { code: '000000' }, '/code'), old, person);
      expect(await attemptsOf(upstream, person)).toMatchObject([{ tries: 2 }]);
      // The same browser, at once.
      const again = await visitor.open(/href="(\/interaction\/[^"]+)"/.exec(told.body)?.[1] ?? '');
      const code = await visitor.open(await upstream.answer(visitor, again, person, session));
      await giveCode(code);
      expect(await isIn(visitor)).toBe(true);
      expect(await live(person)).toBe(1);
    },
  );

  it('a wrong code is told the same, and takes nothing of the tries', async () => {
    const page = await halfWay('s2');
    await upstream.logOut({ person, session: 's2' });
    await expectOut(await visitor.submit(page, { code: '000000' }, '/code'), visitor, person);
    expect((await app.runtime.db('users').where({ id: person.user.id }).first()).failures).toBe(0);
  });

  it('no factor is set up by it either', async () => {
    person = await makePerson(app, upstream.company, { totpSecret: null });
    visitor = app.visitor();
    const page = await visitor.open(await upstream.answer(visitor, await begin(visitor, person), person, 's3'));
    expect(page.body).toContain('name="code"');
    await upstream.logOut({ person });
    const totpSecret = /data-copy="([A-Z2-7]{32})"/.exec(page.body)?.[1] ?? '';
    const code = codeOf(app, { ...person, totpSecret });
    await expectOut(await visitor.submit(page, { code }, '/enrol'), visitor, person);
    expect(await app.runtime.db('factors').where({ user_id: person.user.id })).toEqual([]);
  });

  it('of another session, or of another person, it stops nothing', async () => {
    const page = await halfWay('s4');
    const other = await makePerson(app, upstream.company);
    await upstream.logOut({ person, session: 'another' });
    await upstream.logOut({ person: other });
    await upstream.logOut({ person: other, session: 's5' });
    await giveCode(page);
    expect(await isIn(visitor)).toBe(true);
  });

  it('a logout that is not committed yet when the code comes is waited for, and counts', async () => {
    const page = await halfWay('w1');
    const hold = await app.runtime.db.transaction();
    await hold('sso_requests').where({ connection_id: upstream.connection.id }).update({ logged_out_at: new Date() });
    const given = giveCode(page);
    await waiters(1);
    await hold.commit();
    await expectOut(await given, visitor, person);
  });

  it('a code that is being taken when the logout comes is waited for, and its sign-in ended', async () => {
    const page = await halfWay('w2');
    const code = await freshCode(app, person);
    const hold = await app.runtime.db.transaction();
    await hold('oidc_records').where({ kind: 'Interaction' }).forUpdate();
    const given = visitor.submitOnce(page, { code }, '/code');
    await waiters(1);
    const told = upstream.logOut({ person, session: 'w2' });
    await waiters(2);
    await hold.commit();
    const left = await given;
    expect([await told, left.status]).toEqual([true, 303]);
    await visitor.follow(left);
    expect(await live(person)).toBe(0);
    expect(await isIn(visitor)).toBe(false);
  });

  it('in parallel with the code: never a live session that was told to end', async () => {
    for (let i = 0; i < 6; i += 1) {
      const page = await halfWay(`p${i}`);
      const code = await freshCode(app, person);
      const given = visitor.submit(page, { code }, '/code');
      if (i > 1) await new Promise((resolve) => setTimeout(resolve, i * 4));
      const [, done] = await Promise.all([given, upstream.logOut({ person, session: `p${i}` })]);
      expect(done).toBe(true);
      expect(await live(person)).toBe(0);
      expect(await isIn(visitor)).toBe(false);
    }
  });
});

describe.each(protocols)('%s: logged out there before the browser fetches the answer', (_, connect) => {
  let upstream: Upstream;
  let person: TestPerson;
  let visitor: Visitor;
  beforeAll(async () => {
    upstream = await connect(false);
  });
  const answered = async (session: string | undefined): Promise<string> => {
    person = await makePerson(app, upstream.company);
    visitor = app.visitor();
    return upstream.answer(visitor, await begin(visitor, person), person, session);
  };

  it('says so, also to somebody who was never here; a login anew works at once', async () => {
    const at = await answered('f1');
    expect(await upstream.logOut({ person, session: 'f1' })).toBe(true);
    const page = await visitor.open(at);
    await expectOut(page, visitor, person);
    expect(await app.runtime.db('idp_identities').where({ user_id: person.user.id })).toEqual([]);
    await visitor.open(await upstream.answer(visitor, await begin(visitor, person), person, 'f1'));
    expect(await isIn(visitor)).toBe(true);
  });

  it('another person’s, or of another session, stops nothing', async () => {
    const at = await answered('f2');
    await upstream.logOut({ person: await makePerson(app, upstream.company), session: 'f2' });
    await upstream.logOut({ person, session: 'f3' });
    await visitor.open(at);
    expect(await isIn(visitor)).toBe(true);
  });

  it('of one connection it stops nobody at another with the same names', async () => {
    const other = await connect(false);
    const at = await answered('f4');
    const twin = { ...other, person };
    await twin.logOut({ person, session: 'f4' });
    await visitor.open(at);
    expect(await isIn(visitor)).toBe(true);
  });

  it('after the answer was complete, before the engine has made a session of it', async () => {
    const at = await answered('f5');
    const left = await visitor.send(at);
    expect(left.headers.location).toMatch(/^\/auth\//);
    await upstream.logOut({ person, session: 'f5' });
    await visitor.follow(left);
    expect(await live(person)).toBe(0);
    expect(await isIn(visitor)).toBe(false);
  });

  it('in parallel with the fetching: never a live session that was told to end', async () => {
    for (let i = 0; i < 6; i += 1) {
      const at = await answered(`q${i}`);
      const fetched = visitor.open(at);
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, i * 8));
      const [, done] = await Promise.all([fetched, upstream.logOut({ person, session: `q${i}` })]);
      expect(done).toBe(true);
      expect(await live(person)).toBe(0);
      expect(await isIn(visitor)).toBe(false);
    }
  });
});

describe('OpenID Connect: a logout that names the session alone', () => {
  it('stops it at the code page, and when only the answer is complete', async () => {
    const asking = await overOidc(true);
    const one = await makePerson(app, asking.company);
    const visitor = app.visitor();
    const page = await visitor.open(await asking.answer(visitor, await begin(visitor, one), one, 'alone'));
    expect(page.body).toContain('name="code"');
    await asking.logOut({ session: 'other' });
    await asking.logOut({ session: 'alone' });
    await expectOut(await visitor.submit(page, { code: await freshCode(app, one) }, '/code'), visitor, one);

    const plain = await overOidc(false);
    const two = await makePerson(app, plain.company);
    const left = await visitor.send(await plain.answer(visitor, await begin(visitor, two), two, 'alone too'));
    expect(left.headers.location).toMatch(/^\/auth\//);
    await plain.logOut({ session: 'alone too' });
    await visitor.follow(left);
    expect(await live(two)).toBe(0);
    expect(await isIn(visitor)).toBe(false);
  });
});

describe('OpenID Connect: a logout while the code is being exchanged', () => {
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await overOidc(false);
  });
  afterEach(() => {
    liar.lies.before = null;
  });

  it.each<[string, boolean, (person: TestPerson) => Parameters<Upstream['logOut']>[0]]>([
    ['of the person', true, (person) => ({ person })],
    ['of the person and the session', true, (person) => ({ person, session: 'x1' })],
    ['of the session alone', true, () => ({ session: 'x1' })],
    ['of another session of theirs', false, (person) => ({ person, session: 'x2' })],
    ['of another session alone', false, () => ({ session: 'x2' })],
    ['of somebody else with a session of the same name', false, () => ({ person: 'somebody', session: 'x1' })],
  ])('%s: stops it: %s', async (_, stops, of) => {
    const person = await makePerson(app, upstream.company);
    const visitor = app.visitor();
    liar.lies.before = () => upstream.logOut(of(person));
    const page = await visitor.open(await upstream.answer(visitor, await begin(visitor, person), person, 'x1'));
    if (!stops) return expect(await isIn(visitor)).toBe(true);
    await expectOut(page, visitor, person);
    liar.lies.before = null;
    await visitor.open(await upstream.answer(visitor, await begin(visitor, person), person, 'x1'));
    expect(await isIn(visitor)).toBe(true);
  });

  it('one that is not committed yet when the answer is fetched is waited for, and counts', async () => {
    const person = await makePerson(app, upstream.company);
    const before = app.visitor();
    await before.open(await upstream.answer(before, await begin(before, person), person, 'y0'));
    const visitor = app.visitor();
    const hold = await app.runtime.db.transaction();
    await hold('sessions').where({ user_id: person.user.id }).forUpdate();
    let told: Promise<boolean> | null = null;
    liar.lies.before = () => {
      told = upstream.logOut({ person });
      return waiters(1);
    };
    const fetched = visitor.open(await upstream.answer(visitor, await begin(visitor, person), person, 'y1'));
    await Promise.race([fetched, waiters(2)]);
    await hold.commit();
    expect(await told).toBe(true);
    await expectOut(await fetched, visitor, person);
  });
});

describe('SAML: a login that the upstream began', () => {
  it('logged out before the person has agreed to it, and after', async () => {
    const upstream = await overSaml(false, { allowIdpInitiated: true });
    const person = await makePerson(app, upstream.company);
    const visitor = app.visitor();
    const none = await visitor.open('/login');
    const at = await upstream.answer(visitor, none, person, 'u1');
    const asked = await visitor.open(at);
    await upstream.logOut({ person });
    await expectOut(await visitor.submit(asked, {}, '/sso/arrive'), visitor, person);
    const next = await upstream.answer(visitor, none, person, 'u2');
    await upstream.logOut({ person, session: 'u2' });
    await expectOut(await visitor.open(next), visitor, person);
    const anew = await visitor.open(await upstream.answer(visitor, none, person, 'u2'));
    await visitor.submit(anew, {}, '/sso/arrive');
    expect(await isIn(visitor)).toBe(true);
  });
});

describe('what is remembered of it', () => {
  it('names nobody readable, lives as long as a sign-in may take, and is swept', async () => {
    const upstream = await overSaml(true);
    const person = await makePerson(app, upstream.company);
    const visitor = app.visitor();
    await visitor.open(await upstream.answer(visitor, await begin(visitor, person), person, 'kept'));
    const rows = () => app.runtime.db('sso_requests').where({ connection_id: upstream.connection.id });
    const [row] = await rows();
    expect(JSON.stringify(row)).not.toMatch(/kept|id-of-/);
    expect([row.subject_hash, row.session_hash]).toEqual([
      expect.stringMatching(/^[\w-]{43}$/),
      expect.stringMatching(/^[\w-]{43}$/),
    ]);
    const { ssoRequests } = app.runtime.store;
    const now = app.clock.now().getTime();
    await ssoRequests.purge(new Date(now + minutes(40)));
    expect(await rows()).toHaveLength(1);
    await ssoRequests.purge(new Date(now + minutes(61)));
    expect(await rows()).toHaveLength(0);
  });
});
