// SAML 2.0 as a service provider. node-saml checks signatures, decrypts and signs; what may reach it, and what a signed assertion has
// to say, is ours (saml-shape.ts, saml-assertion.ts), since its own checks go by another clock and know no connection.
import { X509Certificate } from 'node:crypto';
import type { SAML } from '@node-saml/node-saml';
import type { Connection } from '../../domain/federation/connection.ts';
import type { StoredConnection } from '../../domain/federation/connection-repository.ts';
import type { SsoProblem } from '../../domain/federation/problem.ts';
import { ensureSamlKey, type SamlKey, samlKeys } from '../../domain/keys/saml-key.ts';
import { conflict } from '../../lib/errors.ts';
import type { Work } from '../../work.ts';
import {
  type Answer,
  type Ask,
  type Asked,
  type Begun,
  type Connector,
  type Finished,
  problem,
  ssoAddresses,
} from './connector.ts';
import { type Asserted, judgeAssertion } from './saml-assertion.ts';
import { claimsOf, detailsOf } from './saml-claims.ts';
import { nodeSaml, nodeSamlXml } from './saml-library.ts';
import { decryptedShape, Refused, type Shape, shapeOf } from './saml-shape.ts';
import { descendants, readXml, type XmlElement, XmlProblem } from './xml.ts';

type SamlSettings = Extract<Connection['settings'], { kind: 'saml' }>;

export function samlOf(connection: Connection): SamlSettings {
  if (connection.settings.kind !== 'saml') throw new Error('not a SAML connection');
  return connection.settings;
}

/** Only what a browser may be sent to. */
function webAddress(address: string): string {
  const url = URL.parse(address);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw conflict('The address of the identity provider is not a web address.');
  return address;
}

export function libraryFor(
  work: Work,
  settings: SamlSettings,
  key: SamlKey,
  signed: { response: boolean; assertion: boolean },
  more: { requestId?: string; isAnew?: boolean; isPosted?: boolean } = {},
): SAML {
  const { entityId, acs, logout } = ssoAddresses(work.config.publicUrl);
  const { requestId } = more;
  const { SAML, ValidateInResponseTo } = nodeSaml();
  return new SAML({
    callbackUrl: acs,
    logoutCallbackUrl: logout,
    issuer: entityId,
    audience: entityId,
    // Of the connection alone: a certificate inside of an answer proves nothing.
    idpCert: settings.certificates,
    idpIssuer: settings.entityId,
    entryPoint: webAddress(settings.ssoUrl),
    logoutUrl: webAddress(settings.sloUrl ?? settings.ssoUrl),
    // Every signature that is there has to hold, not only one of them.
    wantAuthnResponseSigned: signed.response,
    wantAssertionsSigned: signed.assertion,
    decryptionPvk: key.privateKey,
    ...(settings.signRequests ? { privateKey: key.privateKey } : {}),
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    // Our own rows bind answers to requests, on every node; and the clock is ours (judgeAssertion).
    validateInResponseTo: ValidateInResponseTo.never,
    acceptedClockSkewMs: -1,
    // Whatever the upstream asks its people for: naming a way makes AD FS and Entra ID refuse those who use another one.
    disableRequestedAuthnContext: true,
    identifierFormat: null,
    forceAuthn: more.isAnew === true,
    skipRequestCompression: more.isPosted === true,
    ...(requestId === undefined ? {} : { generateUniqueId: () => requestId }),
  });
}

async function begin(work: Work, _means: unknown, connection: StoredConnection, ask: Ask): Promise<Begun> {
  const settings = samlOf(connection);
  const key = await ensureSamlKey(work);
  const more = { ...ask, isPosted: settings.postsRequests === true };
  const library = libraryFor(work, settings, key, { response: true, assertion: true }, more);
  // Beside the signed part: no more than a hint for the form of the upstream.
  const additionalParams = ask.loginHint === null ? {} : { login_hint: ask.loginHint };
  // RelayState is our own id and never an address: what comes back in it leads nowhere (open redirect).
  const [address, posts] = more.isPosted
    ? [webAddress(settings.ssoUrl), await posted(library, ask.requestId, additionalParams)]
    : [await library.getAuthorizeUrlAsync(ask.requestId, undefined, { additionalParams }), null];
  const anew = ask.isAnew && !ask.isTest ? { authenticatedSince: work.now.toISOString() } : {};
  return { address, posts, state: anew };
}

