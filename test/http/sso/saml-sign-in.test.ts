// The way to a SAML identity provider and back (B.5), against one that nobody here wrote.
import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { bindOwnIdentity } from '../../../src/domain/federation/binding-commands.ts';
import { ensureSamlKey } from '../../../src/domain/keys/saml-key.ts';
import { resetSecondFactor } from '../../../src/domain/users/admin-commands.ts';
import { setPasswordByLink } from '../../../src/domain/users/password-commands.ts';
import { newId } from '../../../src/lib/ids.ts';
import { tokenHash } from '../../../src/lib/secrets.ts';
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
import { type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

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

  it('C26 only who is in confirms a trial: with our own factor asked for, the upstream alone does not', async () => {
    const other = await makeCompany(app);
    const own = new TestIdp('trial');
    const now = app.clock.now().getTime();
    const connection = await connectIdp(app, other, own, {
      asksSecondFactor: true,
      enforce: {
        state: 'trial',
        trialBeganAt: new Date(now - 60_000),
        trialEndsAt: new Date(now + 600_000),
        trialBy: null,
      },
    });
    const person = await makePerson(app, other, { role: 'Admin' });
    const visitor = app.visitor();
    const { id } = await toUpstream(visitor, await named(visitor, person.user.username, other));
    const xml = await own.answer(app, upstreamPerson('p', { Email: person.user.email }), { inResponseTo: id });
    const page = await visitor.open((await postAnswer(app, xml, id)).headers.location ?? '');
    expect(page.body).toContain('name="code"');
    const { connections } = app.runtime.store.of(other.id);
    expect((await connections.find(connection.id))?.enforce.state).toBe('trial');
    const seen = () => app.runtime.db('idp_identities').where({ user_id: person.user.id }).first('signed_in_at');
    expect(await seen()).toEqual({ signed_in_at: null });
    await visitor.submit(page, { code: await freshCode(app, person) }, '/code');
    expect((await connections.find(connection.id))?.enforce.state).toBe('on');
    expect((await seen())?.signed_in_at).not.toBeNull();
  });

  it('C23 who sets up the upstream does not become the Root Admin by it: our own factor of theirs is always asked for', async () => {
    const other = await makeCompany(app);
    const own = new TestIdp('of-an-admin');
    const connection = await connectIdp(app, other, own);
    const root = await makePerson(app, other, { role: 'Root Admin' });
    const work = { ...app.operator(), actor: { kind: 'user' as const, id: root.user.id, name: 'root' } };
    const claims = { subject: 'id-of-r', email: null, username: null, firstName: null, lastName: null, other: {} };
    await bindOwnIdentity(work, connection, { ...claims, groups: { state: 'missing' } }, { issuer: own.entityId });
    // An administrator exchanges the certificate, and signs as they like.
    const thief = own.rollOver();
    const settings = { ...connection.settings, certificates: [thief] };
    await app.runtime
      .db('idp_connections')
      .where({ id: connection.id })
      .update({ settings: JSON.stringify(settings) });
    const visitor = app.visitor();
    const page = await named(visitor, root.user.username, other);
    const { id } = await toUpstream(visitor, page);
    const xml = await own.answer(app, upstreamPerson('r'), { inResponseTo: id });
    const asked = await visitor.open((await postAnswer(app, xml, id)).headers.location ?? '');
    expect(asked.body).toContain('name="code"');
    const { rows } = await app.runtime.db.raw('select 1 from sessions where user_id = ?', [root.user.id]);
    expect(rows).toEqual([]);
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

describe('what is left to do here for people of single sign-on', () => {
  async function strict() {
    const of = await makeCompany(app);
    const own = new TestIdp(`own-${of.loginSlug}`);
    const connection = await connectIdp(app, of, own, { name: 'Own Okta', enforce: enforced });
    return { of, own, connection };
  }

  it('C26 a link to set a password leads to the button instead, and sets none', async () => {
    const { of } = await strict();
    const person = await makePerson(app, of);
    const token = 'T'.repeat(43);
    await app.runtime.db('links').insert({
      id: newId(),
      kind: 'passwordReset',
      token_hash: tokenHash(token),
      company_id: of.id,
      user_id: person.user.id,
      sent_to: person.user.email,
      created_at: app.clock.now(),
      expires_at: new Date(app.clock.now().getTime() + 3_600_000),
    });
    const visitor = app.visitor();
    const page = await visitor.open(`/reset-password/${token}`);
    expect(page.body).toContain('logs in with single sign-on');
    expect(page.body).not.toContain('name="password"');
    const link = /href="(\/login\/[^"]+)"/.exec(page.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect((await visitor.open(link)).headers.location).toMatch(/^https:\/\/own-/);
    const refused = await setPasswordByLink(app.operator(), 'passwordReset', token, 'Another-Harbour-77');
    expect(refused).toEqual({ outcome: 'sso' });
  });

  it('A10.13 their 2FA reads SSO, and is not reset by anybody; with our own factor asked for it is ours again', async () => {
    const { of, connection } = await strict();
    const person = await makePerson(app, of);
    const root = await makePerson(app, of, { role: 'Root Admin' });
    const visitor = app.visitor();
    await signIn(app, visitor, root, '/login');
    const list = await visitor.open('/admin/users');
    expect(list.body).toContain('SSO');
    expect(list.body).not.toContain(`/admin/users/${person.user.id}/reset-2fa`);
    expect((await visitor.open(`/admin/users/${person.user.id}/security`)).body).toContain('<dd>SSO</dd>');
    await expect(resetSecondFactor(app.operator(), of.id, person.user.id)).rejects.toThrow('single sign-on');
    await app.runtime.db('idp_connections').where({ id: connection.id }).update({ asks_second_factor: true });
    await resetSecondFactor(app.operator(), of.id, person.user.id);
  });

  it('C9 a lock of the local way does not hold who comes through the upstream, and their coming does not lift it', async () => {
    const { of, own } = await strict();
    const person = await makePerson(app, of);
    const until = new Date(app.clock.now().getTime() + 600_000);
    await app.runtime.db('users').where({ id: person.user.id }).update({ failures: 5, locked_until: until });
    const visitor = app.visitor();
    const { id } = await toUpstream(visitor, await named(visitor, person.user.username, of));
    const xml = await own.answer(app, upstreamPerson('p', { Email: person.user.email }), { inResponseTo: id });
    const home = await visitor.open((await postAnswer(app, xml, id)).headers.location ?? '');
    expect(home.status, home.body).toBe(200);
    const kept = await app.runtime.store.of(of.id).users.findById(person.user.id);
    expect([kept?.failures, kept?.lockedUntil]).toEqual([5, until]);
  });

  it('B.3 the IP access list holds for the upstream, too', async () => {
    const { of, own } = await strict();
    await app.runtime
      .db('companies')
      .where({ id: of.id })
      .update({ policy: JSON.stringify({ ipList: { enabled: true } }) });
    const visitor = app.visitor();
    const { id } = await toUpstream(visitor, await named(visitor, 'p', of));
    const page = await visitor.open(
      (await postAnswer(app, await own.answer(app, upstreamPerson('p'), { inResponseTo: id }), id)).headers.location ??
        '',
    );
    expect(page.status).toBe(403);
    expect(page.body).toContain('does not allow logging in from this network');
  });

  it('D.5 a proved e-mail domain leads to the upstream, by login_hint and by the field, and an unproved one does not', async () => {
    const { of, own } = await strict();
    const domain = `${of.loginSlug}.example`;
    const row = { company_id: of.id, domain, proof: 'x', created_at: app.clock.now() };
    await app.runtime.db('email_domains').insert(row);
    const asked = (hint: string) => app.visitor().open(`/login?username=${encodeURIComponent(hint)}`);
    expect((await asked(`pat@${domain}`)).body).toContain('name="company"');
    await app.runtime.db('email_domains').where({ domain }).update({ verified_at: app.clock.now() });
    expect((await asked(`pat@${domain}`)).headers.location).toContain(own.ssoUrl);
    const visitor = app.visitor();
    const typed = await visitor.submit(await visitor.open('/login'), { username: `pat@${domain}`, company: '' });
    expect(typed.headers.location).toContain(own.ssoUrl);
    expect((await asked(`pat@other-${domain}`)).status).toBe(200);
  });

  it('prompt=login asks the upstream to prove the person anew', async () => {
    const { of, own } = await strict();
    const visitor = app.visitor();
    const { address } = await toUpstream(
      visitor,
      await named(visitor, 'p', of, authorizeAddress(module, { prompt: 'login' })),
    );
    expect(await own.readRequest(address)).toMatchObject({ forceAuthn: 'true' });
  });

  it('C25 a module that demands our second factor gets it from people of single sign-on, too', async () => {
    const { of, own } = await strict();
    const person = await makePerson(app, of);
    const needy = await makeModule(app, [of]);
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:unified-login:mfa' } } });
    const visitor = app.visitor();
    const enter = async (start: string) => {
      const { id } = await toUpstream(visitor, await named(visitor, person.user.username, of, start));
      const xml = await own.answer(app, upstreamPerson('p', { Email: person.user.email }), { inResponseTo: id });
      return visitor.open((await postAnswer(app, xml, id)).headers.location ?? '');
    };
    // Signed in already, by the upstream alone.
    expect((await enter('/login')).status).toBe(200);
    const asked = await visitor.open(authorizeAddress(needy, { claims }));
    const { id } = await toUpstream(visitor, asked);
    const xml = await own.answer(app, upstreamPerson('p', { Email: person.user.email }), { inResponseTo: id });
    const page = await visitor.open((await postAnswer(app, xml, id)).headers.location ?? '');
    expect(page.body).toContain('name="code"');
    const done = await visitor.submit(page, { code: await freshCode(app, person) }, '/code');
    const tokens = await redeem(app, needy, answerOf(done).get('code') ?? '');
    const said = JSON.parse(Buffer.from(String(tokens.body.id_token).split('.')[1] ?? '', 'base64url').toString());
    expect(said).toMatchObject({ amr: ['fed', 'otp', 'mfa'], acr: 'urn:unified-login:mfa' });
  });

  it('C25 who was made by the upstream sets up our factor at once where it is asked for, and is in with it alone', async () => {
    const { of, own, connection } = await strict();
    await app.runtime.db('idp_connections').where({ id: connection.id }).update({ asks_second_factor: true });
    const visitor = app.visitor();
    const { id } = await toUpstream(visitor, await named(visitor, 'newly', of));
    const xml = await own.answer(app, upstreamPerson('newly'), { inResponseTo: id });
    const page = await visitor.open((await postAnswer(app, xml, id)).headers.location ?? '');
    const secret = /[A-Z2-7]{4}(?: [A-Z2-7]{4}){3,}/.exec(wordsOf(page))?.[0].replaceAll(' ', '') ?? '';
    const code = generateSync({ secret, epoch: Math.floor(app.clock.now().getTime() / 1000) });
    const codes = await visitor.submit(page, { code }, '/enrol');
    expect(
      (await app.runtime.db.raw(`select 1 from sessions s join users u on u.id = s.user_id where u.username = 'newly'`))
        .rows,
    ).toEqual([]);
    const home = codes.body.includes('recovery-codes') ? await visitor.submit(codes, {}, '/recovery-codes') : codes;
    expect(home.status, home.body).toBe(200);
    const { rows } = await app.runtime.db.raw(
      `select amr from sessions s join users u on u.id = s.user_id where u.username = 'newly'`,
    );
    expect(rows[0].amr).toEqual(['fed', 'otp', 'mfa']);
  });

  it('A10.13 C26 their own page offers neither a password nor a second factor', async () => {
    const { of, own } = await strict();
    const visitor = app.visitor();
    const { id } = await toUpstream(visitor, await named(visitor, 'own', of));
    await visitor.open(
      (await postAnswer(app, await own.answer(app, upstreamPerson('own'), { inResponseTo: id }), id)).headers
        .location ?? '',
    );
    const page = await visitor.open('/settings/security');
    expect(page.status, page.body).toBe(200);
    expect(page.body).toContain('No password is used here');
    expect(page.body).not.toContain('name="password"');
    expect(page.body).not.toContain('/settings/second-factor/reset');
  });
});
