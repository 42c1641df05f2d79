// Admin Settings > Single Sign-On: connections with their guides, metadata, settings, the test, enabling, domains, break-glass people, log.
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { ConnectionId } from '../../../src/domain/federation/connection.ts';
import { proofHost, proofRecord } from '../../../src/domain/federation/email-domain.ts';
import { testedHashOf } from '../../../src/domain/federation/tested.ts';
import { selfSigned } from '../../../src/lib/certificate.ts';
import { days, minutes } from '../../../src/lib/time.ts';
import type { TxtRecords } from '../../../src/lib/txt-records.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { but, filled, post } from '../../support/connected.ts';
import { type AtDesk, atDesk } from '../../support/console.ts';
import { arrive, claimsOf, getConnection, groupsOf, makeConnection, workAs } from '../../support/federation.ts';
import { freshCode, makeCompany, makePerson } from '../../support/people.ts';
import { signed } from '../../support/saml-attacks.ts';
import { connectIdp, postAnswer, TestIdp, upstreamPerson } from '../../support/saml-idp.ts';
import { multipart, multipartType } from '../../support/upload.ts';
import { formsOf, type Page, unescapeHtml, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let admin: AtDesk;
const idp = new TestIdp();
const zone = new Map<string, TxtRecords>();

beforeAll(async () => {
  app = await startApp({ txtRecords: async (host) => zone.get(host) ?? { outcome: 'none' } });
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app);
  admin = await atDesk(app, company);
}, 60_000);
afterAll(() => app.stop());

const list = () => app.runtime.store.of(company.id).connections.list();
const open = (address: string) => admin.visitor.open(address);
const text = (page: Page) => wordsOf(page);

/** What a form would send as it stands, fields of several lines included. */
const whole = (page: Page, action: string): [string, string][] => [
  ...filled(page, action),
  ...[...page.body.matchAll(/<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)</g)].map(
    ([, name = '', value = '']): [string, string] => [name, unescapeHtml(value)],
  ),
];

const byHand = {
  name: 'Contoso',
  'settings.entityId': idp.entityId,
  'settings.ssoUrl': idp.ssoUrl,
  'settings.certificates': idp.cert,
};

const metadata = (certificate = idp.cert) => `<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${idp.entityId}">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${certificate.replace(/-----[A-Z ]+-----|\s/g, '')}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${idp.ssoUrl}"/>
</md:IDPSSODescriptor></md:EntityDescriptor>`;

describe('the list', () => {
  it('B.5 is empty at first, and says that nothing changes by adding', async () => {
    const other = await atDesk(app, await makeCompany(app));
    const page = await other.visitor.open('/admin/sso');
    expect(text(page)).toContain('No connection yet');
    expect(page.body).toContain('href="/admin/sso/new"');
  });

  it('C26 shows kind, state, last sign-in and the end of the certificate, with a warning 30 days ahead', async () => {
    const connection = await connectIdp(app, company, idp, { name: 'Listed' });
    await arrive(app, connection, claimsOf('listed@contoso.example'), idp.entityId);
    expect(text(await open('/admin/sso'))).toMatch(
      /Listed SAML 2\.0 Enabled Test it Listed 1 person just now in 12 months/,
    );
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [from, until] = [new Date(Date.now() - days(1)), new Date(Date.now() + days(14.5))];
    const certificates = [selfSigned(privateKey, { name: 'Old', from, until })];
    const old = await connectIdp(app, company, idp, { name: 'Old', saml: { certificates } });
    expect(text(await open('/admin/sso'))).toContain('Ends soon');
    expect(text(await open(`/admin/sso/${old.id}`))).toContain('The certificate ends in 15 days');
    await app.runtime.store.of(company.id).connections.delete(old.id);
    await app.runtime.store.of(company.id).connections.delete(connection.id);
  });
});