/** Bindings 3.5: the signature stands in the request itself, which is not packed. */
async function posted(
  library: SAML,
  relayState: string,
  additionalParams: Record<string, string>,
): Promise<Record<string, string>> {
  const fields = await library.getAuthorizeMessageAsync(relayState, undefined, { additionalParams });
  return Object.fromEntries(Object.entries(fields ?? {}).map(([name, value]) => [name, String(value)]));
}

async function finish(
  work: Work,
  _means: unknown,
  connection: StoredConnection,
  answer: Answer,
  asked: Asked | null,
): Promise<Finished> {
  if (answer.kind !== 'saml') throw new Error('not a SAML answer');
  try {
    return await judge(work, connection, answer.xml, asked);
  } catch (error) {
    if (error instanceof Refused) return problem(error.problem, error.details, error.proof);
    if (error instanceof XmlProblem) return problem('malformed', { because: error.message });
    throw error;
  }
}

async function judge(work: Work, connection: StoredConnection, xml: string, asked: Asked | null): Promise<Finished> {
  const settings = samlOf(connection);
  const shape = shapeOf(readXml(xml));
  refuseEnvelope(work, settings, shape.response, asked);
  if (settings.wantEncrypted && !shape.isEncrypted) throw new Refused('encrypted', { because: 'it was not encrypted' });
  const keys = await samlKeys(work);
  const clear = shape.isEncrypted ? await decrypted(xml, keys) : null;
  const isAssertionSigned = clear === null ? shape.isAssertionSigned : decryptedShape(readXml(clear.xml));
  if (!shape.isResponseSigned && !isAssertionSigned) throw new Refused('unsigned');
  const signed = await verified(
    work,
    settings,
    clear?.key ?? keys[0],
    xml,
    { response: shape.isResponseSigned, assertion: isAssertionSigned },
    shape,
  );
  try {
    return await judgeSigned(work, connection, signed, asked);
  } catch (error) {
    const proof = signed.attributes.get('ID') ?? '';
    throw error instanceof Refused ? new Refused(error.problem, error.details, proof) : error;
  }
}

async function judgeSigned(
  work: Work,
  connection: StoredConnection,
  signed: XmlElement,
  asked: Asked | null,
): Promise<Finished> {
  const settings = samlOf(connection);
  const { entityId, acs } = ssoAddresses(work.config.publicUrl);
  const since = asked?.state.authenticatedSince;
  const authenticatedSince = since === undefined ? null : new Date(since);
  const expected = { issuer: settings.entityId, audience: entityId, acs, asked, authenticatedSince, now: work.now };
  const asserted = judgeAssertion(signed, expected);
  await refuseOtherCompany(work, connection, asserted, asked);
  const claims = claimsOf(connection, asserted);
  const { nameId, sessionIndex } = asserted;
  return {
    outcome: 'arrived',
    claims,
    issuer: settings.entityId,
    assertion: { id: asserted.id, expiresAt: asserted.endsAt },
    session: sessionIndex,
    authenticatedAt: asserted.authnInstant?.getTime() ?? null,
    logout: settings.sloUrl
      ? {
          nameID: nameId.value,
          ...(nameId.attributes.Format ? { nameIDFormat: nameId.attributes.Format } : {}),
          ...(sessionIndex ? { sessionIndex } : {}),
        }
      : null,
    stale: asserted.stale,
    details: detailsOf(asserted),
  };
}

/** Of the response around the assertion; it may be unsigned, so it can only refuse. */
function refuseEnvelope(work: Work, settings: SamlSettings, response: XmlElement, asked: Asked | null): void {
  const { acs } = ssoAddresses(work.config.publicUrl);
  const destination = response.attributes.get('Destination');
  if (destination !== undefined && destination !== acs)
    throw new Refused('recipient', { sent: destination.slice(0, 300), expected: acs });
  const [issuer] = response.children.filter(({ name }) => name === 'Issuer');
  if (issuer && issuer.text.trim() !== settings.entityId)
    throw new Refused('issuer', { sent: issuer.text.trim().slice(0, 300), expected: settings.entityId });
  const answers = response.attributes.get('InResponseTo');
  if (answers !== undefined && answers !== asked?.requestId) throw new Refused('not-asked');
}

/**
 * During a roll-over it may be encrypted for either key.
 * One answer for all that can go wrong: a difference would tell an attacker about the key (padding oracles).
 */
