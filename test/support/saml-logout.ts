// Logout requests as identity providers send them, and as thieves would: by hand, so that any part can be wrong.
import { randomBytes, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import { deflateRawSync } from 'node:zlib';
import type { TestApp } from './app.ts';
import type { TestIdp } from './saml-idp.ts';
import type { Page, Visitor } from './visitor.ts';

const ds = 'http://www.w3.org/2000/09/xmldsig#';
const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';

interface SignedXml {
  addReference(reference: { xpath: string; transforms: string[]; digestAlgorithm: string }): void;
  computeSignature(xml: string, options: object): void;
  getSignedXml(): string;
}

const ofLibrary = createRequire(createRequire(import.meta.url).resolve('@node-saml/node-saml'));
const { SignedXml } = ofLibrary('xml-crypto') as { SignedXml: new (options: object) => SignedXml };

export interface LogoutWords {
  id?: string;
  issuer?: string;
  destination?: string | null;
  nameId?: string;
  sessions?: string[];
  issued?: Date;
  ends?: Date | null;
  more?: string;
}

export function logoutXml(app: TestApp, idp: TestIdp, words: LogoutWords = {}): string {
  const { id = `_${randomBytes(12).toString('hex')}`, issuer = idp.entityId, nameId = 'id-of-mia' } = words;
  const now = app.clock.now();
  const { issued = now, ends = new Date(now.getTime() + 300_000) } = words;
  const destination = words.destination === undefined ? `${app.url}/sso/saml/logout` : words.destination;
  const attributes = [
    `ID="${id}" Version="2.0" IssueInstant="${issued.toISOString()}"`,
    ...(destination === null ? [] : [`Destination="${destination}"`]),
    ...(ends === null ? [] : [`NotOnOrAfter="${ends.toISOString()}"`]),
  ];
  const sessions = (words.sessions ?? []).map((one) => `<samlp:SessionIndex>${one}</samlp:SessionIndex>`).join('');
  return `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ${attributes.join(' ')}><saml:Issuer>${issuer}</saml:Issuer>${words.more ?? ''}<saml:NameID>${nameId}</saml:NameID>${sessions}</samlp:LogoutRequest>`;
}

export function signedLogout(xml: string, key: string): string {
  const signer = new SignedXml({
    privateKey: key,
    signatureAlgorithm: rsaSha256,
    canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  });
  signer.addReference({
    xpath: '/*',
    transforms: [`${ds}enveloped-signature`, 'http://www.w3.org/2001/10/xml-exc-c14n#'],
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
  });
  signer.computeSignature(xml, { location: { reference: "/*/*[local-name(.)='Issuer']", action: 'after' } });
  return signer.getSignedXml();
}

export const packed = (xml: string): string => deflateRawSync(xml).toString('base64');

/** The query that HTTP-Redirect signs, with its signature. */
export function signedQuery(
  message: string,
  key: string,
  { relayState, algorithm = rsaSha256 }: { relayState?: string; algorithm?: string } = {},
): string {
  const parts = [
    `SAMLRequest=${encodeURIComponent(message)}`,
    ...(relayState === undefined ? [] : [`RelayState=${encodeURIComponent(relayState)}`]),
    `SigAlg=${encodeURIComponent(algorithm)}`,
  ];
  const text = parts.join('&');
  return `${text}&Signature=${encodeURIComponent(sign('sha256', Buffer.from(text), key).toString('base64'))}`;
}

export const byQuery = (app: TestApp, query: string, visitor: Visitor = app.visitor()): Promise<Page> =>
  visitor.send(`/sso/saml/logout?${query}`);

export function byForm(app: TestApp, xml: string, relayState = '', port = app.port): Promise<Page> {
  const form = { SAMLRequest: Buffer.from(xml).toString('base64'), ...(relayState ? { RelayState: relayState } : {}) };
  return app
    .visitor()
    .at(port)
    .send('/sso/saml/logout', {
      body: new URLSearchParams(form).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://idp.example',
        'sec-fetch-site': 'cross-site',
      },
    });
}
