// Who gains or loses what, as a table: the page that asks first and the act go by the same function (A3.6, A3.7, B.4, C19-C21).
import { describe, expect, it } from 'vitest';
import {
  closedBy,
  effectsOf,
  type GroupChange,
  type GroupState,
  groupsAfter,
  membershipAfter,
  noEffects,
  type PeopleAlike,
} from '../../../../src/domain/groups/effects.ts';
import { systemGroupRefusal } from '../../../../src/domain/groups/group.ts';
import type { GroupId, InstanceId, UserId } from '../../../../src/lib/ids.ts';

const group = (id: string, kind: GroupState['kind'], instances: string[], isActive = true): GroupState => ({
  id: id as GroupId,
  name: id,
  kind,
  isActive,
  instances: instances as InstanceId[],
});
const groups = [
  group('all', 'system-all', ['workplace', 'rmm', 'psa']),
  group('none', 'system-none', []),
  group('tech', 'custom', ['rmm', 'psa']),
  group('ops', 'custom', ['rmm']),
  group('idle', 'custom', ['workplace'], false),
];
const ids = (...names: string[]) => names as GroupId[];
const id = (name: string) => name as GroupId;
const alike = (membership: string[], people = 1, isActive = true): PeopleAlike => ({
  groups: ids(...membership),
  isActive,
  people,
  first: Array.from({ length: Math.min(people, 5) }, (_, at) => `${membership.join('+')}-${at}` as UserId),
});

describe('the groups of a person after a change', () => {
  it.each<[string, GroupChange, string[], string[]]>([
    ['joining adds to what there is', { kind: 'add', groupId: id('tech') }, ['ops'], ['tech', 'ops']],
    ['C19 joining a group leaves No Module Access', { kind: 'add', groupId: id('tech') }, ['none'], ['tech']],
    ['C19 joining No Module Access leaves all others', { kind: 'add', groupId: id('none') }, ['all', 'ops'], ['none']],
    ['joining twice changes nothing', { kind: 'add', groupId: id('ops') }, ['ops'], ['ops']],
    ['leaving keeps the rest', { kind: 'remove', groupId: id('ops') }, ['all', 'ops'], ['all']],
    ['C20 leaving the last group falls back', { kind: 'remove', groupId: id('ops') }, ['ops'], ['none']],
    ['C20 choosing no group falls back', { kind: 'set', groupIds: [] }, ['all', 'tech'], ['none']],
    [
      'C19 No Module Access clears what was chosen with it',
      { kind: 'set', groupIds: ids('none', 'ops') },
      [],
      ['none'],
    ],
    ['setting is exact', { kind: 'set', groupIds: ids('ops', 'idle') }, ['all'], ['ops', 'idle']],
    ['a group that is not there is not joined', { kind: 'add', groupId: id('gone') }, ['ops'], ['ops']],
  ])('%s', (_, change, present, expected) => {
    expect(membershipAfter(change, ids(...present), groups)).toEqual(expected);
  });

  it('C20 a deleted group leaves its last members in No Module Access', () => {
    const change: GroupChange = { kind: 'delete', groupId: id('tech') };
    expect(membershipAfter(change, ids('tech'), groupsAfter(change, groups))).toEqual(['none']);
    expect(membershipAfter(change, ids('tech', 'ops'), groupsAfter(change, groups))).toEqual(['ops']);
  });
});