describe('a new connection', () => {
  it.each([
    ['entra', ['Identifier (Entity ID)', 'user.userprincipalname', 'CompanyIdentifier', '/sso/saml/callback']],
    ['okta', ['Audience URI (SP Entity ID)', 'user.login', 'CompanyIdentifier', '/sso/saml/callback']],
    ['google', ['ACS URL', 'Group membership', 'CompanyIdentifier', '/sso/saml/callback']],
    ['adfs', ['Relying party trust identifier', 'E-Mail-Addresses', 'CompanyIdentifier', '/sso/saml/metadata']],
    ['saml', ['Entity ID (audience)', 'FirstName', 'CompanyIdentifier', '/sso/saml/callback']],
    ['oidc', ['Redirect URI', 'preferred_username', '/sso/oidc/callback/']],
  ])('B.5 has a guide for %s with the exact fields', async (product, words) => {
    const page = await open(`/admin/sso/new/${product}`);
    for (const word of words) expect(page.body).toContain(word);
    if (product !== 'oidc') expect(page.body).toContain(company.identifier);
  });

  it('of no product is 404', async () => {
    expect((await admin.visitor.send('/admin/sso/new/passly')).status).toBe(404);
    expect((await admin.visitor.send('/admin/sso/new/__proto__')).status).toBe(404);
  });

  it('T3 is added by hand, switched off, and leads to its test', async () => {
    const page = await admin.visitor.submit(await open('/admin/sso/new/okta'), byHand, '/new/okta');
    expect(page.url).toMatch(/\/admin\/sso\/[\w-]+\/test$/);
    const found = (await list()).find(({ name }) => name === 'Contoso');
    expect(found).toMatchObject({
      enabled: false,
      mapping: false,
      settings: { entityId: idp.entityId, signRequests: true },
    });
    expect(found?.settings.kind === 'saml' && found.settings.certificates).toHaveLength(1);
  });

  it('refused keeps what was typed, and says it at the field', async () => {
    const form = { ...byHand, name: 'Refused', 'settings.certificates': 'no certificate' };
    const page = await admin.visitor.submit(await open('/admin/sso/new/okta'), form, '/new/okta');
    expect(page.status).toBe(422);
    expect(page.body).toMatch(/aria-invalid="true"[^>]*aria-describedby="problem/);
    expect(text(page)).toContain('This is no certificate');
    expect(page.body).toContain('value="Refused"');
    const bad = { ...byHand, name: 'Refused', 'settings.ssoUrl': 'no address' };
    const other = await admin.visitor.submit(await open('/admin/sso/new/okta'), bad, '/new/okta');
    expect(text(other)).toContain('Enter the whole address');
  });

  it('of OpenID Connect needs its secret, and never shows it again', async () => {
    const form = { name: 'Upstream', 'settings.issuer': 'https://login.contoso.example', 'settings.clientId': 'ours' };
    const start = await open('/admin/sso/new/oidc');
    const refused = await admin.visitor.submit(start, { ...form, clientSecret: '' }, '/new/oidc');
    expect(refused.status).toBe(422);
    const page = await admin.visitor.submit(start, { ...form, clientSecret: 'a-long-client-secret' }, '/new/oidc');
    const id = page.url.split('/').at(-2) ?? '';
    expect((await open(`/admin/sso/${id}/settings`)).body).not.toContain('a-long-client-secret');
    expect((await open(`/admin/sso/${id}`)).body).toContain('https://login.contoso.example');
    await app.runtime.store.of(company.id).connections.delete(id);
  });

  async function upload(bytes: string): Promise<Page> {
    const page = await open('/admin/sso/new/okta');
    const form = formsOf(page).find(({ fields }) => fields.includes('file'));
    return admin.visitor.send('/admin/sso/metadata', {
      body: multipart({ csrf: form?.values.csrf ?? '', product: 'okta' }, { name: 'idp.xml', bytes }),
      headers: { 'content-type': multipartType, origin: app.url },
    });
  }

  it('reads a metadata file into the fields, and saves nothing by that', async () => {
    const before = (await list()).length;
    const page = await upload(metadata());
    expect(page.status).toBe(200);
    expect(page.body).toContain(`value="${idp.ssoUrl}"`);
    expect(page.body).toContain('-----BEGIN CERTIFICATE-----');
    expect((await list()).length).toBe(before);
    const action = '/admin/sso/new/okta';
    const added = await post(admin.visitor, action, but(whole(page, action), { name: 'From a file' }));
    expect(added.headers.location).toMatch(/\/test$/);
  });

  it('API-11 says why a file or an address is none, and asks nothing of our own network', async () => {
    const file = await upload('<!DOCTYPE x [<!ENTITY a "b">]><x/>');
    expect(file.status).toBe(422);
    expect(text(file)).toContain('no XML that is read here');
    const address = { 'settings.metadataUrl': 'http://169.254.169.254/latest/meta-data' };
    const page = await admin.visitor.submit(await open('/admin/sso/new/okta'), address, '/metadata/okta');
    expect(page.status).toBe(422);
    expect(page.body).toContain('value="http://169.254.169.254/latest/meta-data"');
  });
});

describe('the settings', () => {
  const form = (id: string) => open(`/admin/sso/${id}/settings`);
  const save = (page: Page, fields: Record<string, string | null>) => {
    const { pathname } = new URL(page.url);
    return post(admin.visitor, pathname, but(whole(page, pathname), fields));
  };

  it('are saved, with the names of attributes, new people and the second factor', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Saved' });
    const fields = {
      name: 'Renamed',
      'attributes.groups': 'memberOf',
      'creation.role': 'Admin',
      asksSecondFactor: 'yes',
    };
    const saved = await save(await form(id), fields);
    expect(saved.status, text(saved)).toBe(303);
    expect(await getConnection(app, company, id)).toMatchObject({
      name: 'Renamed',
      attributes: { groups: 'memberOf' },
      creation: { role: 'Admin' },
      asksSecondFactor: true,
    });
  });

  it('that somebody else saved meanwhile stand beside what was typed: 409', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Contended' });
    const mine = await form(id);
    await save(await form(id), { name: 'Theirs', 'attributes.groups': 'theirGroups', asksSecondFactor: 'yes' });
    const page = await save(mine, { name: 'Mine', 'attributes.username': 'uid' });
    expect(page.status).toBe(409);
    expect(page.body).toContain('value="Mine"');
    expect(text(page)).toContain('Saved meanwhile: Theirs');
    expect((await getConnection(app, company, id)).name).toBe('Theirs');
    // What I left as it was is theirs, and saving once more does not take it back.
    const fields = whole(page, `/admin/sso/${id}/settings`);
    expect(new URLSearchParams(fields).get('attributes.groups')).toBe('theirGroups');
    const saved = await post(admin.visitor, `/admin/sso/${id}/settings`, fields);
    expect(saved.status).toBe(303);
    expect(await getConnection(app, company, id)).toMatchObject({
      name: 'Mine',
      attributes: { groups: 'theirGroups', username: 'uid' },
      asksSecondFactor: true,
    });
  });

  it('Enable asks on a page of its own; before a test has passed with the settings of now, all ways lead there', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Untested', enabled: false });
    const { connections } = app.runtime.store.of(company.id);
    const pass = async () =>
      connections.setTested(id, testedHashOf(await getConnection(app, company, id)), app.clock.now());
    await pass();
    const ready = await save(await form(id), { enabled: 'yes', name: 'Ready' });
    expect(ready.headers.location).toBe(`/admin/sso/${id}/enable`);
    expect((await open(`/admin/sso/${id}/enable`)).body).toContain(`action="/admin/sso/${id}/enable"`);
    // The same save that turns it on makes its test void.
    const saved = await save(await form(id), { enabled: 'yes', 'settings.ssoUrl': 'https://idp.example/other' });
    expect(saved.headers.location).toBe(`/admin/sso/${id}/test`);
    expect(text(await open(saved.headers.location ?? ''))).toContain('Test Ready with them: then it can be enabled.');
    const refused = await post(admin.visitor, `/admin/sso/${id}/enable`, []);
    expect(refused.status).toBe(409);
    for (const page of [refused, await open(`/admin/sso/${id}/enable`)]) {
      expect(text(page)).toContain('once a test has passed');
      expect(page.body).toContain(`class="btn btn-primary" href="/admin/sso/${id}/test">Test Ready`);
      expect(page.body).not.toContain(`action="/admin/sso/${id}/enable"`);
    }
    expect((await getConnection(app, company, id)).enabled).toBe(false);
    await pass();
    await admin.visitor.submit(await open(`/admin/sso/${id}/enable`), {}, '/enable');
    expect((await getConnection(app, company, id)).enabled).toBe(true);
  });

  it('Disable and Delete name what ends', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Leaving' });
    const tooSoon = await admin.visitor.submit(await open(`/admin/sso/${id}/delete`), {}, '/delete');
    expect([tooSoon.status, text(tooSoon)]).toEqual([409, expect.stringContaining('Disable the connection first')]);
    expect((await open(`/admin/sso/${id}`)).body).not.toContain(`/admin/sso/${id}/delete`);
    const disabled = await admin.visitor.submit(await open(`/admin/sso/${id}/disable`), {}, '/disable');
    expect(text(disabled)).toContain('Leaving is disabled.');
    await admin.visitor.submit(await open(`/admin/sso/${id}/delete`), {}, '/delete');
    expect((await list()).some((one) => one.id === id)).toBe(false);
  });
});

