// Judges an assertion that was signed (SAML 2.0 profiles, section 4.1.4): from whom, for whom, to where, when, in answer to what.
// Pure: the clock is given. What it reads is what the signature covered, and nothing else.
import { clockDetails } from '../../domain/federation/problem.ts';
import { minutes, seconds } from '../../lib/time.ts';
import { Refused, saml } from './saml-shape.ts';
import { childrenOf, type XmlElement } from './xml.ts';

/** What clocks may be apart. */
export const clockSkew = seconds(90);

export interface Expected {
  /** Entity id of the upstream. */
  issuer: string;
  /** Ours. */
  audience: string;
  acs: string;
  /** Null: nobody asked, and so no request may be named. */
  asked: { requestId: string; at: Date } | null;
  /** The person was to prove themselves anew: since then. */
  authenticatedSince: Date | null;
  now: Date;
}

export interface Asserted {
  id: string;
  nameId: { value: string; attributes: Record<string, string> };
  sessionIndex: string | null;
  attributes: Map<string, string[]>;
  /** It could be played until then. */
  endsAt: Date;
  /** When the person proved themselves to the upstream. */
  authnInstant: Date | null;
  /** See connector.ts. */
  stale: Record<string, unknown> | null;
}

const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';

/** @throws Refused */
export function judgeAssertion(assertion: XmlElement, expected: Expected): Asserted {
  const id = assertion.attributes.get('ID') ?? '';
  if (assertion.attributes.get('Version') !== '2.0' || id === '') throw new Refused('malformed');
  const issuer = only(assertion, 'Issuer').text.trim();
  if (issuer !== expected.issuer)
    throw new Refused('issuer', { sent: issuer.slice(0, 300), expected: expected.issuer });
  refuseAudience(assertion, expected);
  const issued = timeOf(assertion, 'IssueInstant');
  if (!issued) throw new Refused('malformed', { missing: 'IssueInstant' });
  refuseClock(issued, expected);
  const conditions = only(assertion, 'Conditions');
  refuseTimes(conditions, expected);
  const subject = only(assertion, 'Subject');
  const endsAt = confirm(subject, expected);
  const statement = childrenOf(assertion, saml, 'AuthnStatement')[0];
  if (!statement) throw new Refused('malformed', { missing: 'AuthnStatement' });
  const sessionEnds = timeOf(statement, 'SessionNotOnOrAfter');
  if (sessionEnds && sessionEnds.getTime() + clockSkew <= expected.now.getTime()) throw new Refused('expired');
  return {
    id,
    nameId: nameIdOf(subject),
    sessionIndex: statement.attributes.get('SessionIndex') ?? null,
    attributes: attributesOf(assertion),
    endsAt: new Date(endsAt.getTime() + clockSkew + minutes(1)),
    authnInstant: timeOf(statement, 'AuthnInstant') ?? null,
    stale: staleness(statement, expected),
  };
}

