// Somebody comes back from an upstream with claims: who that is here, whether they may come in, and what the rules make of them.
// Pure: the sign-in, the test of a connection and "why" ask the same function.
import type { GroupId, UserId } from '../../lib/ids.ts';
import type { Role } from '../roles/role.ts';
import { isAllowedFrom, type SignInFacts } from '../users/sign-in.ts';
import { emailSchema, firstNameSchema, lastNameSchema, usernameSchema } from '../users/user.ts';
import type { UpstreamClaims } from './claims.ts';
import type { Connection } from './connection.ts';
import { decideMapping, type Mapping } from './mapping.ts';
import {
  decidePerson,
  givenGroups,
  type LastSeen,
  type MappedPerson,
  type MappingBench,
  type MembershipSource,
  type PersonChange,
  stopWords,
} from './person-mapping.ts';

export const arrivalRefusals = [
  'address',
  'disabled',
  'no-email',
  'ambiguous',
  'root',
  'bound-elsewhere',
  'unverified',
  'deactivated',
  'unmapped',
  'no-account',
  'groups-unknown',
  'invalid-person',
  'username-taken',
] as const;

export type ArrivalRefusal = (typeof arrivalRefusals)[number];

/**
 * What the person reads. Who has an account here is not told apart from who has none, but for what only their own upstream can mend:
 * whoever reads this was let in by it.
 */
export const arrivalSentences: Record<ArrivalRefusal, string> = {
  address: 'Your company does not allow logging in from this network.',
  disabled: 'Single sign-on is not enabled for your company.',
  'no-email': 'Your identity provider did not send your e-mail address.',
  ambiguous: 'Your account could not be told apart from another one. Ask your administrator.',
  root: 'This account logs in with its password. Use the login page.',
  'bound-elsewhere': 'Your account here belongs to another account of your identity provider. Ask your administrator.',
  unverified:
    'Your e-mail address has not been confirmed here yet. Follow the link in the mail that you were sent, then log in again.',
  // T24: the ordinary sentence; the reason stands in the audit log.
  deactivated: 'Ask your administrator for access.',
  unmapped: 'Ask your administrator for access.',
  'no-account': 'Ask your administrator for access.',
  'groups-unknown': 'Your identity provider did not say which groups you are in. Ask your administrator.',
  'invalid-person': 'Your identity provider did not send all that an account needs. Ask your administrator.',
  'username-taken': 'There is another account with your username. Ask your administrator.',
};

/** For the administrator: what most likely is to be done. */
export const arrivalAdvice: Record<ArrivalRefusal, string> = {
  address: 'The IP access list of the company does not hold the address.',
  disabled: 'Enable the connection.',
  'no-email': 'Let the identity provider send the e-mail address under the name that the connection expects.',
  ambiguous: 'Several people here have this address. Change the address of all but one, or delete the others.',
  root: 'The Root Admin is never found by an address: while logged in here, they test the connection and bind their own account.',
  'bound-elsewhere':
    'Somebody else at the identity provider has logged in as this person before. If the account there was replaced, delete the person here and let them come anew, or take back the binding.',
  unverified: 'The person has not confirmed this address here, and the identity provider does not vouch for it.',
  deactivated: 'An administrator has deactivated this person: only an administrator activates them again.',
  unmapped: 'None of the rules fits what came. Compare the groups in the log with the rules.',
  'no-account': 'Nobody here has this address, and Enable Automatic User Creation is off.',
  'groups-unknown':
    'Nobody new is created while groups decide and none are said. Let the identity provider send the groups.',
  'invalid-person': 'See which fields are missing or too long, and let the identity provider send them.',
  'username-taken': 'Somebody else here has the username that came. Send another one, or change that person.',
};

export interface ArrivingPerson extends MappedPerson {
  emailVerifiedAt: Date | null;
  /** Who they are at this upstream already; null: nobody yet. */
  identity: (LastSeen & { issuer: string; subject: string }) | null;
}

export interface ArrivalFacts {
  connection: Pick<Connection, 'name' | 'enabled' | 'creation' | 'mapping'>;
  bench: MappingBench;
  claims: UpstreamClaims;
  /** Whether the upstream may vouch for the address: it says so, and no other company has proved the domain. */
  vouches: boolean;
  /** Found by issuer and subject. */
  bound: ArrivingPerson | null;
  /** Else by address; two are enough to know that it is not clear. */
  byEmail: ArrivingPerson[];
  from: SignInFacts['from'];
  othersAdministering: number;
}

