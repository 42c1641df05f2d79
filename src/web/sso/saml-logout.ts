// Logout messages of SAML (core section 3.7, bindings 3.4 and 3.5): the upstream's requests, judged like its assertions, and ours to it.
import { verify, X509Certificate } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import type { StoredConnection } from '../../domain/federation/connection-repository.ts';
import { clockDetails } from '../../domain/federation/problem.ts';
import { ensureSamlKey, type SamlKey, samlKeys } from '../../domain/keys/saml-key.ts';
import { after, minutes } from '../../lib/time.ts';
import type { Work } from '../../work.ts';
import { decodeMessage } from './body.ts';
import { ssoAddresses } from './connector.ts';
import { clockSkew, timeOf } from './saml-assertion.ts';
import { libraryFor, samlOf } from './saml-connector.ts';
import { nodeSamlXml } from './saml-library.ts';
import { logoutShape, Refused, saml, samlp } from './saml-shape.ts';
import { childrenOf, readXml, type XmlElement, xmlLimits } from './xml.ts';

export interface LogoutMessage {
  xml: string;
  /** For the upstream, given back as it came. */
  relayState: string | null;
  /** HTTP-Redirect signs the query (bindings 3.4.4.1), HTTP-POST the document. */
  query: { text: string; algorithm: string; signature: Buffer } | null;
}

const malformed = (because: string) => new Refused('malformed', { because });

/** How long a message of ours or theirs may be; theirs goes back in an address. */
const longestRelayState = 1024;

const relayStateOf = (value: string | null): string | null =>
  value !== null && value !== '' && value.length <= longestRelayState ? value : null;

/** What a query says raw: the signature covers it as it was written, escapes and all. */
function rawParameters(query: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of query.split('&')) {
    const at = part.indexOf('=');
    const name = at === -1 ? part : part.slice(0, at);
    // A name that is escaped, or comes twice, would be read by one and not by the other.
    if (/[%+]/.test(name) || found.has(name)) throw malformed('a parameter twice, or escaped');
    found.set(name, at === -1 ? '' : part.slice(at + 1));
  }
  return found;
}

function unescapedOf(raw: string): string {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '));
  } catch {
    throw malformed('an escape that is none');
  }
}

function inflated(packed: string): string {
  const bytes = /^[A-Za-z0-9+/]+={0,2}$/.test(packed) ? Buffer.from(packed, 'base64') : Buffer.alloc(0);
  try {
    // Never more than a document may have: some kilobytes can hold gigabytes.
    return new TextDecoder('utf-8', { fatal: true }).decode(
      inflateRawSync(bytes, { maxOutputLength: xmlLimits.bytes }),
    );
  } catch {
    throw malformed('it cannot be inflated');
  }
}

/** @throws Refused */
export function fromQuery(query: string, name: 'SAMLRequest' | 'SAMLResponse'): LogoutMessage {
  const raw = rawParameters(query);
  const said = (of: string) => raw.get(of) ?? null;
  const value = (of: string) => unescapedOf(raw.get(of) ?? '');
  const signed = [name, 'RelayState', 'SigAlg'].flatMap((of) => (said(of) === null ? [] : [`${of}=${said(of)}`]));
  const signature = value('Signature');
  return {
    xml: inflated(value(name)),
    relayState: relayStateOf(value('RelayState')),
    query: { text: signed.join('&'), algorithm: value('SigAlg'), signature: Buffer.from(signature, 'base64') },
  };
}

/** @throws Refused */
export function fromForm(form: URLSearchParams, name: 'SAMLRequest' | 'SAMLResponse'): LogoutMessage {
  const xml = decodeMessage(form.get(name));
  if (xml === null || form.getAll(name).length > 1) throw malformed('it cannot be decoded');
  return { xml, relayState: relayStateOf(form.get('RelayState')), query: null };
}

/** Whose it says to be, before anything of it is believed. @throws Refused, XmlProblem */
export function issuerOf({ xml }: LogoutMessage): string | null {
  const [issuer] = childrenOf(readXml(xml), saml, 'Issuer');
  return issuer?.text.trim().slice(0, 1024) || null;
}

/** Whether the upstream says that it, too, has logged the person out. Words for the page depend on it, and nothing else. */
export function isConfirmed({ xml }: LogoutMessage): boolean {
  const [status] = childrenOf(readXml(xml), samlp, 'Status');
  const [code] = status ? childrenOf(status, samlp, 'StatusCode') : [];
  return code?.attributes.get('Value') === 'urn:oasis:names:tc:SAML:2.0:status:Success';
}

export interface LogoutRequest {
  id: string;
  subject: string;
  sessions: string[];
  /** It could be played until then. */
  expiresAt: Date;
}

/** @throws Refused, XmlProblem */
export async function judgeLogout(
  work: Work,
  connection: StoredConnection,
  message: LogoutMessage,
): Promise<LogoutRequest> {
  const settings = samlOf(connection);
  const shape = logoutShape(readXml(message.xml));
  const request = await verified(settings.certificates, message, shape.isSigned);
  const { logout } = ssoAddresses(work.config.publicUrl);
  const issuer = only(request, saml, 'Issuer').text.trim();
  if (issuer !== settings.entityId)
    throw new Refused('issuer', { sent: issuer.slice(0, 300), expected: settings.entityId });
  // Bindings 3.4.5.2 and 3.5.5.2: what is signed says where it goes. One that was made for another service ends nothing here.
  const destination = request.attributes.get('Destination') ?? '';
  if (destination !== logout) throw new Refused('recipient', { sent: destination.slice(0, 300), expected: logout });
  return {
    id: request.attributes.get('ID') ?? '',
    subject: await subjectOf(work, message.xml, request),
    sessions: childrenOf(request, samlp, 'SessionIndex').map(({ text }) => text.trim()),
    expiresAt: endOf(request, work.now),
  };
}

