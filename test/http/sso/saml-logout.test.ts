// Single logout that the identity provider begins (SAML core 3.7), and what thieves make of it.
import { createRequire } from 'node:module';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { ensureSamlKey } from '../../../src/domain/keys/saml-key.ts';
import { freePort, startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
} from '../../support/people.ts';
import {
  connectIdp,
  postAnswer,
  TestIdp,
  toUpstream,
  type UpstreamPerson,
  upstreamPerson,
} from '../../support/saml-idp.ts';
import {
  byForm,
  byQuery,
  type LogoutWords,
  logoutXml,
  packed,
  signedLogout,
  signedQuery,
} from '../../support/saml-logout.ts';
import type { Page, Visitor } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let module: TestModule;
let connection: StoredConnection;
const idp = new TestIdp();

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
  company = await makeCompany(app, 'Northwind IT');
  module = await makeModule(app, [company], { backchannel_logout_uri: 'https://module.example/logout' });
  const all = await app.runtime.store.of(company.id).groups.getSystem('system-all');
  const creation = { on: true, role: 'User' as const, groupIds: [all.id as string] };
  connection = await connectIdp(app, company, idp, { name: 'Northwind Okta', saml: { sloUrl: idp.sloUrl }, creation });
});
afterAll(() => app.stop());

/** Signs in through the upstream, whose session has this name. */
async function arrive(
  name: string,
  sessionIndex: string | undefined,
  { at = idp, of = company, start = '/login' } = {},
): Promise<Visitor> {
  const visitor = app.visitor();
  const page = await visitor.submit(await visitor.open(start), { username: name, company: of.name });
  const { id } = await toUpstream(visitor, page);
  const person: UpstreamPerson = upstreamPerson(name);
  const xml = await at.answer(app, person, { inResponseTo: id, sessionIndex });
  await visitor.open((await postAnswer(app, xml, id)).headers.location ?? '');
  return visitor;
}

const isIn = async (visitor: Visitor): Promise<boolean> =>
  (await visitor.send(authorizeAddress(module, { prompt: 'none' }))).headers.location?.includes('code=') === true;

/** What a request of this upstream ends with. */
const logOut = (words: LogoutWords = {}, relayState?: string): Promise<Page> =>
  byQuery(
    app,
    signedQuery(packed(logoutXml(app, idp, words)), idp.key, relayState === undefined ? {} : { relayState }),
  );

const lastAttempt = () =>
  app.runtime
    .db('sso_attempts')
    .where({ connection_id: connection.id })
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .first();

const isRefused = (page: Page) =>
  page.status === 303 && page.headers.location?.startsWith('/sso/logout-problem') === true;

