// An identity provider that takes our request by HTTP-POST alone (SAML bindings, section 3.5).
import { createPrivateKey } from 'node:crypto';
import { createRequire } from 'node:module';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { samlSettings } from '../../../src/domain/federation/connection.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { refreshed, taken, withCertificates } from '../../../src/domain/federation/metadata.ts';
import { isTested, testedHashOf } from '../../../src/domain/federation/tested.ts';
import { ensureSamlKey } from '../../../src/domain/keys/saml-key.ts';
import { selfSigned } from '../../../src/lib/certificate.ts';
import { days } from '../../../src/lib/time.ts';
import { logoutAddress } from '../../../src/web/sso/saml-logout.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { atDesk } from '../../support/console.ts';
import { makeCompany } from '../../support/people.ts';
import { connectIdp, postAnswer, TestIdp, upstreamLink, upstreamPerson } from '../../support/saml-idp.ts';
import { formsOf, type Page } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let connection: StoredConnection;
const idp = new TestIdp('posts');

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
  company = await makeCompany(app);
  connection = await connectIdp(app, company, idp, {
    name: 'AD FS',
    saml: { postsRequests: true, sloUrl: idp.sloUrl },
  });
});
afterAll(() => app.stop());

// It has no types.
const samlp = createRequire(import.meta.url)('samlp') as {
  parseRequest(
    request: { method: string; query: object; body: Record<string, string> },
    options: { signingCert: string },
    done: (error: Error | null, data?: Record<string, string>) => void,
  ): void;
};

/** As samlp reads it; the signature in it has to hold. */
const readPosted = (body: Record<string, string>, signingCert: string): Promise<Record<string, string>> =>
  new Promise((resolve, reject) =>
    samlp.parseRequest({ method: 'POST', query: {}, body }, { signingCert }, (error, data) =>
      error || !data ? reject(error ?? new Error('no request')) : resolve(data),
    ),
  );

const way = async (visitor = app.visitor()): Promise<Page> => {
  const page = await visitor.submit(await visitor.open('/login'), { username: 'mia', company: company.name });
  return visitor.open(upstreamLink(page));
};

function sentBy(page: Page): { action: string; values: Record<string, string> } {
  const [form, ...more] = formsOf(page);
  if (!form || more.length > 0) throw new Error(`not one form on ${page.url}`);
  return form;
}

describe('our request by HTTP-POST', () => {
  it('is a page with one form to the upstream: sent by itself, or by its button; nothing of ours goes along', async () => {
    const page = await way();
    expect(page.status).toBe(200);
    const { action, values } = sentBy(page);
    expect(action).toBe(idp.ssoUrl);
    expect(Object.keys(values).sort()).toEqual(['RelayState', 'SAMLRequest', 'login_hint']);
    expect(page.body).toContain('data-submit-now');
    expect(page.body).toContain('Continue');
    expect(page.headers['content-security-policy']).not.toContain('unsafe-inline');
  });

  it('is signed in its own form, names us, our address and where it goes, and a changed one is refused there', async () => {
    const { values } = sentBy(await way());
    const { certificate } = await ensureSamlKey(app.operator());
    expect(await readPosted(values, certificate)).toMatchObject({
      id: values.RelayState,
      issuer: app.url,
      assertionConsumerServiceURL: `${app.url}/sso/saml/callback`,
      destination: idp.ssoUrl,
    });
    const xml = Buffer.from(values.SAMLRequest ?? '', 'base64').toString();
    expect(xml).toContain('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256');
    const changed = Buffer.from(xml.replace('/sso/saml/callback', '/evil')).toString('base64');
    await expect(readPosted({ ...values, SAMLRequest: changed }, certificate)).rejects.toThrow();
  });

  it('leads all the way in, and back', async () => {
    const visitor = app.visitor();
    const { values } = sentBy(await way(visitor));
    const id = values.RelayState ?? '';
    const posted = await postAnswer(app, await idp.answer(app, upstreamPerson('mia'), { inResponseTo: id }), id);
    const home = await visitor.open(posted.headers.location ?? '');
    expect([home.status, home.url], home.body).toEqual([200, `${app.url}/`]);
  });

  it('the test in the console goes the same way; a logout is still packed into an address', async () => {
    const admin = await atDesk(app, company);
    const page = await admin.visitor.submit(await admin.visitor.open(`/admin/sso/${connection.id}/test`), {}, '/test');
    expect(sentBy(page).action).toBe(idp.ssoUrl);
    const address = await logoutAddress(app.operator(), connection, { nameID: 'x' }, 'state');
    expect(
      inflateRawSync(Buffer.from(new URL(address ?? '').searchParams.get('SAMLRequest') ?? '', 'base64')).toString(),
    ).toContain('LogoutRequest');
  });
});

