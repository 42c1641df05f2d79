import { describe, expect, it } from 'vitest';
import {
  type ArrivalFacts,
  type ArrivingPerson,
  arrivalAdvice,
  arrivalRefusals,
  arrivalSentences,
  decideArrival,
  parsePerson,
} from '../../../../src/domain/federation/arrival.ts';
import type { UpstreamClaims } from '../../../../src/domain/federation/claims.ts';
import type { MappingRule } from '../../../../src/domain/federation/mapping.ts';
import type { Group } from '../../../../src/domain/groups/group.ts';
import type { GroupId, UserId } from '../../../../src/lib/ids.ts';

// Ids are plain strings at run time.
const id = <T>(name: string) => name as T;
const group = (name: string, kind: Group['kind'] = 'custom'): Group => ({
  id: id<GroupId>(name),
  name,
  kind,
  isActive: true,
});
const groups = [group('all', 'system-all'), group('none', 'system-none'), group('sales'), group('support')];

const rule = (value: string, more: Partial<MappingRule> = {}): MappingRule => ({
  id: `rule-${value}`,
  position: 1,
  when: { kind: 'group', value },
  role: null,
  groupIds: ['sales'],
  stops: false,
  ...more,
});

const person = (more: Partial<ArrivingPerson> = {}): ArrivingPerson => ({
  id: id<UserId>('ada'),
  username: 'ada',
  firstName: 'Ada',
  lastName: 'One',
  role: 'User',
  baseStatus: 'Active',
  deactivatedReason: null,
  isBreakGlass: false,
  groups: [id<GroupId>('all')],
  sources: [],
  roleSource: null,
  emailVerifiedAt: new Date('2026-01-01T00:00:00Z'),
  identity: null,
  ...more,
});

const seen = (values: string[] | null = ['Sales']) => ({
  issuer: 'idp',
  subject: 's',
  groups: values,
  groupsState: 'list' as const,
  other: {},
  at: new Date('2026-01-02T00:00:00Z'),
});

const claims = (more: Partial<UpstreamClaims> = {}): UpstreamClaims => ({
  subject: 's',
  email: 'ada@example.com',
  username: null,
  firstName: 'Ada',
  lastName: 'One',
  groups: { state: 'list', values: ['Sales'] },
  other: {},
  ...more,
});

interface Given extends Partial<Omit<ArrivalFacts, 'bench' | 'connection'>> {
  rules?: MappingRule[];
  mapping?: boolean;
  enabled?: boolean;
  creates?: boolean;
}

function facts({ rules = [], mapping = false, enabled = true, creates = true, ...more }: Given): ArrivalFacts {
  return {
    connection: {
      name: 'Entra ID',
      enabled,
      mapping,
      creation: { on: creates, role: 'User', groupIds: ['support'] },
    },
    bench: { connectionId: 'c', enabled, mapping, rules, groups },
    claims: claims(),
    vouches: true,
    bound: null,
    byEmail: [],
    from: { ip: '203.0.113.7', allowed: null },
    othersAdministering: 1,
    ...more,
  };
}

const told = (given: Given) => {
  const decision = decideArrival(facts(given));
  switch (decision.outcome) {
    case 'refused':
      return `refused: ${decision.because}`;
    case 'accept':
      return `accept: ${decision.becomes}${decision.binds ? ', binds' : ''}, ${decision.change.act}`;
    case 'create':
      return `create: ${decision.person.role} in ${decision.person.groupIds.join('+')}`;
    case 'deactivate':
      return 'deactivate';
  }
};

const sales = [rule('Sales')];
const invited = person({ baseStatus: 'Invited', emailVerifiedAt: null });
const byAdmin = person({ baseStatus: 'Deactivated', deactivatedReason: 'admin', identity: seen() });
const byMapping = person({ baseStatus: 'Deactivated', deactivatedReason: 'mapping', identity: seen() });
const known = person({ identity: seen() });
const other = claims({ groups: { state: 'list', values: ['Else'] } });
const missing = claims({ groups: { state: 'missing' } });
const emptied = claims({ groups: { state: 'list', values: [] } });
const overage = claims({ groups: { state: 'overage' } });

