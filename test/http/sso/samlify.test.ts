// The same way with a second identity provider that nobody here wrote: samlify reads our metadata and our signed request, and answers.
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany } from '../../support/people.ts';
import { connectIdp, postAnswer, TestIdp, toUpstream } from '../../support/saml-idp.ts';

interface Entity {
  entityMeta: { getAssertionConsumerService(binding: string): string };
}

interface Idp extends Entity {
  parseLoginRequest(
    sp: Entity,
    binding: string,
    request: { query: Record<string, string>; octetString: string },
  ): Promise<{ extract: { request: { id: string; destination: string }; issuer: string } }>;
  createLoginResponse(
    sp: Entity,
    request: unknown,
    binding: string,
    user: object,
    fill: (template: string) => { id: string; context: string },
    encryptThenSign?: boolean,
  ): Promise<{ context: string }>;
}

interface Samlify {
  setSchemaValidator(validator: { validate(xml: string): Promise<string> }): void;
  IdentityProvider(settings: object): Idp;
  ServiceProvider(settings: object): Entity;
  SamlLib: {
    defaultLoginResponseTemplate: { context: string };
    replaceTagsByValue(template: string, values: object): string;
  };
  Constants: { wording: { urlParams: object } };
}

const samlify = createRequire(import.meta.url)('samlify') as Samlify;
// It asks for one; the schema is not what is tested here.
samlify.setSchemaValidator({ validate: async () => 'not checked' });

const authnStatement =
  '<saml:AuthnStatement AuthnInstant="{IssueInstant}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
});
afterAll(() => app.stop());

async function samlifyIdp(idp: TestIdp, settings: object = {}): Promise<{ provider: Idp; us: Entity }> {
  const certificate = idp.cert.replace(/-----[A-Z ]+-----|\s+/g, '');
  const metadata = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${idp.entityId}"><IDPSSODescriptor WantAuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${idp.ssoUrl}"/></IDPSSODescriptor></EntityDescriptor>`;
  const provider = samlify.IdentityProvider({
    metadata,
    privateKey: idp.key,
    requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    loginResponseTemplate: {
      // It leaves the statement of the login to whoever uses it.
      context: samlify.SamlLib.defaultLoginResponseTemplate.context.replace('{AuthnStatement}', authnStatement),
      attributes: ['Email', 'Username', 'FirstName', 'LastName'].map((name) => ({
        name,
        valueTag: name.toLowerCase(),
        nameFormat: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
        valueXsiType: 'xs:string',
      })),
    },
    ...settings,
  });
  const ours = await app.visitor().open('/sso/saml/metadata');
  return { provider, us: samlify.ServiceProvider({ metadata: ours.body }) };
}

describe('samlify as the identity provider', () => {
  it.each([
    ['in clear', {}],
    ['encrypted for the key in our metadata', { isAssertionEncrypted: true }],
  ])('%s: it verifies our request by our metadata, and its answer lets the person in', async (name, settings) => {
    const company = await makeCompany(app, `Company of ${name}`);
    const idp = new TestIdp(name.slice(0, 3).trim());
    await connectIdp(app, company, idp, { saml: { wantEncrypted: name !== 'in clear' } });
    const { provider, us } = await samlifyIdp(idp, settings);
    const visitor = app.visitor();
    const page = await visitor.submit(await visitor.open('/login'), { username: 'mia', company: company.name });
    const { address, id } = await toUpstream(visitor, page);
    const url = new URL(address);
    const octetString = ['SAMLRequest', 'RelayState', 'SigAlg']
      .map((key) => `${key}=${encodeURIComponent(url.searchParams.get(key) ?? '')}`)
      .join('&');
    const request = await provider.parseLoginRequest(us, 'redirect', {
      query: Object.fromEntries(url.searchParams),
      octetString,
    });
    expect(request.extract).toMatchObject({ issuer: app.url, request: { id } });

    const now = new Date();
    const later = new Date(now.getTime() + 300_000).toISOString();
    const acs = `${app.url}/sso/saml/callback`;
    const values = {
      ID: '_response',
      AssertionID: `_${'a'.repeat(32)}`,
      Destination: acs,
      Audience: app.url,
      SubjectRecipient: acs,
      AssertionConsumerServiceURL: acs,
      EntityID: app.url,
      NameIDFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
      NameID: 'mia-at-samlify',
      Issuer: idp.entityId,
      IssueInstant: now.toISOString(),
      ConditionsNotBefore: now.toISOString(),
      ConditionsNotOnOrAfter: later,
      SubjectConfirmationDataNotOnOrAfter: later,
      InResponseTo: id,
      StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success',
      attrEmail: 'mia@samlify.example',
      attrUsername: 'mia.samlify',
      attrFirstname: 'Mia',
      attrLastname: 'Samlify',
    };
    const made = await provider.createLoginResponse(us, request, 'post', {}, (template) => ({
      id: values.ID,
      context: samlify.SamlLib.replaceTagsByValue(template, values),
    }));
    const xml = Buffer.from(made.context, 'base64').toString();
    expect(xml.includes('EncryptedAssertion')).toBe(name !== 'in clear');
    const posted = await postAnswer(app, xml, id);
    const home = await visitor.open(posted.headers.location ?? '');
    expect(home.status, `${posted.headers.location} ${xml}`).toBe(200);
    expect(home.body).toContain('Samlify');
  });
});
