import { describe, expect, it } from 'vitest';
import { decideMapping, type MappingRule } from '../../../../src/domain/federation/mapping.ts';
import {
  decidePerson,
  type MappedPerson,
  type MappingBench,
  type MembershipSource,
} from '../../../../src/domain/federation/person-mapping.ts';
import type { Group } from '../../../../src/domain/groups/group.ts';
import type { GroupId, UserId } from '../../../../src/lib/ids.ts';

// Ids are plain strings at run time.
const gid = (name: string) => name as GroupId;
const group = (name: string, kind: Group['kind'] = 'custom'): Group => ({ id: gid(name), name, kind, isActive: true });
const groups = [group('all', 'system-all'), group('none', 'system-none'), group('a'), group('b'), group('c')];

const gives = (groupIds: string[], more: Partial<MappingRule> = {}): MappingRule => ({
  id: 'r1',
  position: 1,
  when: { kind: 'group', value: 'G' },
  role: null,
  groupIds,
  stops: false,
  ...more,
});

const byRule = (groupId: string, more: Partial<MembershipSource> = {}): MembershipSource => ({
  groupId: gid(groupId),
  connectionId: 'c',
  ruleIds: ['r1'],
  wasByHand: false,
  ...more,
});

const person = (more: Partial<MappedPerson> = {}): MappedPerson => ({
  id: 'ada' as UserId,
  username: 'ada',
  firstName: 'Ada',
  lastName: 'One',
  role: 'User',
  baseStatus: 'Active',
  deactivatedReason: null,
  isBreakGlass: false,
  groups: [gid('all')],
  sources: [],
  roleSource: null,
  ...more,
});

function decide(rules: MappingRule[], who: MappedPerson, said: string[], more: Partial<MappingBench> = {}) {
  const bench: MappingBench = { connectionId: 'c', enabled: true, mapping: false, rules, groups, ...more };
  const claims = { groups: { state: 'list' as const, values: said }, other: {} };
  return decidePerson(bench, who, decideMapping(rules, claims, { hadGroups: false }), 1);
}

const outcomeOf = (rules: MappingRule[], who: MappedPerson, said: string[]) => {
  const { after, sources } = decide(rules, who, said);
  return {
    groups: after.groups.join(),
    sources: sources.map((s) => `${s.groupId}${s.wasByHand ? ' by hand' : ''}`).join(),
  };
};

describe('C22: a rule takes away only what a rule of its connection gave', () => {
  it.each<[string, MappingRule[], MappedPerson, string[], { groups: string; sources: string }]>([
    ['gives a group beside those by hand', [gives(['a'])], person(), ['G'], { groups: 'a,all', sources: 'a' }],
    [
      'takes what it gave',
      [gives(['a'])],
      person({ groups: [gid('a'), gid('all')], sources: [byRule('a')] }),
      [],
      { groups: 'all', sources: '' },
    ],
    [
      'leaves what was by hand',
      [gives(['a'])],
      person({ groups: [gid('a'), gid('b')] }),
      [],
      { groups: 'a,b', sources: '' },
    ],
    [
      'knows what it found by hand',
      [gives(['a'])],
      person({ groups: [gid('a')] }),
      ['G'],
      { groups: 'a', sources: 'a by hand' },
    ],
    [
      'and leaves it when it goes',
      [gives(['a'])],
      person({ groups: [gid('a')], sources: [byRule('a', { wasByHand: true })] }),
      [],
      { groups: 'a', sources: '' },
    ],
    [
      'leaves what another connection gives, too',
      [gives(['a'])],
      person({ groups: [gid('a')], sources: [byRule('a'), byRule('a', { connectionId: 'd' })] }),
      [],
      { groups: 'a', sources: '' },
    ],
    [
      'what another connection gave was not by hand',
      [gives(['a'])],
      person({ groups: [gid('a')], sources: [byRule('a', { connectionId: 'd' })] }),
      ['G'],
      { groups: 'a', sources: 'a' },
    ],
    [
      'a hand took it away: the rule gives it again, and it is the rule’s',
      [gives(['a'])],
      person({ groups: [gid('b')], sources: [byRule('a', { wasByHand: true })] }),
      ['G'],
      { groups: 'a,b', sources: 'a' },
    ],
    [
      'C20: nobody is without a group',
      [gives(['a'])],
      person({ groups: [gid('a')], sources: [byRule('a')] }),
      [],
      { groups: 'none', sources: '' },
    ],
    [
      'C19: whoever joins a group leaves No Module Access',
      [gives(['a'])],
      person({ groups: [gid('none')] }),
      ['G'],
      { groups: 'a', sources: 'a' },
    ],
    [
      'C19: a rule of No Module Access gives no other group',
      [gives(['a', 'none'])],
      person({ groups: [gid('a')], sources: [byRule('a')] }),
      ['G'],
      { groups: 'none', sources: '' },
    ],
    [
      'C19: and takes nothing that was by hand',
      [gives(['none'])],
      person({ groups: [gid('b')] }),
      ['G'],
      { groups: 'b', sources: '' },
    ],
    ['a group that is gone is left out', [gives(['deleted', 'a'])], person(), ['G'], { groups: 'a,all', sources: 'a' }],
  ])('%s', (_title, rules, who, said, expected) => {
    expect(outcomeOf(rules, who, said)).toEqual(expected);
  });

  it('the union of all rules that fit, to the letter and up to the first that stops', () => {
    const rules = [
      gives(['a'], { id: 'r1', position: 1 }),
      gives(['b'], { id: 'r2', position: 2, stops: true }),
      gives(['c'], { id: 'r3', position: 3 }),
    ];
    expect(outcomeOf(rules, person(), ['G'])).toEqual({ groups: 'a,all,b', sources: 'a,b' });
    expect(outcomeOf(rules, person(), ['g'])).toEqual({ groups: 'all', sources: '' });
  });
});