const table: [title: string, given: Given, outcome: string][] = [
  [
    'B.3: from an address that is not on the list',
    { from: { ip: '203.0.113.7', allowed: ['10.0.0.0/8'] }, bound: known },
    'refused: address',
  ],
  ['a connection that is off', { enabled: false, bound: known }, 'refused: disabled'],
  [
    'C27: known by subject, whatever the address says',
    { bound: known, claims: claims({ email: 'new@else.example' }) },
    'accept: same, none',
  ],
  [
    'C27: known by subject, without an address',
    { bound: known, claims: claims({ email: null }) },
    'accept: same, none',
  ],
  ['C28: found by a verified address, once', { byEmail: [person()] }, 'accept: same, binds, none'],
  [
    'C28: an address that nobody has confirmed',
    { byEmail: [person({ emailVerifiedAt: null })] },
    'refused: unverified',
  ],
  ['C13: two people with one address', { byEmail: [person(), person({ id: id<UserId>('bo') })] }, 'refused: ambiguous'],
  ['C27: the person belongs to another subject of this upstream', { byEmail: [known] }, 'refused: bound-elsewhere'],
  ['C23: the Root Admin is not found by an address', { byEmail: [person({ role: 'Root Admin' })] }, 'refused: root'],
  [
    'C23: the Root Admin, bound by their own act',
    { bound: person({ role: 'Root Admin', identity: seen() }), rules: sales, mapping: true, claims: other },
    'accept: same, none',
  ],
  ['no address, and nobody known', { claims: claims({ email: null }) }, 'refused: no-email'],
  // T3
  ['T3: JIT with the defaults', {}, 'create: User in support'],
  ['T3: JIT with mapped role and groups', { rules: [rule('Sales', { role: 'Admin' })] }, 'create: Admin in sales'],
  [
    'T3: JIT with a mapped role alone keeps the default groups',
    { rules: [rule('Sales', { role: 'Admin', groupIds: [] })] },
    'create: Admin in support',
  ],
  ['T3: JIT is off', { creates: false }, 'refused: no-account'],
  ['T3: in no mapped group with the switch on', { rules: sales, mapping: true, claims: other }, 'refused: unmapped'],
  ['T3: in no mapped group with the switch off', { rules: sales, claims: other }, 'create: User in support'],
  ['T3, C22: groups that are not said make nobody', { rules: sales, claims: missing }, 'refused: groups-unknown'],
  ['T3, C22: nor do too many', { rules: sales, mapping: true, claims: overage }, 'refused: groups-unknown'],
  [
    'T3, A3.4: an address too long for a username',
    { claims: claims({ email: `${'a'.repeat(50)}@example.com` }) },
    'refused: invalid-person',
  ],
  [
    'T3, C19: a rule gives No Module Access',
    { rules: [rule('Sales', { groupIds: ['none', 'sales'] })] },
    'create: User in none',
  ],
  [
    'T3, C20: a rule whose groups are gone falls back to the defaults',
    { rules: [rule('Sales', { groupIds: ['deleted'] })] },
    'create: User in support',
  ],
  // T9
  ['T9: an invited person is signed up', { byEmail: [invited] }, 'accept: signed-up, binds, none'],
  [
    'T9: not on the word of an upstream that does not vouch',
    { byEmail: [invited], vouches: false },
    'refused: unverified',
  ],
  [
    'T9: not in no mapped group',
    { byEmail: [invited], rules: sales, mapping: true, claims: other },
    'refused: unmapped',
  ],
  [
    'T9: mapped groups come with it',
    { byEmail: [invited], rules: sales, mapping: true },
    'accept: signed-up, binds, change',
  ],
  [
    'T9: as they are, when groups are not said',
    { byEmail: [invited], rules: sales, mapping: true, claims: missing },
    'accept: signed-up, binds, unknown',
  ],
  // T15
  ['T15: in no mapped group any more', { bound: known, rules: sales, mapping: true, claims: other }, 'deactivate'],
  [
    'T15: on the very first login, too',
    { byEmail: [person()], rules: sales, mapping: true, claims: other },
    'deactivate',
  ],
  ['T15: not with the switch off', { bound: known, rules: sales, claims: other }, 'accept: same, none'],
  ['T15: not without a rule', { bound: known, mapping: true, claims: other }, 'accept: same, none'],
  [
    'T15, C23: not the break-glass person',
    { bound: person({ identity: seen(), isBreakGlass: true }), rules: sales, mapping: true, claims: other },
    'accept: same, none',
  ],
  [
    'T15: not the last administrator',
    {
      bound: person({ role: 'Admin', identity: seen() }),
      rules: sales,
      mapping: true,
      claims: other,
      othersAdministering: 0,
    },
    'accept: same, none',
  ],
  [
    'T15: but one of two',
    { bound: person({ role: 'Admin', identity: seen() }), rules: sales, mapping: true, claims: other },
    'deactivate',
  ],
  [
    'C22: groups that are missing deactivate nobody',
    { bound: known, rules: sales, mapping: true, claims: missing },
    'accept: same, unknown',
  ],
  [
    'C22: nor a list that was emptied',
    { bound: known, rules: sales, mapping: true, claims: emptied },
    'accept: same, unknown',
  ],
  ['C22: nor overage', { bound: known, rules: sales, mapping: true, claims: overage }, 'accept: same, unknown'],
  [
    'C22: a list that was empty before is what it is',
    { bound: person({ identity: seen([]) }), rules: sales, mapping: true, claims: emptied },
    'deactivate',
  ],
  // T18, T24
  [
    'T18: deactivated by mapping, in a mapped group again',
    { bound: byMapping, rules: sales, mapping: true },
    'accept: reactivated, reactivate',
  ],
  ['T18: still in none', { bound: byMapping, rules: sales, mapping: true, claims: other }, 'refused: unmapped'],
  [
    'T18: the groups were not said',
    { bound: byMapping, rules: sales, mapping: true, claims: missing },
    'refused: groups-unknown',
  ],
  [
    'T18: by address, once',
    { byEmail: [person({ baseStatus: 'Deactivated', deactivatedReason: 'mapping' })], rules: sales, mapping: true },
    'accept: reactivated, binds, reactivate',
  ],
  [
    'T24, C24: deactivated by an administrator',
    { bound: byAdmin, rules: sales, mapping: true },
    'refused: deactivated',
  ],
  [
    'T24: by the directory',
    { bound: person({ baseStatus: 'Deactivated', deactivatedReason: 'scim', identity: seen() }), rules: sales },
    'refused: deactivated',
  ],
  [
    'T24: by address',
    { byEmail: [person({ baseStatus: 'Deactivated', deactivatedReason: 'admin' })] },
    'refused: deactivated',
  ],
];