describe('the test', () => {
  const begin = async (id: ConnectionId): Promise<string> => {
    const left = await admin.visitor.submitOnce(await open(`/admin/sso/${id}/test`), {}, '/test');
    return new URL(left.headers.location ?? '').searchParams.get('RelayState') ?? '';
  };

  it('C27 shows every claim that came back and what it would make of the person, and creates nobody; then it can be enabled', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Tested', enabled: false });
    const request = await begin(id);
    const person = upstreamPerson('tess', { groups: ['Field engineers'], department: 'IT <b>' });
    const posted = await postAnswer(app, await idp.answer(app, person, { inResponseTo: request }), request);
    const page = await open(posted.headers.location ?? '');
    expect(text(page)).toContain('The test passed');
    for (const word of ['tess@example.com', 'Field engineers', 'department', 'Would be created, and let in'])
      expect(text(page)).toContain(word);
    expect(page.body).not.toContain('IT <b>');
    const { users } = app.runtime.store.of(company.id);
    expect(await users.findByUsername('tess')).toBeNull();
    const enabled = await admin.visitor.submit(await open(`/admin/sso/${id}/enable`), {}, '/enable');
    expect(text(enabled)).toContain('Tested is enabled.');
    // Another administrator is shown nothing of it.
    const other = await atDesk(app, company);
    expect(text(await other.visitor.open(posted.headers.location ?? ''))).toContain('not there any more');
  });

  it('says under which other name something came, and that an e-mail came as the Name ID alone', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Other names', enabled: false });
    const request = await begin(id);
    const nameIdFormat = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
    const attributes = { Username: 'nina', firstname: 'Nina', Groups: ['IT', 'Everyone'] };
    const person = { nameId: 'nina@example.com', nameIdFormat, attributes };
    const posted = await postAnswer(app, await idp.answer(app, person, { inResponseTo: request }), request);
    const page = await open(posted.headers.location ?? '');
    expect(text(page)).toContain('from the Name ID: the attribute "Email" was missing.');
    expect(text(page)).toContain('Name ID nina@example.com E-mail, from the Name ID: "Email" was not sent');
    expect(text(page)).toContain('Did you mean "firstname"?');
    expect(text(page)).toContain('the attribute "groups" was missing. Did you mean "Groups"?');
  });

  it('says how far the clocks are apart, and the exact times as people read them', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Fast clock', enabled: false });
    const request = await begin(id);
    const xml = await idp.answer(app, upstreamPerson('fast'), { inResponseTo: request });
    const issued = new Date(app.clock.now().getTime() + minutes(20)).toISOString();
    const told = signed(xml.replace(/IssueInstant="[^"]*"/g, `IssueInstant="${issued}"`), { key: idp.key });
    const page = await open((await postAnswer(app, told, request)).headers.location ?? '');
    expect(text(page)).toContain('The clock of your identity provider is 20 minutes ahead.');
    expect(text(page)).toContain(`Upstream ${issued.slice(0, 10)} ${issued.slice(11, 19)} UTC`);
  });

  const noNames = { Email: 'new@example.com', Username: 'new' };
  it.each<[string, Record<string, string | string[]>, boolean, string, RegExp, boolean]>([
    ['a newcomer without names, creation on', noNames, true, 'Something is missing', /yet would be refused/, false],
    [
      'nobody here, creation off',
      upstreamPerson('new').attributes,
      false,
      'would not get in',
      /No account|is off/,
      true,
    ],
    [
      'the same without names',
      noNames,
      false,
      'would not get in',
      /need them once Automatic User Creation is on/,
      true,
    ],
    [
      'a username that is taken here',
      { ...noNames, ...{ FirstName: 'A', LastName: 'B' } },
      true,
      'would not get in',
      /has the username/,
      true,
    ],
  ])('T3 has one verdict: %s', async (what, attributes, on, title, words, ready) => {
    const { id } = await connectIdp(app, company, idp, {
      name: `Verdict ${what}`,
      enabled: false,
      creation: { on, role: 'User', groupIds: [] },
    });
    const username = what.startsWith('a username') ? admin.person.user.username : 'new';
    const request = await begin(id);
    const person = { nameId: 'new', attributes: { ...attributes, Username: username } };
    const posted = await postAnswer(app, await idp.answer(app, person, { inResponseTo: request }), request);
    const page = await open(posted.headers.location ?? '');
    expect(text(page)).toContain(title);
    expect(text(page)).toMatch(words);
    expect(text(page)).toContain('Would be refused');
    expect(text(page)).not.toContain('The test passed');
    expect(text(page).includes('It can be enabled now')).toBe(ready);
    expect(page.body.includes(`href="/admin/sso/${id}/enable"`)).toBe(ready);
    const enabled = await post(admin.visitor, `/admin/sso/${id}/enable`, []);
    expect(enabled.status).toBe(ready ? 303 : 409);
  });

  it('C27 AUT-19 whoever tests can bind their own account to the one there, with their own password and code', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Bound', enabled: false });
    const root = await atDesk(app, company, { role: 'Root Admin' });
    const left = await root.visitor.submitOnce(await root.visitor.open(`/admin/sso/${id}/test`), {}, '/test');
    const request = new URL(left.headers.location ?? '').searchParams.get('RelayState') ?? '';
    const answer = await idp.answer(app, upstreamPerson('root'), { inResponseTo: request });
    const posted = await postAnswer(app, answer, request);
    const result = await root.visitor.open(posted.headers.location ?? '');
    const key = { connectionId: id, issuer: idp.entityId, subject: 'id-of-root' };
    const bound = () => app.runtime.store.of(company.id).identities.findPerson(key);
    // Logged in a moment ago: still asked.
    const asked = await root.visitor.submit(result, {}, '/bind');
    expect(text(asked)).toContain('Confirm that it is you');
    const { password } = root.person;
    for (const wrong of [
      { password: 'not-it', code: '000000' },
      { password, code: '000000' },
      { password: '', code: '' },
    ]) {
      expect((await root.visitor.submit(asked, wrong, '/bind')).status).toBe(422);
      expect(await bound()).toBeNull();
    }
    const done = await root.visitor.submit(asked, { password, code: await freshCode(app, root.person) }, '/bind');
    expect(text(done)).toContain('You can log in through Bound');
    expect(await bound()).toBe(root.person.user.id);
  });

  it('that fails says what to mend, with the code that the log has', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Failing', enabled: false });
    const request = await begin(id);
    const answer = await idp.answer(app, upstreamPerson('tim'), {
      inResponseTo: request,
      audience: 'https://other.example',
    });
    const posted = await postAnswer(app, answer, request);
    const page = await open(posted.headers.location ?? '');
    expect(text(page)).toContain('Set the audience');
    const code = /<code>([0-9A-Z-]+)<\/code>/.exec(page.body)?.[1] ?? '';
    const log = await open(`/admin/sso/${id}/log?code=${code}`);
    expect(text(log)).toContain('Wrong audience');
    expect(text(log)).toContain('1 login');
  });
});