export interface NewPerson {
  fields: { firstName: string; lastName: string; email: string; username: string };
  role: Exclude<Role, 'Root Admin'>;
  roleRuleId: string | null;
  groupIds: GroupId[];
  sources: MembershipSource[];
  emailIsVerified: boolean;
}

interface Told {
  /** What was asked and answered, in order, in words. */
  trace: string[];
  /** Null: nobody here. */
  userId: UserId | null;
  mapping: Mapping | null;
}

export type ArrivalDecision = Told &
  (
    | { outcome: 'refused'; because: ArrivalRefusal; fields: Record<string, string> }
    /** T15: everything ends at once, and the login is refused. */
    | { outcome: 'deactivate'; userId: UserId; binds: boolean; change: PersonChange }
    | {
        outcome: 'accept';
        userId: UserId;
        /** The first login: from now on the subject counts, not the address (C27). */
        binds: boolean;
        becomes: 'same' | 'signed-up' | 'reactivated';
        change: PersonChange;
      }
    | { outcome: 'create'; person: NewPerson }
  );

export function decideArrival(facts: ArrivalFacts): ArrivalDecision {
  const trace: string[] = [];
  const refused = (because: ArrivalRefusal, userId: UserId | null = null): ArrivalDecision => ({
    outcome: 'refused',
    because,
    fields: {},
    trace,
    userId,
    mapping: null,
  });
  if (!isAllowedFrom(facts.from)) return refused('address');
  if (!facts.connection.enabled) return refused('disabled');
  const found = identify(facts, trace);
  if ('because' in found) return refused(found.because, found.userId);
  return found.person ? decideKnown(facts, found.person, trace) : decideNew(facts, trace);
}

type Found = { person: ArrivingPerson | null } | { because: ArrivalRefusal; userId: UserId | null };

/** C27, C28: the subject binds; an address is looked at once, and only where it is sure. */
function identify({ bound, byEmail, claims, vouches }: ArrivalFacts, trace: string[]): Found {
  if (bound) {
    trace.push(`Known at this identity provider as ${bound.username}.`);
    return { person: bound };
  }
  if (claims.email === null) return { because: 'no-email', userId: null };
  const [person, second] = byEmail;
  if (!person) {
    trace.push(`Nobody here has the address ${claims.email}.`);
    return { person: null };
  }
  if (second) {
    trace.push(`More than one person here has the address ${claims.email}.`);
    return { because: 'ambiguous', userId: null };
  }
  trace.push(`${person.username} has the address ${claims.email}.`);
  const because = whyNotBound(person, vouches);
  if (because) return { because, userId: person.id };
  trace.push('Bound to this account of the identity provider from now on.');
  return { person };
}

function whyNotBound(person: ArrivingPerson, vouches: boolean): ArrivalRefusal | null {
  // Whoever sets up an upstream must not become the Root Admin by naming their address.
  if (person.role === 'Root Admin') return 'root';
  if (person.identity) return 'bound-elsewhere';
  if (person.emailVerifiedAt !== null) return null;
  // T9: for an invited person the upstream vouches instead of the link in the mail.
  return person.baseStatus === 'Invited' && vouches ? null : 'unverified';
}

/** No rules: nothing is asked of the groups. */
function mappingOf({ bench, claims }: ArrivalFacts, before: LastSeen | null): Mapping {
  return decideMapping(bench.rules, claims, { hadGroups: (before?.groups?.length ?? 0) > 0 });
}

function decideKnown(facts: ArrivalFacts, person: ArrivingPerson, trace: string[]): ArrivalDecision {
  const { bench } = facts;
  const binds = facts.bound === null;
  const mapping = mappingOf(facts, binds ? null : person.identity);
  const told = { trace, userId: person.id, mapping };
  const refused = (because: ArrivalRefusal): ArrivalDecision => ({ ...told, outcome: 'refused', because, fields: {} });
  const change = decidePerson(bench, person, mapping, facts.othersAdministering);
  trace.push(change.rule);
  // T24
  if (person.baseStatus === 'Deactivated' && person.deactivatedReason !== 'mapping') return refused('deactivated');
  if (change.act === 'deactivate') return { ...told, outcome: 'deactivate', binds, change };
  if (person.baseStatus === 'Deactivated') {
    if (change.act !== 'reactivate') return refused(mapping.outcome === 'stop' ? 'groups-unknown' : 'unmapped');
    trace.push('Deactivated by mapping, and in a mapped group again: active.');
    return { ...told, outcome: 'accept', binds, becomes: 'reactivated', change };
  }
  if (person.baseStatus === 'Invited') {
    if (isUnmapped(bench, mapping) && !person.isBreakGlass) return refused('unmapped');
    trace.push('Invited: this login signs them up, and the invitation is void.');
    return { ...told, outcome: 'accept', binds, becomes: 'signed-up', change };
  }
  return { ...told, outcome: 'accept', binds, becomes: 'same', change };
}