describe('who arrives from an upstream, and whether they come in', () => {
  it.each(table)('%s', (_title, given, outcome) => {
    expect(told(given)).toBe(outcome);
  });

  it('every decision says how it was reached', () => {
    for (const [title, given] of table) {
      const { trace, outcome } = decideArrival(facts(given));
      if (!['B.3', 'a connection that is off', 'no address'].some((start) => title.startsWith(start)))
        expect(trace.length, `${title}: ${outcome}`).toBeGreaterThan(0);
      for (const line of trace) expect(line, title).toMatch(/[.)]$/);
      // In words: administrators do not know the ids of our rules.
      for (const line of trace) expect(line, title).not.toMatch(/\b[A-Z]\d+\b/);
    }
  });

  it('every refusal has a sentence for the person and advice for the administrator; T24: none of them tells why', () => {
    for (const because of arrivalRefusals) {
      expect(arrivalSentences[because]).toMatch(/\.$/);
      expect(arrivalAdvice[because]).toMatch(/\.$/);
    }
    const alike = (['deactivated', 'unmapped', 'no-account'] as const).map((because) => arrivalSentences[because]);
    expect(new Set(alike).size).toBe(1);
  });
});

describe('A3.4: fields of a person whom an upstream sends', () => {
  const given = { email: 'ada@example.com', username: null, firstName: 'Ada', lastName: 'One' };

  it('take the address for a username that was not sent', () => {
    expect(parsePerson(given)).toEqual({ fields: { ...given, username: 'ada@example.com' } });
  });

  it.each([
    ['a username of 51 characters', { username: 'a'.repeat(51) }, ['username']],
    ['barred characters', { username: 'ada/one' }, ['username']],
    ['an address that is none', { email: 'ada', username: 'ada' }, ['email']],
    ['no names', { firstName: null, lastName: '' }, ['firstName', 'lastName']],
    ['a name with signs', { firstName: '<b>Ada</b>' }, ['firstName']],
  ])('refuse %s, and cut nothing', (_title, more, fields) => {
    const parsed = parsePerson({ ...given, ...more });
    expect('problems' in parsed && Object.keys(parsed.problems)).toEqual(fields);
  });
});