describe('which way', () => {
  const brought = (postsRequests: boolean) =>
    withCertificates({
      entityId: idp.entityId,
      ssoUrl: idp.ssoUrl,
      sloUrl: idp.sloUrl,
      certificates: [idp.cert],
      wantsSignedRequests: false,
      postsRequests,
    });
  const redirects = () => {
    if (connection.settings.kind !== 'saml') throw new Error('not SAML');
    const { postsRequests: _, ...settings } = connection.settings;
    return settings;
  };

  it('metadata that is read each day tells of another way, and takes none', () => {
    const now = app.clock.now();
    const told = refreshed(redirects(), brought(true), now);
    expect(told).toMatchObject({ differences: ['The login address takes our requests by HTTP-POST there.'] });
    expect('settings' in told && told.settings).not.toHaveProperty('postsRequests');
    expect(refreshed(redirects(), brought(false), now)).toMatchObject({ differences: [] });
  });

  it('metadata that an administrator brings takes it over, there and back, and it has to be tested again', () => {
    const to = { address: null, now: app.clock.now() };
    const there = taken(redirects(), brought(true), to);
    expect([there.settings.postsRequests, there.addsOnly]).toEqual([true, false]);
    const back = taken(there.settings, brought(false), to);
    expect(back.settings).not.toHaveProperty('postsRequests');
    const { attributes } = connection;
    const testedHash = testedHashOf({ settings: redirects(), attributes });
    expect(isTested({ settings: there.settings, attributes, testedHash })).toBe(false);
    expect(isTested({ settings: back.settings, attributes, testedHash })).toBe(true);
  });

  it('a certificate that comes beside the present ones leaves it tested, in whatever order its settings were read', () => {
    const to = { address: null, now: app.clock.now() };
    const there = taken(redirects(), brought(true), to).settings;
    const otherwise = samlSettings.parse(Object.fromEntries(Object.entries(there).reverse()));
    for (const settings of [there, otherwise]) expect(taken(settings, brought(true), to).addsOnly).toBe(true);
  });

  it('another identity provider with nothing but an ended certificate does not leave the former one’s', () => {
    const { key } = new TestIdp('former');
    const [from, until] = [-2, -1].map((ahead) => new Date(app.clock.now().getTime() + days(ahead)));
    if (!from || !until) throw new Error('no dates');
    const old = selfSigned(createPrivateKey(key), { name: 'Other', from, until });
    const other = withCertificates({ ...brought(false), entityId: 'https://other.example', certificates: [old] });
    const change = taken(redirects(), other, { address: null, now: app.clock.now() });
    const [kept, gone] = change.certificates;
    expect([kept?.fate, gone?.fate]).toEqual(['comes', 'goes']);
    expect(change.settings.certificates).toEqual([kept?.certificate.pem]);
  });

  it('is a switch of the settings', async () => {
    const admin = await atDesk(app, company);
    const address = `/admin/sso/${connection.id}/settings`;
    const page = await admin.visitor.open(address);
    expect(page.body).toMatch(/name="settings.postsRequests"[^>]*checked/);
  });
});