/** What the signature covers. */
async function verified(certificates: string[], message: LogoutMessage, isSigned: boolean): Promise<XmlElement> {
  const { xml, query } = message;
  if (query) {
    // Bindings 3.4.4.1: the signature is that of the query, and none stands in the document.
    if (isSigned) throw malformed('a signature in the document, where the query has one');
    if (query.signature.length === 0) throw new Refused('unsigned');
    const hash = hashes.get(query.algorithm);
    if (!hash) throw new Refused('algorithm', { algorithm: query.algorithm.slice(0, 200) });
    if (!certificates.some((pem) => isSignedBy(pem, hash, query))) throw new Refused('signature');
    return readXml(xml);
  }
  if (!isSigned) throw new Refused('unsigned');
  const { getVerifiedXml, parseDomFromString } = nodeSamlXml();
  const { documentElement } = await parseDomFromString(xml);
  const covered = documentElement && getVerifiedXml(xml, documentElement, certificates);
  if (!covered) throw new Refused('signature');
  const request = readXml(covered);
  logoutShape(request);
  return request;
}

const hashes = new Map([
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', 'sha512'],
]);

function isSignedBy(pem: string, hash: string, { text, signature }: NonNullable<LogoutMessage['query']>): boolean {
  try {
    const { publicKey } = new X509Certificate(pem);
    return publicKey.asymmetricKeyType === 'rsa' && verify(hash, Buffer.from(text), publicKey, signature);
  } catch {
    return false;
  }
}

function only(parent: XmlElement, ns: string, name: string): XmlElement {
  const [found, ...more] = childrenOf(parent, ns, name);
  if (!found || more.length > 0) throw new Refused('malformed', { missing: name });
  return found;
}

/** Core 3.7.1: NotOnOrAfter may be left out; then it counts for some minutes, since what is remembered must end, too. */
const lastsFor = minutes(5);

function endOf(request: XmlElement, now: Date): Date {
  const issued = timeOf(request, 'IssueInstant');
  if (!issued) throw new Refused('malformed', { missing: 'IssueInstant' });
  const details = { issued: issued.toISOString(), here: now.toISOString() };
  if (issued.getTime() - now.getTime() > clockSkew) throw new Refused('clock-skew', clockDetails(issued, now));
  const ends = after(timeOf(request, 'NotOnOrAfter') ?? after(issued, lastsFor), clockSkew);
  if (ends <= now) throw new Refused('expired', details);
  return after(ends, minutes(1));
}

/** Core 3.7.1: a NameID, in clear or encrypted for us. */
async function subjectOf(work: Work, xml: string, request: XmlElement): Promise<string> {
  const isEncrypted = childrenOf(request, saml, 'EncryptedID').length > 0;
  const nameId = isEncrypted ? readXml(await opened(await samlKeys(work), xml)) : only(request, saml, 'NameID');
  const subject = nameId.text.trim();
  if (nameId.ns !== saml || nameId.name !== 'NameID' || nameId.children.length > 0 || subject === '')
    throw new Refused('missing-attribute', { attribute: 'NameID' });
  return subject;
}

/** One answer for all that can go wrong, as with assertions. */
async function opened(keys: SamlKey[], xml: string): Promise<string> {
  for (const { privateKey } of keys)
    try {
      const clear: unknown = await nodeSamlXml().decryptXml(xml, privateKey);
      if (typeof clear === 'string') return clear;
    } catch {
      // The next one may fit.
    }
  throw new Refused('encrypted');
}

async function signingLibrary(work: Work, connection: StoredConnection) {
  const settings = { ...samlOf(connection), signRequests: true };
  return libraryFor(work, settings, await ensureSamlKey(work), { response: true, assertion: true });
}

/** To the upstream's logout page, signed; null where it has none. @param relayState our own id */
export async function logoutAddress(
  work: Work,
  connection: StoredConnection,
  { nameID = '', nameIDFormat = '', sessionIndex }: Record<string, string>,
  relayState: string,
): Promise<string | null> {
  const settings = samlOf(connection);
  if (!settings.sloUrl || nameID === '') return null;
  const profile = { issuer: settings.entityId, nameID, nameIDFormat, ...(sessionIndex ? { sessionIndex } : {}) };
  return (await signingLibrary(work, connection)).getLogoutUrlAsync(profile, relayState, {});
}

/** Our answer, to the address of the metadata alone, whatever the request says; null where there is none. */
export async function logoutAnswer(
  work: Work,
  connection: StoredConnection,
  requestId: string,
  relayState: string | null,
): Promise<string | null> {
  const settings = samlOf(connection);
  if (!settings.sloUrl) return null;
  // Of what the library calls a profile it reads the id alone.
  const asked = { ID: requestId, issuer: settings.entityId, nameID: '', nameIDFormat: '' };
  return (await signingLibrary(work, connection)).getLogoutResponseUrlAsync(asked, relayState ?? '', {}, true);
}
