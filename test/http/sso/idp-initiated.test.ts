// A login that the identity provider began (B.5): nobody here asked for it, so the browser's person has the last word (WEB-06).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson, signIn, type TestPerson } from '../../support/people.ts';
import { connectIdp, postAnswer, TestIdp, upstreamPerson } from '../../support/saml-idp.ts';
import type { Visitor } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
const idp = new TestIdp('portal');

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
  company = await makeCompany(app, 'Northwind IT');
  await connectIdp(app, company, idp, { name: 'Northwind Entra', saml: { allowIdpInitiated: true } });
});
afterAll(() => app.stop());

/** Where the upstream's answer leads a browser. */
async function sent(name: string, more: Record<string, string> = {}, of = company, from = idp): Promise<string> {
  const said = upstreamPerson(name, { CompanyIdentifier: of.identifier, ...more });
  return (await postAnswer(app, await from.answer(app, said))).headers.location ?? '';
}

async function livePeople(visitor: Visitor): Promise<string> {
  return (await visitor.open('/')).body;
}

const sessionsOf = async ({ user }: TestPerson) =>
  (await app.runtime.db.raw('select amr from sessions where user_id = ? and ended_at is null', [user.id])).rows;

async function inside(): Promise<{ visitor: Visitor; person: TestPerson }> {
  const person = await makePerson(app, company);
  const visitor = app.visitor();
  await signIn(app, visitor, person, '/login');
  return { visitor, person };
}

describe('a login that the upstream began', () => {
  it('WEB-06 nobody is signed in: who it would be is asked before anybody is', async () => {
    const visitor = app.visitor();
    const page = await visitor.open(await sent('nora'));
    expect(page.status, page.body).toBe(200);
    expect(page.body).toContain('Go on as Mia Upstream?');
    expect(page.body).toContain('Northwind Entra');
    expect(page.body).toContain(company.name);
    const { rows } = await app.runtime.db.raw(`select 1 from users where username = 'nora'`);
    expect(rows).toEqual([]);
    expect((await visitor.open('/')).body).not.toContain('Mia');
    const home = await visitor.submit(page, {}, '/sso/arrive');
    expect([home.status, home.url]).toEqual([200, `${app.url}/`]);
    expect(home.body).toContain('Mia');
  });

  it('WEB-06 somebody else is signed in: they are named, and stay until they say otherwise', async () => {
    const { visitor, person } = await inside();
    const page = await visitor.open(await sent('omar'));
    expect(page.body).toContain('Go on as Mia Upstream?');
    expect(page.body).toContain(`Stay as ${person.user.firstName}`);
    expect(await sessionsOf(person)).toHaveLength(1);
    expect(await livePeople(visitor)).toContain(person.user.username);
    const change = await visitor.submit(page, {}, '/sso/arrive');
    const home = await visitor.submit(change, {}, '/session/end/confirm');
    expect(home.body).toContain('Mia');
    expect(await sessionsOf(person)).toEqual([]);
  });

  it('the same person goes straight on', async () => {
    const { visitor, person } = await inside();
    const home = await visitor.open(await sent('same', { Email: person.user.email }));
    expect([home.status, home.url], home.body).toEqual([200, `${app.url}/`]);
    expect(await sessionsOf(person)).toHaveLength(1);
    expect((await sessionsOf(person))[0].amr).toEqual(['fed']);
  });

  it('WEB-06 without our own form nothing goes on: no token, another browser’s, or a visit', async () => {
    const { visitor, person } = await inside();
    const ticket = new URL(await sent('pia'), app.url).searchParams.get('ticket') ?? '';
    expect((await visitor.send('/sso/arrive', { form: { ticket } })).status).toBe(403);
    const page = await app.visitor().open(`/sso/arrive?ticket=${ticket}`);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    expect((await visitor.send('/sso/arrive', { form: { ticket, csrf } })).status).toBe(403);
    expect(await sessionsOf(person)).toHaveLength(1);
    const waiting = await app.runtime.db('sso_requests').whereNotNull('sealed_result').whereNull('fetched_at');
    expect(waiting.length).toBeGreaterThan(0);
  });

  it('F2 one answer lets one browser in, whoever else opens its page, and asks in parallel', async () => {
    const address = await sent('quin');
    const visitors = Array.from({ length: 4 }, () => app.visitor());
    const pages = await Promise.all(visitors.map((visitor) => visitor.open(address)));
    for (const page of pages) expect(page.body).toContain('Go on as');
    const ends = await Promise.all(pages.map((page, i) => (visitors[i] as Visitor).submit(page, {}, '/sso/arrive')));
    expect(ends.filter(({ status, url }) => status === 200 && url === `${app.url}/`)).toHaveLength(1);
    expect(ends.filter(({ status }) => status === 403)).toHaveLength(3);
    expect((await app.visitor().open(address)).status).toBe(403);
  });

  it('a refusal is said at once, and whoever is signed in stays', async () => {
    const { visitor, person } = await inside();
    const root = await makePerson(app, company, { role: 'Root Admin' });
    const page = await visitor.open(await sent('climber', { Email: root.user.email }));
    expect(page.status).toBe(403);
    expect(page.body).toContain('logs in with its password');
    expect(await sessionsOf(person)).toHaveLength(1);
    expect(await livePeople(visitor)).toContain(person.user.username);
  });

  it('what was a refusal when it was looked at lets nobody in unasked, though it is none any more', async () => {
    const visitor = app.visitor();
    const person = await makePerson(app, company);
    await app.runtime.db('users').where({ id: person.user.id }).update({ email_verified_at: null });
    // Up to our own authorization endpoint, and not yet on.
    const left = await visitor.send(await sent('late', { Email: person.user.email }));
    expect(left.headers.location).toContain('/auth?');
    await app.runtime.db('users').where({ id: person.user.id }).update({ email_verified_at: app.clock.now() });
    const end = await visitor.follow(left);
    expect(end.status).toBe(403);
    expect(await sessionsOf(person)).toEqual([]);
  });

  it('after five minutes, or with a ticket of nobody, the page says to log in again', async () => {
    const own = await startApp();
    try {
      await makeCompany(own);
      const there = await makeCompany(own, 'Slow');
      await connectIdp(own, there, idp, { saml: { allowIdpInitiated: true } });
      const said = upstreamPerson('rosa', { CompanyIdentifier: there.identifier });
      const address = (await postAnswer(own, await idp.answer(own, said))).headers.location ?? '';
      own.clock.advance(minutes(6));
      const page = await own.visitor().open(address);
      expect(page.status).toBe(403);
      expect(page.body).toContain('Log in again');
    } finally {
      await own.stop();
    }
    for (const ticket of ['', 'x', `${'a'.repeat(43)}.${'b'.repeat(43)}`])
      expect((await app.visitor().open(`/sso/arrive?ticket=${ticket}`)).status).toBe(403);
  });

  it('WEB-08 what an identity provider says is text, and what is no name goes no further', async () => {
    const page = await app.visitor().open(await sent('rory', { FirstName: "O'Neil" }));
    expect(page.status).toBe(200);
    expect(page.body).toContain('Go on as O&#39;Neil Upstream');
    const markup = await app.visitor().open(await sent('evil', { FirstName: '<script>alert(1)</script>' }));
    expect(markup.status).toBe(403);
    expect(markup.body).not.toContain('alert(1)');
  });
});