describe('the log', () => {
  it('shows one sign-in with what was said, how it was decided and what to do', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Logged' });
    const connection = await getConnection(app, company, id);
    const { noteAttempt } = await import('../../../src/domain/federation/request-commands.ts');
    const details = { claims: { email: '<script>alert(1)</script>' }, trace: ['Nobody here has the address.'] };
    await noteAttempt(app.operator(), connection, { outcome: 'refused: unmapped', details });
    await noteAttempt(app.operator(), connection, { outcome: 'signed-in', userId: admin.person.user.id, details: {} });
    const all = await open(`/admin/sso/${id}/log`);
    expect(text(all)).toContain('2 logins');
    const failed = await open(`/admin/sso/${id}/log?outcome=failed`);
    expect(text(failed)).toContain('1 login');
    const [, href = ''] = /class="cell-link" href="([^"]+)"/.exec(failed.body) ?? [];
    const one = await open(href);
    // As it is read out on the telephone.
    const [code = ''] = /[A-Z2-9]{4}-[A-Z2-9]{4}/.exec(text(failed)) ?? [];
    for (const typed of [code, code.toLowerCase().replace('-', ' '), code.replace('-', '')])
      expect(text(await open(`/admin/sso/${id}/log?code=${encodeURIComponent(typed)}`)), typed).toContain('1 login');
    expect(text(await open(`/admin/sso/${id}/log?code=ABCD`))).toContain('0 logins');
    expect(text(one)).toContain('None of the rules fits');
    expect(text(one)).toContain('Nobody here has the address.');
    expect(one.body).not.toContain('<script>alert');
    const foreign = await makeConnection(app, await makeCompany(app));
    expect((await admin.visitor.send(href.replace(id, foreign.id))).status).toBe(404);
  });
});