const isUnmapped = (bench: MappingBench, mapping: Mapping): boolean =>
  bench.mapping && bench.rules.length > 0 && mapping.outcome === 'unmapped';

/** T3: Active at once, without a password. */
function decideNew(facts: ArrivalFacts, trace: string[]): ArrivalDecision {
  const { connection, bench, claims } = facts;
  const mapping = mappingOf(facts, null);
  const told = { trace, userId: null, mapping };
  const refused = (because: ArrivalRefusal, fields: Record<string, string> = {}): ArrivalDecision => {
    trace.push(...Object.values(fields));
    return { ...told, outcome: 'refused', because, fields };
  };
  if (!connection.creation.on) return refused('no-account');
  if (mapping.outcome === 'stop') {
    trace.push(stopWords[mapping.because]);
    return refused('groups-unknown');
  }
  if (isUnmapped(bench, mapping)) return refused('unmapped');
  const parsed = parsePerson(claims);
  if ('problems' in parsed) return refused('invalid-person', parsed.problems);
  const mapped = mapping.outcome === 'mapped' ? mapping : null;
  const { groupIds, sources } = newGroups(bench, mapped?.groups ?? [], connection.creation.groupIds);
  trace.push('Nobody yet: created, and active at once.');
  return {
    ...told,
    outcome: 'create',
    person: {
      fields: parsed.fields,
      role: mapped?.role?.value ?? connection.creation.role,
      roleRuleId: mapped?.role?.ruleId ?? null,
      groupIds,
      sources,
      emailIsVerified: facts.vouches,
    },
  };
}

/** What rules give, else the default; nobody is without a group (C20). */
function newGroups(
  bench: MappingBench,
  given: { groupId: string; ruleIds: string[] }[],
  otherwise: string[],
): { groupIds: GroupId[]; sources: MembershipSource[] } {
  const byRules = givenGroups(bench, given);
  const sources = [...byRules.real].map(([groupId, ruleIds]) => ({
    groupId,
    connectionId: bench.connectionId,
    ruleIds,
    wasByHand: false,
  }));
  const { none } = byRules;
  if (sources.length > 0) return { groupIds: sources.map(({ groupId }) => groupId), sources };
  const isNone = none !== undefined && given.some(({ groupId }) => groupId === none.id);
  const defaults = isNone
    ? []
    : [
        ...givenGroups(
          bench,
          otherwise.map((groupId) => ({ groupId, ruleIds: [] })),
        ).real.keys(),
      ];
  if (defaults.length > 0 || !none) return { groupIds: defaults, sources };
  return { groupIds: [none.id], sources };
}

const personFields = {
  firstName: firstNameSchema,
  lastName: lastNameSchema,
  email: emailSchema,
  username: usernameSchema,
} as const;

/** A3.4: the username is the address unless one was sent; what is too long is refused, never cut. */
export function parsePerson(
  claims: Pick<UpstreamClaims, 'email' | 'username' | 'firstName' | 'lastName'>,
): { fields: NewPerson['fields'] } | { problems: Record<string, string> } {
  const given = { ...claims, username: claims.username ?? claims.email };
  const fields: NewPerson['fields'] = { firstName: '', lastName: '', email: '', username: '' };
  const problems: Record<string, string> = {};
  for (const name of ['firstName', 'lastName', 'email', 'username'] as const) {
    const parsed = personFields[name].safeParse(given[name] ?? '');
    if (parsed.success) fields[name] = parsed.data;
    else problems[name] = parsed.error.issues[0]?.message ?? 'Not valid.';
  }
  return Object.keys(problems).length > 0 ? { problems } : { fields };
}

/** What happened, for the surface that asked. */
export interface Arrival {
  outcome: 'accepted' | 'refused';
  userId: UserId | null;
  username: string | null;
  /** What became of the person in this very login. */
  became: 'same' | 'created' | 'signed-up' | 'reactivated' | 'deactivated' | 'nobody';
  because: ArrivalRefusal | null;
  /** What the page shows instead of the reason; null when accepted. */
  code: string | null;
  /** What the person reads; null when accepted. */
  sentence: string | null;
  trace: string[];
  /** Groups were not said: nothing was changed, and the administrators were told. */
  stop: Extract<Mapping, { outcome: 'stop' }>['because'] | null;
  /** 2FA of this person is the upstream's, unless the connection asks for ours as well (C25). */
  asksSecondFactor: boolean;
}