describe('an upstream that logs somebody out', () => {
  it('HTTP-Redirect: the session is dead at once, its modules are to be told, and our signed answer goes to the metadata’s address', async () => {
    const visitor = await arrive('mia', '_s1', { start: authorizeAddress(module) });
    expect(await isIn(visitor)).toBe(true);
    const page = await logOut({ id: '_asked-1', sessions: ['_s1'] }, 'theirs & back');
    const address = new URL(page.headers.location ?? '');
    expect(`${address.origin}${address.pathname}`).toBe(idp.sloUrl);
    expect(address.searchParams.get('RelayState')).toBe('theirs & back');
    const answer = inflateRawSync(Buffer.from(address.searchParams.get('SAMLResponse') ?? '', 'base64')).toString();
    expect(answer).toContain('InResponseTo="_asked-1"');
    expect(answer).toContain('status:Success');
    expect(answer).toContain(`Destination="${idp.sloUrl}"`);
    expect(await isIn(visitor)).toBe(false);
    const { rows } = await app.runtime.db.raw(
      `select data from pgboss.job where name = 'back-channel-logout' and data ->> 'clientId' = ?`,
      [module.clientId],
    );
    expect(rows).toHaveLength(1);
    const [session] = await app.runtime
      .db('sessions')
      .where({ connection_id: connection.id })
      .orderBy('created_at', 'desc');
    expect(session).toMatchObject({ end_reason: 'upstream-logout' });
    // Neither the name of the session nor of the person is kept readable.
    expect(session.upstream_session_hash).toMatch(/^[\w-]{43}$/);
    expect(await lastAttempt()).toMatchObject({ outcome: 'logged-out', code: null, user_id: session.user_id });
    const [event] = await app.runtime
      .db('audit_events')
      .where({ action: 'session.end' })
      .orderBy('at', 'desc')
      .limit(1);
    expect(event).toMatchObject({ details: { reason: 'upstream-logout' } });
  });

  it('HTTP-POST: the same, from another site and without our cookies', async () => {
    const visitor = await arrive('mia', '_s2');
    const page = await byForm(app, signedLogout(logoutXml(app, idp, { sessions: ['_s2'] }), idp.key), 'x');
    expect(page.headers.location, page.body).toContain(`${idp.sloUrl}?`);
    expect(await isIn(visitor)).toBe(false);
  });

  it('with SessionIndex that session ends, and one that was never named; without, all of the person that came this way', async () => {
    const [one, two, nameless] = [await arrive('noa', '_a'), await arrive('noa', '_b'), await arrive('noa', undefined)];
    const other = await arrive('mia', '_a');
    await logOut({ nameId: 'id-of-noa', sessions: ['_a'] });
    expect([await isIn(one), await isIn(two), await isIn(nameless), await isIn(other)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    await logOut({ nameId: 'id-of-noa' });
    expect([await isIn(two), await isIn(other)]).toEqual([false, true]);
  });

  it('sessions that the person began otherwise go on, and so does the sign-in of somebody else', async () => {
    const own = await makeCompany(app);
    const elsewhere = new TestIdp('elsewhere');
    const all = await app.runtime.store.of(own.id).groups.getSystem('system-all');
    await connectIdp(app, own, elsewhere, { creation: { on: true, role: 'User', groupIds: [all.id as string] } });
    const visitor = await arrive('mia', '_c', { at: elsewhere, of: own });
    expect((await visitor.open('/')).body).toContain('Mia');
    await logOut({ sessions: ['_c'] });
    expect((await visitor.open('/')).body).toContain('Mia');
  });

  it('a sign-in that is proved and not yet a session does not become one afterwards', async () => {
    const visitor = app.visitor();
    const page = await visitor.submit(await visitor.open('/login'), { username: 'mia', company: company.name });
    const { id } = await toUpstream(visitor, page);
    const xml = await idp.answer(app, upstreamPerson('mia'), { inResponseTo: id, sessionIndex: '_late' });
    const finish = await visitor.send((await postAnswer(app, xml, id)).headers.location ?? '');
    expect(finish.headers.location).toMatch(/^\/auth\//);
    await logOut({ sessions: ['_late'] });
    await visitor.open(finish.headers.location ?? '');
    expect(await isIn(visitor)).toBe(false);
  });

  it('nobody of that name is logged in: that is an answer, too', async () => {
    const page = await logOut({ nameId: 'id-of-nobody' });
    expect(page.headers.location).toContain(`${idp.sloUrl}?`);
  });

  it('an upstream without a logout address of its own gets no answer; the person reads that they are logged out', async () => {
    const quiet = new TestIdp('quiet');
    await connectIdp(app, await makeCompany(app), quiet, {});
    const page = await byQuery(app, signedQuery(packed(logoutXml(app, quiet)), quiet.key));
    expect(page.headers.location).toBe('/signed-out');
  });
});

describe('samlify as the identity provider', () => {
  interface Entity {
    createLogoutRequest(
      to: Entity,
      binding: string,
      user: object,
      relayState?: string,
    ): { id: string; context: string };
    parseLogoutResponse(
      from: Entity,
      binding: string,
      request: { query: Record<string, string>; octetString: string },
    ): Promise<{ extract: { response: { inResponseTo: string } } }>;
  }
  interface Samlify {
    setSchemaValidator(validator: { validate(xml: string): Promise<string> }): void;
    IdentityProvider(settings: object): Entity;
    ServiceProvider(settings: object): Entity;
  }
  const samlify = createRequire(import.meta.url)('samlify') as Samlify;
  samlify.setSchemaValidator({ validate: async () => 'not checked' });

  it.each(['redirect', 'post'])(
    'by %s: its request is honoured, and it verifies our answer by our metadata',
    async (binding) => {
      const visitor = await arrive('mia', '_samlify');
      const certificate = idp.cert.replace(/-----[A-Z ]+-----|\s+/g, '');
      const metadata = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${idp.entityId}"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${idp.sloUrl}"/><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${idp.ssoUrl}"/></IDPSSODescriptor></EntityDescriptor>`;
      const provider = samlify.IdentityProvider({
        metadata,
        privateKey: idp.key,
        requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
        wantLogoutResponseSigned: true,
      });
      const ours = (await app.visitor().open('/sso/saml/metadata')).body;
      const us = samlify.ServiceProvider({ metadata: ours, wantLogoutRequestSigned: true });
      const asked = provider.createLogoutRequest(us, binding, { logoutNameID: 'id-of-mia', sessionIndex: '_samlify' });
      const page =
        binding === 'redirect'
          ? await byQuery(app, new URL(asked.context).search.slice(1))
          : await byForm(app, Buffer.from(asked.context, 'base64').toString());
      expect(page.headers.location, JSON.stringify(await lastAttempt())).toContain(`${idp.sloUrl}?`);
      expect(await isIn(visitor)).toBe(false);
      const url = new URL(page.headers.location ?? '');
      const octetString = ['SAMLResponse', 'SigAlg']
        .map((key) => `${key}=${encodeURIComponent(url.searchParams.get(key) ?? '')}`)
        .join('&');
      const answer = await provider.parseLogoutResponse(us, 'redirect', {
        query: Object.fromEntries(url.searchParams),
        octetString,
      });
      expect(answer.extract.response.inResponseTo).toBe(asked.id);
    },
  );
});

describe('what ends nobody’s session', () => {
  let visitor: Visitor;
  beforeAll(async () => {
    visitor = await arrive('mia', '_held');
  });
  const good = (words: LogoutWords = {}) => logoutXml(app, idp, { sessions: ['_held'], ...words });

  it.each<[string, string, () => Promise<Page>]>([
    ['unsigned by query', 'unsigned', () => byQuery(app, `SAMLRequest=${encodeURIComponent(packed(good()))}`)],
    ['unsigned by post', 'unsigned', () => byForm(app, good())],
    ['signed with another key', 'signature', () => byQuery(app, signedQuery(packed(good()), new TestIdp().key))],
    ['signed with another key, by post', 'signature', () => byForm(app, signedLogout(good(), new TestIdp().key))],
    [
      'a signature over another request',
      'signature',
      () => {
        const query = signedQuery(packed(good({ nameId: 'id-of-somebody' })), idp.key);
        return byQuery(app, query.replace(/SAMLRequest=[^&]*/, `SAMLRequest=${encodeURIComponent(packed(good()))}`));
      },
    ],
    [
      'another request beside the signed one',
      'malformed',
      () =>
        byQuery(
          app,
          `SAMLRequest=${encodeURIComponent(packed(good()))}&${signedQuery(packed(good({ nameId: 'x' })), idp.key)}`,
        ),
    ],
    [
      'another request under an escaped name',
      'malformed',
      () =>
        byQuery(
          app,
          `${signedQuery(packed(good({ nameId: 'x' })), idp.key)}&%53AMLRequest=${encodeURIComponent(packed(good()))}`,
        ),
    ],
    [
      'RelayState put in afterwards',
      'signature',
      () => byQuery(app, `${signedQuery(packed(good()), idp.key)}&RelayState=x`),
    ],
    [
      'SHA-1',
      'algorithm',
      () =>
        byQuery(app, signedQuery(packed(good()), idp.key, { algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' })),
    ],
    ['another destination', 'recipient', () => logOut({ destination: 'https://other.example/slo' })],
    ['no destination', 'recipient', () => logOut({ destination: null })],
    ['run out', 'expired', () => logOut({ ends: new Date(app.clock.now().getTime() - 120_000) })],
    [
      'old, and without an end',
      'expired',
      () => logOut({ ends: null, issued: new Date(app.clock.now().getTime() - 600_000) }),
    ],
    ['of the future', 'clock-skew', () => logOut({ issued: new Date(app.clock.now().getTime() + 600_000) })],
    [
      'XSW: the signed request inside of another one',
      'malformed',
      () => {
        const signed = signedLogout(good({ nameId: 'x', id: '_signed' }), idp.key);
        return byForm(app, good({ id: '_evil', more: `<samlp:Extensions>${signed}</samlp:Extensions>` }));
      },
    ],
    [
      'XSW: the signature of the inner one on the outer',
      'malformed',
      () => {
        const signed = signedLogout(good({ nameId: 'x', id: '_signed' }), idp.key);
        const signature = /<Signature .*?<\/Signature>/s.exec(signed)?.[0] ?? '';
        const inner = signed.replace(signature, '');
        return byForm(
          app,
          good({ id: '_evil', more: signature.replace('</Signature>', `<Object>${inner}</Object></Signature>`) }),
        );
      },
    ],
    [
      'XSW: one id of both',
      'malformed',
      () => {
        const signed = signedLogout(good({ nameId: 'x', id: '_same' }), idp.key);
        return byForm(app, good({ id: '_same', more: `<samlp:Extensions>${signed}</samlp:Extensions>` }));
      },
    ],
    [
      'somebody else put in after signing',
      'signature',
      () => byForm(app, signedLogout(good({ nameId: 'id-of-x' }), idp.key).replace('id-of-x', 'id-of-mia')),
    ],
    ['a comment in the name', 'malformed', () => byForm(app, good().replace('id-of-mia', 'id-of-mia<!-- -->.evil'))],
  ])('%s: %s', async (_, problem, send) => {
    const before = await lastAttempt();
    const page = await send();
    expect(isRefused(page), page.headers.location).toBe(true);
    expect(await isIn(visitor)).toBe(true);
    const attempt = await lastAttempt();
    // What cannot even be read says no issuer, and so belongs to no log.
    if (attempt.at > (before?.at ?? 0)) expect(attempt).toMatchObject({ outcome: problem, details: { of: 'logout' } });
    else expect(problem).toBe('malformed');
    const shown = await app.visitor().open(page.headers.location ?? '');
    expect([shown.status, shown.body.includes('That logout did not work')]).toEqual([403, true]);
  });

  it.each<[string, () => Promise<Page>]>([
    ['a bomb that inflates to gigabytes', () => byQuery(app, signedQuery(packed(' '.repeat(8_000_000)), idp.key))],
    ['no deflate at all', () => byQuery(app, signedQuery(Buffer.from(good()).toString('base64'), idp.key))],
    [
      'XXE',
      () => byForm(app, `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>${good().replace('id-of-mia', '&x;')}`),
    ],
    ['an answer where a request should be', () => byForm(app, good().replaceAll('LogoutRequest', 'LogoutResponse'))],
    ['of an issuer that nobody has', () => logOut({ issuer: 'https://nobody.example' })],
    ['no issuer', () => byForm(app, good().replace(/<saml:Issuer>.*<\/saml:Issuer>/, ''))],
    ['a form of gigabytes', () => byForm(app, 'x'.repeat(600_000))],
  ])('%s is refused in no time', async (_, send) => {
    const began = performance.now();
    const page = await send().catch(() => null);
    expect(performance.now() - began).toBeLessThan(2000);
    if (page) expect(isRefused(page) || page.status === 413, `${page.status} ${page.headers.location}`).toBe(true);
    expect(await isIn(visitor)).toBe(true);
  });

  it('replay: it counts once, also in parallel and at another node', async () => {
    const again = await arrive('pia', '_replayed');
    const xml = logoutXml(app, idp, { nameId: 'id-of-pia' });
    const query = signedQuery(packed(xml), idp.key);
    const node = await app.node();
    const pages = await Promise.all([
      byQuery(app, query),
      byQuery(app, query),
      byQuery(app, query, app.visitor().at(node.port)),
    ]);
    expect(pages.filter(isRefused)).toHaveLength(2);
    expect(await isIn(again)).toBe(false);
    const back = await arrive('pia', '_replayed');
    expect(isRefused(await byForm(app, signedLogout(xml, idp.key)))).toBe(true);
    expect(await isIn(back)).toBe(true);
  });

  it('a company that names the issuer of another one ends its own sessions only', async () => {
    const thief = new TestIdp();
    const own = await makeCompany(app);
    Object.assign(thief, { entityId: idp.entityId });
    await connectIdp(app, own, thief, { saml: { sloUrl: 'https://thief.example/slo' } });
    const page = await byQuery(app, signedQuery(packed(good()), thief.key));
    // It is answered there, with its own certificate: it has nobody to log out.
    expect(page.headers.location).toContain('https://thief.example/slo');
    expect(await isIn(visitor)).toBe(true);
  });

  it('no open redirect: a company that copies all of the metadata of another one, but for its logout address, gets no browser sent', async () => {
    const copy = new TestIdp('copied');
    const [evil, own] = [await makeCompany(app), await makeCompany(app)];
    await connectIdp(app, evil, copy, { saml: { sloUrl: 'https://thief.example/slo' } });
    await connectIdp(app, own, copy, { saml: { sloUrl: copy.sloUrl } });
    await arrive('lea', '_copied', { at: copy, of: own });
    const asked = (words: LogoutWords) => byQuery(app, signedQuery(packed(logoutXml(app, copy, words)), copy.key));
    const page = await asked({ nameId: 'id-of-lea', sessions: ['_copied'] });
    expect(page.headers.location).toContain(`${copy.sloUrl}?`);
    // Nobody is logged in, so nothing tells which of the two is the real one.
    expect((await asked({ nameId: 'id-of-nobody' })).headers.location).toBe('/signed-out');
  });

  it('one identity provider for many companies, and one that others have named before it: whoever is logged in is logged out', async () => {
    const many = new TestIdp('many');
    for (let i = 0; i < 20; i += 1) await connectIdp(app, await makeCompany(app), many, {});
    const own = await makeCompany(app);
    await connectIdp(app, own, many, { saml: { sloUrl: many.sloUrl } });
    const last = await arrive('mia', '_many', { at: many, of: own });
    expect((await last.open('/')).body).toContain('Mia');
    const asked = logoutXml(app, many, { sessions: ['_many'] });
    const page = await byQuery(app, signedQuery(packed(asked), many.key));
    expect(page.headers.location).toContain(`${many.sloUrl}?`);
    expect((await last.open('/')).body).not.toContain('Mia');
  });

  it('our answer is signed by our key, and goes nowhere that the request names', async () => {
    const key = await ensureSamlKey(app.operator());
    const evil = '<samlp:Extensions><a ResponseLocation="https://evil.example"/></samlp:Extensions>';
    const page = await logOut({ nameId: 'nobody', more: evil }, 'https://evil.example/');
    const url = new URL(page.headers.location ?? '');
    expect(url.origin).toBe(new URL(idp.sloUrl).origin);
    expect(key.certificate).toContain('BEGIN CERTIFICATE');
    expect(url.searchParams.get('SigAlg')).toMatch(/rsa-sha256$/);
  });
});

describe('who logs out here, and comes back from the upstream', () => {
  const bye = 'https://module.example/bye';
  let asking: TestModule;
  beforeAll(async () => {
    asking = await makeModule(app, [company], { post_logout_redirect_uris: [bye] });
  });

  /** Logs out as the module asks for it. @returns where the browser is sent, to the upstream */
  async function leave(state = 'kept'): Promise<{ visitor: Visitor; address: URL }> {
    const visitor = await arrive('mia', '_leaving');
    const code = answerOf(await visitor.open(authorizeAddress(asking))).get('code') ?? '';
    const tokens = await redeem(app, asking, code);
    const query = new URLSearchParams({
      id_token_hint: String(tokens.body.id_token),
      post_logout_redirect_uri: bye,
      state,
    });
    const page = await visitor.send(`/session/end?${query}`);
    const left = await visitor.submitOnce(page, { logout: 'yes' }, '/session/end/confirm');
    return { visitor, address: new URL(left.headers.location ?? '', app.url) };
  }

  const answerXml = (status: string) =>
    `<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0" IssueInstant="${app.clock.now().toISOString()}"><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${status}"/></samlp:Status></samlp:LogoutResponse>`;
  const back = (relayState: string, status = 'Success') =>
    `/sso/saml/logout?${new URLSearchParams({ SAMLResponse: packed(answerXml(status)), RelayState: relayState })}`;

  it('/session/end goes to the upstream, signed, with an id of ours for RelayState, and ends where the module asked', async () => {
    const { visitor, address } = await leave();
    expect(`${address.origin}${address.pathname}`).toBe(idp.sloUrl);
    const relayState = address.searchParams.get('RelayState') ?? '';
    expect(relayState).toMatch(/^_[0-9a-f]{40}$/);
    const request = inflateRawSync(Buffer.from(address.searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
    expect(request).toContain('id-of-mia');
    expect(request).toContain('_leaving');
    expect(await isIn(visitor)).toBe(false);
    const page = await visitor.send((await visitor.send(back(relayState))).headers.location ?? '');
    expect([page.status, page.headers.location]).toEqual([303, `${bye}?state=kept`]);
  });

  it('a module’s address that fits into no cookie is where it ends, without the upstream; up to there the cookie is kept', async () => {
    const long = (await leave('x'.repeat(3000))).address;
    expect(`${long.origin}${long.pathname}`).toBe(bye);
    const { visitor, address } = await leave('x'.repeat(900));
    expect(address.origin).toBe(new URL(idp.sloUrl).origin);
    // RFC 6265 section 6.1: what browsers keep at least, and in fact at most.
    const kept = visitor.jar.find(({ name }) => name.endsWith('sso_leaving'));
    expect(`${kept?.name}=${kept?.value}`.length).toBeLessThan(4096);
  });

  it('an answer that is posted, and so comes without our cookies, leads there as well', async () => {
    const { visitor, address } = await leave();
    const form = {
      SAMLResponse: Buffer.from(answerXml('Success')).toString('base64'),
      RelayState: address.searchParams.get('RelayState') ?? '',
    };
    const posted = await app.visitor().send('/sso/saml/logout', {
      body: new URLSearchParams(form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://idp.example' },
    });
    const page = await visitor.send(posted.headers.location ?? '');
    expect(page.headers.location).toBe(`${bye}?state=kept`);
  });

  it('no open redirect: RelayState leads nowhere that it names, and in no other browser', async () => {
    const { visitor, address } = await leave();
    const relayState = address.searchParams.get('RelayState') ?? '';
    const tries: [Visitor, string][] = [
      [visitor, 'https://evil.example/'],
      [visitor, `${relayState}x`],
      [app.visitor(), relayState],
    ];
    for (const [who, said] of tries) {
      const page = await who.open(back(said));
      expect(page.url).toMatch(/\/signed-out$/);
      expect(page.body).not.toContain('evil.example');
    }
    expect((await visitor.send('/sso/saml/logout?SAMLResponse=x')).headers.location).toBe('/signed-out');
  });

  it('an upstream that does not confirm: the page says so, and leads on to the module', async () => {
    const { visitor, address } = await leave();
    const page = await visitor.open(back(address.searchParams.get('RelayState') ?? '', 'Responder'));
    expect(page.body).toContain('Northwind Okta did not confirm');
    expect(page.body).toContain(`href="${bye}?state=kept"`);
  });

  it('an upstream that is down: logged out here at once, told so plainly, with the way there for later', async () => {
    const gone = `http://localhost:${await freePort()}/slo`;
    const { settings } = connection;
    const row = () => app.runtime.db('idp_connections').where({ id: connection.id });
    await row().update({ settings: JSON.stringify({ ...settings, sloUrl: gone }) });
    const { visitor, address: away } = await leave();
    expect(away.pathname).toBe('/sso/log-out-there');
    expect(await isIn(visitor)).toBe(false);
    const page = await visitor.open(away.pathname);
    expect(page.body).toContain('Northwind Okta cannot be reached right now');
    expect(page.body).toContain(`href="${gone}?SAMLRequest=`);
    expect(page.body).toContain(`href="${bye}?state=kept"`);
    await row().update({ settings: JSON.stringify(settings) });
  });
});

describe('the log of the connection', () => {
  it('tells of logouts there, honoured and refused, as what they are; a stranger’s refusals push nothing out', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const visitor = app.visitor();
    await signIn(app, visitor, admin, '/login');
    await arrive('mia', '_logged');
    await logOut({ sessions: ['_logged'] });
    const first = await lastAttempt();
    for (let i = 0; i < 5; i += 1) await byForm(app, logoutXml(app, idp));
    const { rows } = await app.runtime.db.raw(
      `select tries from sso_attempts where connection_id = ? and outcome = 'unsigned'`,
      [connection.id],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0].tries).toBeGreaterThanOrEqual(5);
    const list = await visitor.open(`/admin/sso/${connection.id}/log`);
    expect(list.body).toContain('Logged out there');
    const honoured = await visitor.open(`/admin/sso/${connection.id}/log/${first.id}`);
    expect(honoured.body).toContain('Logout of Mia');
    expect(honoured.body).toContain('HTTP-Redirect');
    const refused = await visitor.open(`/admin/sso/${connection.id}/log/${(await lastAttempt()).id}`);
    expect(refused.body).toContain('Logout of somebody unknown');
  });
});