describe('who somebody is at the identity provider', () => {
  it('C27 can be taken back from the log, so that the address finds them once more', async () => {
    const { id } = await connectIdp(app, company, idp, { name: 'Rebound' });
    const connection = await getConnection(app, company, id);
    const claims = claimsOf('rebound@contoso.example');
    await arrive(app, connection, claims, idp.entityId);
    const again = { ...claims, subject: 'their new account' };
    const refused = await arrive(app, connection, again, idp.entityId);
    expect(refused.because).toBe('bound-elsewhere');
    const { noteAttempt } = await import('../../../src/domain/federation/request-commands.ts');
    const { userId } = refused;
    await noteAttempt(app.operator(), connection, { outcome: 'refused: bound-elsewhere', userId, details: {} });
    const [, href = ''] = /class="cell-link" href="([^"]+)"/.exec((await open(`/admin/sso/${id}/log`)).body) ?? [];
    const [, ask = ''] = /href="([^"]+\/release)"/.exec((await open(href)).body) ?? [];
    const done = await admin.visitor.submit(await open(ask), {}, '/release');
    expect(text(done)).toContain('is taken back');
    expect((await arrive(app, connection, again, idp.entityId)).outcome).toBe('accepted');
    expect((await admin.visitor.send(ask.replace(userId ?? '', admin.person.user.id))).status).toBe(404);
  });
});