describe('C22, C23: the role by the first rule that fits', () => {
  const admin = gives([], { role: 'Admin' });

  it('is given, remembered with what was before, and goes back when no rule gives one', () => {
    const given = decide([admin], person(), ['G']);
    expect(given).toMatchObject({
      act: 'change',
      after: { role: 'Admin' },
      roleSource: { ruleId: 'r1', before: 'User' },
    });
    const now = person({ role: 'Admin', roleSource: given.roleSource });
    expect(decide([admin], now, ['G'])).toMatchObject({ act: 'none', roleSource: { before: 'User' } });
    expect(decide([admin], now, [])).toMatchObject({ act: 'change', after: { role: 'User' }, roleSource: null });
  });

  it('stays where a hand has given it since', () => {
    const source = { connectionId: 'c', ruleId: 'r1', role: 'Admin' as const, before: 'User' as const };
    const byHand = person({ role: 'Billing and Purchasing', roleSource: source });
    expect(decide([admin], byHand, [])).toMatchObject({ act: 'none', after: { role: 'Billing and Purchasing' } });
    expect(decide([admin], person({ role: 'Admin' }), ['G'])).toMatchObject({ act: 'none', roleSource: null });
    expect(decide([admin], person({ role: 'Admin' }), [])).toMatchObject({ act: 'none', after: { role: 'Admin' } });
  });

  it('of another connection is left alone', () => {
    const source = { connectionId: 'd', ruleId: 'r9', role: 'Admin' as const, before: 'User' as const };
    expect(decide([gives(['a'])], person({ role: 'Admin', roleSource: source }), [])).toMatchObject({
      after: { role: 'Admin' },
      roleSource: source,
    });
  });

  it('is never taken from the last administrator, nor touched on the Root Admin', () => {
    const demotes = gives([], { role: 'User' });
    const bench = { connectionId: 'c', enabled: true, mapping: true, rules: [demotes], groups };
    const mapping = decideMapping(
      [demotes],
      { groups: { state: 'list', values: ['G'] }, other: {} },
      { hadGroups: false },
    );
    const last = decidePerson(bench, person({ role: 'Admin' }), mapping, 0);
    expect(last).toMatchObject({ act: 'none', after: { role: 'Admin' } });
    expect(last.rule).toContain('last administrator');
    expect(decidePerson(bench, person({ role: 'Admin' }), mapping, 1)).toMatchObject({ after: { role: 'User' } });
    expect(decidePerson(bench, person({ role: 'Root Admin' }), mapping, 5)).toMatchObject({
      act: 'none',
      rule: 'The Root Admin is exempt.',
    });
  });
});

describe('T15: deactivated by mapping keeps everything for the way back', () => {
  it('groups, role, and who gave them', () => {
    const who = person({ groups: [gid('a'), gid('all')], sources: [byRule('a')] });
    const gone = decide([gives(['a'])], who, [], { mapping: true });
    expect(gone).toMatchObject({
      act: 'deactivate',
      after: { groups: ['a', 'all'], role: 'User', baseStatus: 'Deactivated', deactivatedReason: 'mapping' },
      sources: who.sources,
    });
  });

  it('the rule that decided is told by its number and what it looks for', () => {
    expect(decide([gives(['a'], { role: 'Admin' })], person(), ['G']).rule).toBe('Rule 1 (group “G”) gives Admin.');
    expect(decide([gives(['a'])], person(), [], { mapping: true }).rule).toContain('no mapped group');
  });
});
