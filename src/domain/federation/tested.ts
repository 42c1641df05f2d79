// What a test sign-in proves: that the connection works with the settings of today. Pure.
import { hash } from 'node:crypto';
import type { ArrivalRefusal } from './arrival.ts';
import type { UpstreamClaims } from './claims.ts';
import type { Connection } from './connection.ts';

type WhatIsTested = Pick<Connection, 'settings' | 'attributes'>;

/** Changes with everything that a test depends on, and with nothing else. A client secret that is replaced takes the test away by itself. */
export function testedHashOf({ settings: all, attributes }: WhatIsTested): string {
  // How a logout goes on says nothing of a login.
  const { logoutReturns: _, ...settings } = { logoutReturns: false, ...all };
  return hash('sha256', JSON.stringify(ordered({ settings, attributes })), 'base64url');
}

export const isTested = (connection: WhatIsTested & { testedHash: string | null }): boolean =>
  connection.testedHash !== null && connection.testedHash === testedHashOf(connection);

/** PostgreSQL gives the keys of an object back in an order of its own. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, inner]) => [name, ordered(inner)]),
  );
}

export interface TestCheck {
  name: 'email' | 'names' | 'groups';
  /** What only makes less of a sign-in does not keep the connection from being enabled. */
  weight: 'needed' | 'good to have';
  passed: boolean;
  sentence: string;
}

type ReadField = 'email' | 'firstName' | 'lastName' | 'groups';

const soap = 'http://schemas.xmlsoap.org';

/** Under which names identity providers send it, unless they are told otherwise. */
const usualNames: Record<ReadField, readonly string[]> = {
  email: ['email', 'mail', 'emailAddress', `${soap}/ws/2005/05/identity/claims/emailaddress`],
  firstName: ['firstName', 'given_name', 'givenName', `${soap}/ws/2005/05/identity/claims/givenname`],
  lastName: ['lastName', 'family_name', 'surname', 'sn', `${soap}/ws/2005/05/identity/claims/surname`],
  groups: [
    'groups',
    'roles',
    'memberOf',
    `${soap}/claims/Group`,
    'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups',
  ],
};

/** What came under another name, most likely meant as this: first the name that is read, in other letter case. */
function meantWords(other: UpstreamClaims['other'], read: string, field: ReadField): string {
  const sent = new Map(Object.keys(other).map((name) => [name.toLowerCase(), name]));
  const found = [read, ...usualNames[field]].map((name) => sent.get(name.toLowerCase())).find((name) => name);
  return found ? ` Did you mean "${found}"?` : '';
}

function emailSentence({ email, isEmailFromSubject }: UpstreamClaims, missing: string): string {
  if (email === null) return `No e-mail came: ${missing}`;
  return `The e-mail is ${email}${isEmailFromSubject ? `, from the Name ID: ${missing}` : '.'}`;
}

/**
 * What came back, held against what a sign-in needs.
 * `readsGroups`: a rule of the connection looks at groups. `needsNames`: this very person could not be created without them.
 */
export function judgeTest(
  claims: UpstreamClaims,
  { attributes, settings, creation }: WhatIsTested & Pick<Connection, 'creation'>,
  { readsGroups, needsNames }: { readsGroups: boolean; needsNames: boolean },
): TestCheck[] {
  const { email, firstName, lastName, groups } = claims;
  const isSaml = settings.kind === 'saml';
  const called = isSaml ? 'attribute' : 'claim';
  const hasNames = firstName !== null && lastName !== null;
  const meant = (field: ReadField) => meantWords(claims.other, attributes[field], field);
  const namesMeant = `${firstName === null ? meant('firstName') : ''}${lastName === null ? meant('lastName') : ''}`;
  const groupSentences = {
    list: `Groups came: ${groups.state === 'list' ? groups.values.length : 0}.`,
    missing: `No groups came: the ${called} "${attributes.groups}" was missing.${meant('groups')}`,
    overage:
      'A link came in place of the groups: this person is in too many. Let the identity provider send only the groups that are assigned to this application.',
  };
  return [
    {
      name: 'email',
      weight: 'needed',
      passed: email !== null,
      sentence: emailSentence(claims, `the ${called} "${attributes.email}" was missing.${meant('email')}`),
    },
    {
      name: 'names',
      weight: needsNames ? 'needed' : 'good to have',
      passed: hasNames,
      sentence: hasNames
        ? `The name is ${firstName} ${lastName}.`
        : `First name, last name or both were missing: ${creation.on ? 'whoever has no account here yet would be refused' : 'new people would need them once Automatic User Creation is on'}.${namesMeant}`,
    },
    {
      name: 'groups',
      weight: readsGroups ? 'needed' : 'good to have',
      passed: groups.state === 'list',
      sentence: groupSentences[groups.state],
    },
  ];
}

/**
 * One answer to what came and to what a sign-in would make of it.
 * `not-this-person`: the connection does its part, and whoever tested would not get in for a reason of their own, such as having no
 * account here: an administrator who sets it up with an account of theirs at the upstream. `unfit`: what came makes nobody.
 */
export type TestVerdict = 'passed' | 'not-this-person' | 'missing' | 'unfit';

type Decided = { outcome: 'create' | 'accept' | 'deactivate' } | { outcome: 'refused'; because: ArrivalRefusal };

export function verdictOf(checks: readonly TestCheck[], decision: Decided): TestVerdict {
  if (checks.some(({ passed, weight }) => !passed && weight === 'needed')) return 'missing';
  if (decision.outcome === 'create' || decision.outcome === 'accept') return 'passed';
  return decision.outcome === 'refused' && decision.because === 'invalid-person' ? 'unfit' : 'not-this-person';
}

/** It may be enabled with these settings. */
export const isProof = (verdict: TestVerdict): boolean => verdict === 'passed' || verdict === 'not-this-person';