describe('e-mail domains', () => {
  it('are added, proved in DNS and removed', async () => {
    const page = await admin.visitor.submit(await open('/admin/sso/domains'), { domain: ' @Northwind.example ' });
    expect(text(page)).toContain('Not proved');
    const added = await app.runtime.store.of(company.id).emailDomains.find('northwind.example');
    expect(page.body).toContain(proofRecord(added?.proof ?? ''));
    const missing = await admin.visitor.submit(page, {}, '/northwind.example/verify');
    expect(text(missing)).toContain('There is no TXT record at _unified-login.northwind.example yet.');
    zone.set(proofHost('northwind.example'), { outcome: 'found', records: [['other=1']] });
    const other = await admin.visitor.submit(page, {}, '/northwind.example/verify');
    expect(text(other)).toContain('other=1');
    zone.set(proofHost('northwind.example'), { outcome: 'found', records: [[proofRecord(added?.proof ?? '')]] });
    const proved = await admin.visitor.submit(page, {}, '/northwind.example/verify');
    expect(text(proved)).toContain('northwind.example is proved to be yours.');
    const ask = await open('/admin/sso/domains/northwind.example/remove');
    expect(text(await admin.visitor.submit(ask, {}, '/remove'))).toContain('No domain yet');
  });

  it('that are none are refused, and stay in the field', async () => {
    const page = await admin.visitor.submit(await open('/admin/sso/domains'), { domain: 'gmail.com' });
    expect(page.status).toBe(422);
    expect(page.body).toContain('value="gmail.com"');
    expect(text(page)).toContain('belongs to no company');
  });
});