async function decrypted(xml: string, keys: SamlKey[]): Promise<{ xml: string; key: SamlKey }> {
  for (const key of keys)
    try {
      const clear: unknown = await nodeSamlXml().decryptXml(xml, key.privateKey);
      if (typeof clear === 'string') return { xml: clear, key };
    } catch {
      // The next one may fit, or it is said below.
    }
  throw new Refused('encrypted');
}

/** What the signature covers, read again by us. */
async function verified(
  work: Work,
  settings: SamlSettings,
  key: SamlKey,
  xml: string,
  signed: { response: boolean; assertion: boolean },
  shape: Shape,
): Promise<XmlElement> {
  let covered: string | undefined;
  try {
    const { profile } = await libraryFor(work, settings, key, signed).validatePostResponseAsync({
      SAMLResponse: Buffer.from(xml).toString('base64'),
    });
    covered = profile?.getAssertionXml?.();
  } catch (error) {
    const because = error instanceof Error ? error.message.slice(0, 200) : '';
    const complaint = complaintOf(because, settings, shape);
    // It reads the audience of nothing whose signature does not hold.
    const proof = complaint === 'audience' ? (shape.assertion?.attributes.get('ID') ?? null) : null;
    throw new Refused(complaint, { because }, proof);
  }
  if (covered === undefined) throw new Refused('signature');
  const element = readXml(covered);
  if (shape.assertion && element.attributes.get('ID') !== shape.assertion.attributes.get('ID'))
    throw new Refused('signature', { because: 'another assertion was signed' });
  return element;
}

/** What the library complains of, in words of ours; it looks at signatures first, then decrypts, then reads the assertion. */
function complaintOf(because: string, settings: SamlSettings, { response, isEncrypted }: Shape): SsoProblem {
  if (/^SAML assertion (audience|has no Audience|Audience)/.test(because)) return 'audience';
  if (/idpCert/.test(because)) return 'certificate';
  if (/signature|signed/i.test(because)) return isForeignCertificate(settings, response) ? 'certificate' : 'signature';
  return isEncrypted && !/NotOnOrAfter|NotBefore|IssueInstant|undefined|null/.test(because) ? 'encrypted' : 'malformed';
}

/** For the words only: the answer carries a certificate that the connection does not have. */
function isForeignCertificate({ certificates }: SamlSettings, response: XmlElement): boolean {
  const known = new Set(certificates.map(fingerprint));
  const sent = [...descendants(response)].filter(({ name }) => name === 'X509Certificate');
  return sent.some(({ text }) => !known.has(fingerprint(text)));
}

function fingerprint(certificate: string): string {
  const body = certificate.replace(/-----[A-Z ]+-----|\s+/g, '');
  try {
    return new X509Certificate(Buffer.from(body, 'base64')).fingerprint256;
  } catch {
    return 'unreadable';
  }
}

/** The shared address: a company's assertions count for that company alone (B.5). */
async function refuseOtherCompany(
  work: Work,
  connection: StoredConnection,
  { attributes }: Asserted,
  asked: Asked | null,
): Promise<void> {
  const company = await work.store.companies.findById(connection.companyId);
  const name = connection.attributes.companyIdentifier || 'CompanyIdentifier';
  const sent = attributes.get(name) ?? [];
  // Our own request says whose it is; where the upstream began, the assertion has to.
  if (sent.length === 0 && asked) return;
  if (sent.length !== 1 || sent[0] !== company?.identifier)
    throw new Refused('unknown-company', { attribute: name, sent: sent.map((value) => value.slice(0, 60)) });
}

export const samlConnector: Connector = { begin, finish };

/** What an answer says of itself before anything of it is believed: enough to find the connection that may judge it. */
export interface Peek {
  inResponseTo: string | null;
  issuer: string | null;
  companyIdentifiers: string[];
}

/** @throws XmlProblem */
export function peek(xml: string): Peek {
  const response = readXml(xml);
  const all = [...descendants(response)];
  const issuer = all.find(({ name }) => name === 'Issuer')?.text.trim();
  const named = all.filter(
    (element) => element.name === 'Attribute' && /CompanyIdentifier$/i.test(element.attributes.get('Name') ?? ''),
  );
  return {
    inResponseTo: response.attributes.get('InResponseTo') ?? null,
    issuer: issuer ? issuer.slice(0, 1024) : null,
    companyIdentifiers: named.flatMap(({ children }) => children.map(({ text }) => text.trim())),
  };
}
