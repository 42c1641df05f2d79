// The way to a SAML identity provider and back (B.5), against one that nobody here wrote.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { ensureSamlKey } from '../../../src/domain/keys/saml-key.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  freshCode,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
} from '../../support/people.ts';
import {
  connectIdp,
  enforced,
  postAnswer,
  TestIdp,
  toUpstream,
  type UpstreamPerson,
  upstreamPerson,
} from '../../support/saml-idp.ts';
import type { Page, Visitor } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let module: TestModule;
const idp = new TestIdp();

beforeAll(async () => {
  app = await startApp();
  // With one company alone nobody would be asked for its name.
  await makeCompany(app);
  company = await makeCompany(app, 'Northwind IT');
  module = await makeModule(app, [company]);
  const groups = await app.runtime.store.of(company.id).groups.list();
  await connectIdp(app, company, idp, {
    name: 'Northwind Entra',
    saml: { sloUrl: idp.sloUrl },
    creation: {
      on: true,
      role: 'User',
      groupIds: groups.filter(({ kind }) => kind === 'system-all').map(({ id }) => id),
    },
  });
});
afterAll(() => app.stop());

/** To the page that offers the upstream. */
async function named(visitor: Visitor, username: string, of = company, start = '/login'): Promise<Page> {
  return visitor.submit(await visitor.open(start), { username, company: of.name });
}

/** All of it: from the login page over the upstream to wherever it ends. */
async function arrive(
  visitor: Visitor,
  page: Page,
  person: UpstreamPerson,
  options: Record<string, unknown> = {},
): Promise<Page> {
  const { id } = await toUpstream(visitor, page);
  const posted = await postAnswer(app, await idp.answer(app, person, { inResponseTo: id, ...options }), id);
  expect(posted.status, posted.body).toBe(303);
  return visitor.open(posted.headers.location ?? '');
}

describe('signing in through the identity provider of the company', () => {
  it('B.5 our request is signed with RSA-SHA256, names us and our address, and RelayState is an id', async () => {
    const visitor = app.visitor();
    const { address, id } = await toUpstream(visitor, await named(visitor, 'mia'));
    expect(address.startsWith(`${idp.ssoUrl}?`)).toBe(true);
    const key = await ensureSamlKey(app.operator());
    const request = await idp.readRequest(address, key.certificate);
    expect(request).toMatchObject({
      id,
      issuer: app.url,
      assertionConsumerServiceURL: `${app.url}/sso/saml/callback`,
      destination: idp.ssoUrl,
    });
    const query = new URL(address).searchParams;
    expect(query.get('SigAlg')).toBe('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256');
    expect(query.get('login_hint')).toBe('mia');
    expect(id).toMatch(/^_[0-9a-f]{40}$/);
    await expect(
      idp.readRequest(address.replace(/Signature=.{8}/, 'Signature=AAAAAAAA'), key.certificate),
    ).rejects.toThrow();
  });

  it('T3 C26 the first login creates the person, active, without a password, and ends in the module with amr fed', async () => {
    const visitor = app.visitor();
    const page = await arrive(
      visitor,
      await named(visitor, 'mia', company, authorizeAddress(module)),
      upstreamPerson('mia'),
    );
    expect(page.status, page.body).toBe(303);
    const tokens = await redeem(app, module, answerOf(page).get('code') ?? '');
    const claims = JSON.parse(Buffer.from(String(tokens.body.id_token).split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ amr: ['fed'], acr: 'urn:unified-login:upstream' });
  });

  it('C27 who comes again is the same person by the subject, whatever address is sent', async () => {
    const visitor = app.visitor();
    const again = {
      ...upstreamPerson('mia'),
      attributes: { ...upstreamPerson('mia').attributes, Email: 'other@example.com' },
    };
    const page = await arrive(visitor, await named(visitor, 'mia'), again);
    expect(page.status, page.body).toBe(200);
    expect(page.body).toContain('Mia');
    const { rows } = await app.runtime.db.raw(`select count(*)::int as n from users where company_id = ?`, [
      company.id,
    ]);
    expect(rows[0].n).toBe(1);
  });

  it('RelayState and the ticket open nothing in another browser, and nothing twice', async () => {
    const [visitor, thief] = [app.visitor(), app.visitor()];
    const { id } = await toUpstream(visitor, await named(visitor, 'mia'));
    const posted = await postAnswer(app, await idp.answer(app, upstreamPerson('mia'), { inResponseTo: id }), id);
    const finish = posted.headers.location ?? '';
    const stolen = await thief.open(finish);
    expect(stolen.status).toBe(400);
    expect(stolen.body).toContain('another browser');
    expect((await visitor.open(finish)).status).toBe(200);
    expect((await visitor.open(finish)).status).not.toBe(200);
  });

  it('C25 with the switch on our own factor is asked for after the upstream', async () => {
    const other = await makeCompany(app);
    const twice = new TestIdp('twice');
    await connectIdp(app, other, twice, { asksSecondFactor: true, enforce: enforced });
    const person = await makePerson(app, other);
    const visitor = app.visitor();
    const { id } = await toUpstream(visitor, await named(visitor, person.user.username, other));
    const xml = await twice.answer(app, upstreamPerson('p', { Email: person.user.email }), { inResponseTo: id });
    const page = await visitor.open((await postAnswer(app, xml, id)).headers.location ?? '');
    expect(page.body).toContain('name="code"');
    const done = await visitor.submit(page, { code: await freshCode(app, person) }, '/code');
    expect(done.status, done.body).toBe(200);
    const { rows } = await app.runtime.db.raw('select amr from sessions where user_id = ?', [person.user.id]);
    expect(rows[0].amr).toEqual(['fed', 'otp', 'mfa']);
  });

  it('single logout: who logs out here is sent to log out at the upstream, signed, and comes back to a page that says so', async () => {
    const visitor = app.visitor();
    const home = await arrive(visitor, await named(visitor, 'mia'), upstreamPerson('mia'));
    const left = await visitor.submitOnce(home, {}, '/sign-out');
    const address = new URL(left.headers.location ?? '');
    expect(`${address.origin}${address.pathname}`).toBe(idp.sloUrl);
    expect(address.searchParams.get('SigAlg')).toMatch(/rsa-sha256$/);
    const back = await visitor.open('/sso/saml/logout?SAMLResponse=abc');
    expect(back.body).toContain('Logged out');
    expect((await visitor.open('/')).body).not.toContain('Mia');
  });
});