describe('break-glass people', () => {
  it('C26 are found by typing, added with a reason and an end, changed and removed', async () => {
    const { user } = await makePerson(app, company, { username: 'on.call', role: 'Admin' });
    const found = await open('/admin/sso/break-glass?q=on.call');
    expect(found.body).toContain(`/admin/sso/break-glass/new?person=${user.id}`);
    const form = await open(`/admin/sso/break-glass/new?person=${user.id}`);
    const refused = await admin.visitor.submit(form, { reason: 'Nights', endsAt: '' }, '/new');
    expect(refused.status).toBe(422);
    expect(refused.body).toContain('value="Nights"');
    const added = await admin.visitor.submit(form, { reason: 'Nights', noEnd: 'yes' }, '/new');
    expect(text(added)).toMatch(/on\.call Admin Nights No end Way in administrator/);
    const edit = await open(`/admin/sso/break-glass/${user.id}`);
    const end = new Date(app.clock.now().getTime() + days(20)).toISOString().slice(0, 10);
    const { noEnd: _, ...values } = { noEnd: '' };
    const changed = await admin.visitor.send(`/admin/sso/break-glass/${user.id}`, {
      form: { ...values, csrf: formsOf(edit)[0]?.values.csrf ?? '', reason: 'Days', endsAt: end },
    });
    expect(changed.status).toBe(303);
    expect(text(await open('/admin/sso/break-glass'))).toMatch(/Days in/);
    const removed = await admin.visitor.submit(await open(`/admin/sso/break-glass/${user.id}/remove`), {}, '/remove');
    expect(text(removed)).toContain('Nobody is on the list');
  });

  it('C26 the last way in stays on the list while single sign-on is enforced', async () => {
    const strict = await makeCompany(app);
    const { person, visitor } = await atDesk(app, strict);
    const { enforced } = await import('../../support/saml-idp.ts');
    const { addBreakGlass } = await import('../../../src/domain/federation/break-glass-commands.ts');
    const work = workAs(app, person);
    await addBreakGlass(work, strict.id, { userId: person.user.id, reason: 'On call', endsAt: null, noEnd: true });
    await connectIdp(app, strict, idp, { enforce: enforced });
    const ask = await visitor.open(`/admin/sso/break-glass/${person.user.id}/remove`);
    const page = await visitor.submit(ask, {}, '/remove');
    expect(page.status).toBe(409);
    expect(text(page)).toContain('is the last administrator who can log in while single sign-on is enforced');
  });
});

describe('groups that were not said', () => {
  it('C22 stand on the overview, and an empty list can be confirmed', async () => {
    const rules = [{ when: { kind: 'group' as const, value: 'Field' }, role: 'User' as const }];
    const connection = await makeConnection(app, company, { name: 'Stopping', rules });
    const come = (groups: string[]) =>
      arrive(app, connection, claimsOf('stopped@contoso.example', { groups: groupsOf(...groups) }));
    await come(['Field']);
    await come([]);
    const page = await open(`/admin/sso/${connection.id}`);
    expect(text(page)).toContain('1 person came without the groups that the rules read.');
    const done = await admin.visitor.submit(page, {}, '/accept-emptied');
    expect(text(done)).toContain('The empty list counts from their next login');
    expect(text(done)).not.toContain('came without the groups');
  });
});
