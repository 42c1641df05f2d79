// What a SAML response may look like at all, before any of it is believed: one assertion, one place for it, signatures only where they
// cover what is read, and algorithms that hold. Every known way of wrapping a signature (XSW) needs more than this lets pass.
import type { SsoProblem } from '../../domain/federation/problem.ts';
import { childrenOf, descendants, type XmlElement } from './xml.ts';

export const saml = 'urn:oasis:names:tc:SAML:2.0:assertion';
export const samlp = 'urn:oasis:names:tc:SAML:2.0:protocol';
const ds = 'http://www.w3.org/2000/09/xmldsig#';
const xenc = 'http://www.w3.org/2001/04/xmlenc#';

const canonical = ['http://www.w3.org/2001/10/xml-exc-c14n#', 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'];

/** By element: what it may name. SHA-1, HMAC and RSA-1.5 key transport are not among them. */
const algorithms: Record<string, string[]> = {
  SignatureMethod: [
    'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
    'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
  ],
  CanonicalizationMethod: canonical,
  Transform: [`${ds}enveloped-signature`, ...canonical],
};
const digests = [`${xenc}sha256`, `${xenc}sha512`];
const ciphers = [
  'http://www.w3.org/2009/xmlenc11#aes128-gcm',
  'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  `${xenc}aes128-cbc`,
  `${xenc}aes256-cbc`,
];
const keyTransports = [`${xenc}rsa-oaep-mgf1p`];

export class Refused extends Error {
  readonly problem: SsoProblem;
  readonly details: Record<string, unknown>;
  /** Id of what a signature covered, and that says so itself; null: anybody may have sent it. */
  readonly proof: string | null;

  constructor(problem: SsoProblem, details: Record<string, unknown> = {}, proof: string | null = null) {
    super(problem);
    this.problem = problem;
    this.details = details;
    this.proof = proof;
  }
}

const malformed = (because: string) => new Refused('malformed', { because });

export interface Shape {
  response: XmlElement;
  /** In clear, or null while it is encrypted. */
  assertion: XmlElement | null;
  isEncrypted: boolean;
  isResponseSigned: boolean;
  isAssertionSigned: boolean;
}

const isId = (name: string) => name.toLowerCase() === 'id' || name.toLowerCase() === 'xml:id';
const ncName = /^[A-Za-z_][\w.-]{0,255}$/;

/** @throws Refused */
export function shapeOf(response: XmlElement): Shape {
  if (response.ns !== samlp || response.name !== 'Response') throw malformed('not a SAML response');
  if (response.attributes.get('Version') !== '2.0') throw malformed('not SAML 2.0');
  refuseFailure(response);
  const assertions = childrenOf(response, saml, 'Assertion');
  const encrypted = childrenOf(response, saml, 'EncryptedAssertion');
  if (assertions.length + encrypted.length !== 1) throw malformed('not exactly one assertion');
  const [assertion = null] = assertions;
  const all = [...descendants(response)];
  const named = all.filter(({ name }) => ['Response', 'Assertion', 'EncryptedAssertion'].includes(name));
  // Whatever its namespace: another one of this name has no other use than to be mistaken for it.
  if (named.length !== 2) throw malformed('an assertion at another place');
  refuseIds(all);
  const signed = signedParents(all, assertion ? [response, assertion] : [response]);
  refuseWeakEncryption(all);
  if (encrypted[0]) refuseOtherEncrypted(all, encrypted[0]);
  return {
    response,
    assertion,
    isEncrypted: assertion === null,
    isResponseSigned: signed.has(response),
    isAssertionSigned: assertion !== null && signed.has(assertion),
  };
}

/** The same for an assertion that was encrypted. @returns whether it is signed itself. @throws Refused */
export function decryptedShape(assertion: XmlElement): boolean {
  if (assertion.ns !== saml || assertion.name !== 'Assertion') throw new Refused('encrypted');
  const all = [...descendants(assertion)];
  if (all.filter(({ name }) => ['Response', 'Assertion', 'EncryptedAssertion'].includes(name)).length !== 1)
    throw malformed('an assertion at another place');
  refuseIds(all);
  return signedParents(all, [assertion]).has(assertion);
}

/** The same for what asks for a logout. @throws Refused */
export function logoutShape(request: XmlElement): { isSigned: boolean } {
  if (request.ns !== samlp || request.name !== 'LogoutRequest') throw malformed('not a logout request');
  if (request.attributes.get('Version') !== '2.0') throw malformed('not SAML 2.0');
  const all = [...descendants(request)];
  if (all.some(({ name }, at) => at > 0 && (name === 'LogoutRequest' || name === 'Assertion')))
    throw malformed('a request at another place');
  refuseIds(all);
  refuseWeakEncryption(all);
  const [encrypted] = childrenOf(request, saml, 'EncryptedID');
  if (encrypted) refuseOtherEncrypted(all, encrypted);
  return { isSigned: signedParents(all, [request]).has(request) };
}

/** Not signed as a rule, so it only ever refuses; the upstream's words are for the log. */
function refuseFailure(response: XmlElement): void {
  const [status] = childrenOf(response, samlp, 'Status');
  const [code] = status ? childrenOf(status, samlp, 'StatusCode') : [];
  const value = code?.attributes.get('Value');
  if (value === undefined) throw malformed('no status');
  if (value === 'urn:oasis:names:tc:SAML:2.0:status:Success') return;
  const [inner] = code ? childrenOf(code, samlp, 'StatusCode') : [];
  const [message] = status ? childrenOf(status, samlp, 'StatusMessage') : [];
  throw new Refused('upstream-error', {
    status: value.slice(0, 200),
    inner: inner?.attributes.get('Value')?.slice(0, 200) ?? null,
    message: message?.text.slice(0, 300) ?? null,
  });
}

/** An id names one element, or a signature may cover another one than is read. */
function refuseIds(all: XmlElement[]): void {
  const seen = new Set<string>();
  for (const { attributes } of all)
    for (const [name, value] of attributes) {
      if (!isId(name)) continue;
      if (seen.has(value) || !ncName.test(value)) throw malformed('an id that is used twice, or is none');
      seen.add(value);
    }
}

/** The elements that carry a signature; it must be their own child, one each, and cover them. */
function signedParents(all: XmlElement[], mayBeSigned: XmlElement[]): Set<XmlElement> {
  const parents = new Set<XmlElement>();
  const signatures = all.filter(({ name }) => name === 'Signature');
  for (const parent of mayBeSigned) {
    const [signature, ...more] = childrenOf(parent, ds, 'Signature');
    if (!signature) continue;
    if (more.length > 0) throw malformed('two signatures of one element');
    refuseSignature(signature, parent.attributes.get('ID') ?? '');
    parents.add(parent);
  }
  if (signatures.length !== parents.size) throw malformed('a signature at another place');
  return parents;
}

function refuseSignature(signature: XmlElement, id: string): void {
  const inside = [...descendants(signature)];
  const of = (name: string) => inside.filter((element) => element.name === name);
  const one = (name: string): XmlElement => {
    const [found, ...more] = of(name);
    if (!found || more.length > 0 || found.ns !== ds) throw malformed(`not exactly one ${name} in a signature`);
    return found;
  };
  if (!signature.children.includes(one('SignedInfo'))) throw malformed('a signature of another form');
  const reference = one('Reference');
  if (!one('SignedInfo').children.includes(reference)) throw malformed('a signature of another form');
  // Never the empty one: it means the whole document, whatever that is.
  if (id === '' || reference.attributes.get('URI') !== `#${id}`) throw malformed('a signature of something else');
  if (of('Object').length > 0 || of('Transform').length > 2) throw malformed('a signature of another form');
  for (const value of ['DigestValue', 'SignatureValue'])
    if (one(value).children.length > 0) throw malformed('a signature of another form');
  refuseAlgorithm([one('DigestMethod')], digests);
  for (const [name, allowed] of Object.entries(algorithms)) refuseAlgorithm(of(name), allowed);
  one('SignatureMethod');
  one('CanonicalizationMethod');
}

function refuseAlgorithm(elements: XmlElement[], allowed: string[]): void {
  for (const { name, attributes } of elements) {
    const algorithm = attributes.get('Algorithm') ?? '';
    if (!allowed.includes(algorithm))
      throw new Refused('algorithm', { element: name, algorithm: algorithm.slice(0, 200) });
  }
}

/** What is opened is found by its name wherever it stands: with a second one, two readers would open two different assertions. */
function refuseOtherEncrypted(all: XmlElement[], parent: XmlElement): void {
  const [part, ...more] = all.filter(({ name }) => name === 'EncryptedData');
  if (!part || more.length > 0 || !parent.children.includes(part)) throw malformed('not exactly one encrypted part');
}

function refuseWeakEncryption(all: XmlElement[]): void {
  for (const element of all) {
    const methods = element.children.filter(({ name }) => name === 'EncryptionMethod');
    if (element.name === 'EncryptedKey') refuseAlgorithm(methods, keyTransports);
    else if (methods.length > 0) refuseAlgorithm(methods, ciphers);
    if (element.name === 'RetrievalMethod' && !/^#[A-Za-z_][\w.-]*$/.test(element.attributes.get('URI') ?? ''))
      throw malformed('an encryption of another form');
  }
}