function only(parent: XmlElement, name: string): XmlElement {
  const [found, ...more] = childrenOf(parent, saml, name);
  if (!found || more.length > 0) throw new Refused('malformed', { missing: name });
  return found;
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** @throws Refused */
export function timeOf(element: XmlElement, name: string): Date | null {
  const written = element.attributes.get(name);
  if (written === undefined) return null;
  const time = new Date(written.replace(/(\.\d{3})\d+Z$/, '$1Z'));
  // Without a Z it would mean another time on each server.
  if (!instant.test(written) || Number.isNaN(time.getTime()))
    throw new Refused('malformed', { time: written.slice(0, 40) });
  return time;
}

/** Says "the clocks are apart" where it can be told, rather than "run out". */
function refuseClock(issued: Date, { now, asked }: Expected): void {
  const ahead = issued.getTime() - now.getTime();
  const behind = asked ? asked.at.getTime() - issued.getTime() : 0;
  if (ahead > clockSkew || behind > clockSkew) throw new Refused('clock-skew', clockDetails(issued, now));
}

function refuseTimes(element: XmlElement, { now }: Expected): Date | null {
  const begins = timeOf(element, 'NotBefore');
  const ends = timeOf(element, 'NotOnOrAfter');
  const details = { notBefore: begins?.toISOString(), notOnOrAfter: ends?.toISOString(), here: now.toISOString() };
  if (begins && now.getTime() + clockSkew < begins.getTime()) throw new Refused('clock-skew', details);
  if (ends && now.getTime() - clockSkew >= ends.getTime()) throw new Refused('expired', details);
  return ends;
}

/** Core 3.4.1: ForceAuthn stands in an address that the person can change, and some upstreams do not heed it. */
function staleness(statement: XmlElement, { authenticatedSince: since }: Expected): Asserted['stale'] {
  if (since === null) return null;
  const proved = timeOf(statement, 'AuthnInstant');
  if (proved && proved.getTime() + clockSkew >= since.getTime()) return null;
  return { authnInstant: proved?.toISOString() ?? null, asked: since.toISOString() };
}

function refuseAudience(assertion: XmlElement, { audience }: Expected): void {
  const conditions = only(assertion, 'Conditions');
  const known = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'];
  // Core 2.5.1.1: a condition that is not understood makes the assertion worth nothing.
  if (conditions.children.some(({ ns, name }) => ns !== saml || !known.includes(name)))
    throw new Refused('malformed', { because: 'a condition that is not known' });
  const restrictions = childrenOf(conditions, saml, 'AudienceRestriction');
  const sent = restrictions.map((restriction) =>
    childrenOf(restriction, saml, 'Audience').map(({ text }) => text.trim()),
  );
  if (sent.length === 0 || !sent.every((audiences) => audiences.includes(audience)))
    throw new Refused('audience', { sent: sent.flat().map((one) => one.slice(0, 300)), expected: audience });
}

/** One bearer confirmation has to fit in everything. @returns when it ends */
function confirm(subject: XmlElement, expected: Expected): Date {
  let refused = new Refused('recipient', { because: 'no bearer confirmation' });
  for (const confirmation of childrenOf(subject, saml, 'SubjectConfirmation')) {
    if (confirmation.attributes.get('Method') !== bearer) continue;
    try {
      return fits(only(confirmation, 'SubjectConfirmationData'), expected);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused = error;
    }
  }
  throw refused;
}

function fits(data: XmlElement, expected: Expected): Date {
  const recipient = data.attributes.get('Recipient') ?? '';
  if (recipient !== expected.acs)
    throw new Refused('recipient', { sent: recipient.slice(0, 300), expected: expected.acs });
  const ends = refuseTimes(data, expected);
  if (!ends) throw new Refused('malformed', { missing: 'NotOnOrAfter' });
  const answers = data.attributes.get('InResponseTo') ?? null;
  if (answers !== (expected.asked?.requestId ?? null))
    throw new Refused('not-asked', { inResponseTo: answers?.slice(0, 100) ?? null });
  return ends;
}

function nameIdOf(subject: XmlElement): Asserted['nameId'] {
  const [nameId, ...more] = childrenOf(subject, saml, 'NameID');
  const value = nameId?.text.trim() ?? '';
  if (!nameId || value === '' || more.length > 0 || nameId.children.length > 0)
    throw new Refused('missing-attribute', { attribute: 'NameID' });
  const format = nameId.attributes.get('Format');
  // Another one at each login: nobody could be known again by it (C27).
  if (format === transient)
    throw new Refused('missing-attribute', { attribute: 'NameID', because: 'it is transient: send a persistent one' });
  return { value, attributes: Object.fromEntries([...nameId.attributes].filter(([name]) => !name.includes(':'))) };
}

function attributesOf(assertion: XmlElement): Map<string, string[]> {
  const attributes = new Map<string, string[]>();
  for (const statement of childrenOf(assertion, saml, 'AttributeStatement'))
    for (const attribute of childrenOf(statement, saml, 'Attribute')) {
      const name = attribute.attributes.get('Name') ?? '';
      const values = childrenOf(attribute, saml, 'AttributeValue')
        .filter(({ children }) => children.length === 0)
        .map(({ text }) => text.trim())
        .filter((value) => value !== '');
      attributes.set(name, [...(attributes.get(name) ?? []), ...values]);
    }
  return attributes;
}