describe('enforcing (C26, D.5 step 2)', () => {
  it('D.5 straight to the upstream, and to the button for who comes back; Root keeps the password', async () => {
    const strict = await makeCompany(app);
    const only = new TestIdp('only');
    await connectIdp(app, strict, only, { name: 'Only Okta', enforce: enforced });
    const person = await makePerson(app, strict);
    const root = await makePerson(app, strict, { role: 'Root Admin' });
    const visitor = app.visitor();
    const sent = await named(visitor, person.user.username, strict);
    expect(sent.headers.location).toContain(only.ssoUrl);
    const uid = /interaction\/([^/]+)/.exec(sent.url)?.[1] ?? '';
    const back = await visitor.open(`/interaction/${uid}`);
    expect(back.body).toContain('Log in with Only Okta');
    expect(back.body).not.toContain('name="password"');
    // AUT-05: a name that nobody has is led the same way.
    expect((await named(app.visitor(), 'nobody-of-this-name', strict)).headers.location).toContain(only.ssoUrl);
    expect((await signIn(app, app.visitor(), root, '/login')).status).toBe(200);
  });

  it('AUT-05 C26 a password that is typed when it is enforced in the middle is refused, right, wrong or of nobody, alike', async () => {
    const strict = await makeCompany(app);
    const person = await makePerson(app, strict);
    const connection = await connectIdp(app, strict, new TestIdp('mid'), { name: 'Mid Okta' });
    const tries: [string, string][] = [
      [person.user.username, person.password],
      [person.user.username, 'wrong'],
      ['nobody', 'wrong'],
    ];
    const pages = [];
    for (const [username, password] of tries) {
      await app.runtime.store.of(strict.id).connections.setEnforce(connection.id, { ...enforced, state: 'off' });
      const visitor = app.visitor();
      const page = await named(visitor, username, strict);
      await app.runtime.store.of(strict.id).connections.setEnforce(connection.id, enforced);
      pages.push(await visitor.submit(page, { password }));
    }
    for (const page of pages) {
      expect(page.status).toBe(422);
      expect(page.body).toContain('Log in with Mid Okta');
      expect(page.body).not.toContain('name="password"');
    }
    const kept = await app.runtime.store.of(strict.id).users.findById(person.user.id);
    expect(kept?.failures).toBe(0);
  });
});