describe('who gains or loses what', () => {
  it('counts losses by module, names a few, and says by which group others have it still', () => {
    const people = [alike(['tech'], 7), alike(['tech', 'ops'], 30)];
    const effects = effectsOf({ kind: 'deactivate', groupId: id('tech') }, groups, people);
    expect(effects).toMatchObject({ losing: 37, gaining: 0, notActive: 0 });
    const [rmm, psa] = ['rmm', 'psa'].map((one) => effects.instances.find(({ instanceId }) => instanceId === one));
    expect(rmm).toMatchObject({ lose: { people: 7 }, stillThrough: { ops: 30 } });
    expect(rmm?.lose.first).toHaveLength(5);
    expect(psa).toMatchObject({ lose: { people: 37 }, stillThrough: {} });
  });

  it('A3.7 an inactive group gives nothing; D.10 no. 11 activating it gives to all members at once', () => {
    const people = [alike(['idle'], 4), alike(['all', 'idle'], 6)];
    expect(effectsOf({ kind: 'remove', groupId: id('idle') }, groups, people)).toEqual(noEffects());
    const effects = effectsOf({ kind: 'activate', groupId: id('idle') }, groups, people);
    expect(effects).toMatchObject({ losing: 0, gaining: 4 });
    expect(effects.instances[0]).toMatchObject({ instanceId: 'workplace', gain: { people: 4 } });
  });

  it('D.2 counts people who are not Active apart: they could enter nothing before', () => {
    const people = [alike(['ops'], 2), alike(['ops'], 9, false)];
    expect(effectsOf({ kind: 'delete', groupId: id('ops') }, groups, people)).toMatchObject({
      losing: 2,
      notActive: 9,
    });
  });

  it('takes a module from a group, and gives another, in one look', () => {
    const change: GroupChange = {
      kind: 'modules',
      groupId: id('tech'),
      instances: ['psa', 'workplace'] as InstanceId[],
    };
    const effects = effectsOf(change, groups, [alike(['tech'], 3)]);
    expect(effects).toMatchObject({ losing: 3, gaining: 3 });
    expect(effects.instances.map(({ instanceId, gain, lose }) => [instanceId, gain.people, lose.people])).toEqual([
      ['rmm', 0, 3],
      ['workplace', 3, 0],
    ]);
  });

  it('C19 joining No Module Access takes everything away', () => {
    const effects = effectsOf({ kind: 'add', groupId: id('none') }, groups, [alike(['all', 'ops'])]);
    expect(effects.losing).toBe(1);
    expect(effects.instances.map(({ lose }) => lose.people)).toEqual([1, 1, 1]);
  });

  it('adds up over chunks to what one look gives, and never names more than five', () => {
    const people = [alike(['tech'], 7), alike(['ops'], 2), alike(['tech', 'ops'], 30), alike(['tech', 'all'], 1)];
    const change: GroupChange = { kind: 'deactivate', groupId: id('tech') };
    const sum = noEffects();
    for (const one of people) effectsOf(change, groups, [one], sum);
    expect(sum).toEqual(effectsOf(change, groups, people));
    for (const { lose } of sum.instances) expect(lose.first.length).toBeLessThanOrEqual(5);
  });

  it('keeps a group named like a part of every object apart', () => {
    const odd = [group('__proto__', 'custom', ['rmm']), group('constructor', 'custom', ['rmm'])];
    const effects = effectsOf({ kind: 'remove', groupId: id('__proto__') }, odd, [
      alike(['__proto__', 'constructor'], 2),
    ]);
    expect(Object.entries(effects.instances[0]?.stillThrough ?? {})).toEqual([['constructor', 2]]);
  });
});

describe('what a change closes for a group', () => {
  it.each<[string, Parameters<typeof closedBy>[0], string, string[]]>([
    ['activating closes nothing', { kind: 'activate', groupId: id('idle') }, 'idle', []],
    ['deactivating closes all', { kind: 'deactivate', groupId: id('tech') }, 'tech', ['rmm', 'psa']],
    ['deleting an inactive group closes nothing', { kind: 'delete', groupId: id('idle') }, 'idle', []],
    ['fewer modules', { kind: 'modules', groupId: id('tech'), instances: ['psa'] as InstanceId[] }, 'tech', ['rmm']],
  ])('%s', (_, change, name, expected) => {
    const state = groups.find((one) => one.id === name);
    expect(state && closedBy(change, state)).toEqual(expected);
  });
});

describe('B.4 system groups', () => {
  it.each(['rename', 'activate', 'deactivate', 'delete', 'modules'] as const)('are refused: %s', (act) => {
    for (const one of groups) {
      if (one.kind === 'custom') expect(systemGroupRefusal(one, act)).toBeNull();
      else expect(systemGroupRefusal(one, act)).toContain(one.name);
    }
  });
});
