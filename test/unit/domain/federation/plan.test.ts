import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideArrival } from '../../../../src/domain/federation/arrival.ts';
import type { MappingRule } from '../../../../src/domain/federation/mapping.ts';
import type { MappingBench, MembershipSource, RoleSource } from '../../../../src/domain/federation/person-mapping.ts';
import {
  countActs,
  decideSubject,
  doneCount,
  endsAdministrator,
  type MappingSetup,
  mayUndo,
  needsSecond,
  peopleHashOf,
  planHashOf,
  planner,
  type Subject,
  setupHashOf,
  unseen,
} from '../../../../src/domain/federation/plan.ts';
import { undoneChange } from '../../../../src/domain/federation/plan-undo.ts';
import type { Group } from '../../../../src/domain/groups/group.ts';
import { roles } from '../../../../src/domain/roles/role.ts';
import type { GroupId, UserId } from '../../../../src/lib/ids.ts';
import { days } from '../../../../src/lib/time.ts';

// Ids are plain strings at run time.
const gid = (name: string) => name as GroupId;
const group = (name: string, kind: Group['kind'] = 'custom'): Group => ({ id: gid(name), name, kind, isActive: true });
const groups = [group('all', 'system-all'), group('none', 'system-none'), group('a'), group('b'), group('c')];
const upstream = ['A', 'B', 'C'];
const at = new Date('2026-11-01T00:00:00Z');

const anyRule = fc.record({
  when: fc.oneof(
    fc.record({ kind: fc.constant('group' as const), value: fc.constantFrom(...upstream) }),
    fc.record({
      kind: fc.constant('claim' as const),
      name: fc.constantFrom('dept', 'toString'),
      test: fc.constantFrom('equals' as const, 'contains' as const, 'one-of' as const),
      values: fc.array(fc.constantFrom('x', 'y', 'xy'), { minLength: 1, maxLength: 2 }),
    }),
  ),
  role: fc.constantFrom(null, 'Admin' as const, 'User' as const, 'Billing and Purchasing' as const),
  groupIds: fc.subarray(['a', 'b', 'c', 'none', 'deleted']),
  stops: fc.boolean(),
});
const anyRules = fc
  .array(anyRule, { maxLength: 6 })
  .map((rules) => rules.map((rule, i): MappingRule => ({ ...rule, id: `r${i}`, position: i + 1 })));

const anySource: fc.Arbitrary<MembershipSource> = fc.record({
  groupId: fc.constantFrom('a', 'b', 'c').map(gid),
  connectionId: fc.constantFrom('here', 'there'),
  ruleIds: fc.constant(['r0']),
  wasByHand: fc.boolean(),
});
const anyRoleSource: fc.Arbitrary<RoleSource> = fc.record({
  connectionId: fc.constantFrom('here', 'there'),
  ruleId: fc.constant('r0'),
  role: fc.constantFrom('Admin' as const, 'User' as const),
  before: fc.constantFrom('User' as const, 'Co-Managed User' as const),
});
const anyStanding = fc.constantFrom(
  { baseStatus: 'Active' as const, deactivatedReason: null },
  { baseStatus: 'Invited' as const, deactivatedReason: null },
  { baseStatus: 'Deactivated' as const, deactivatedReason: 'mapping' as const },
  { baseStatus: 'Deactivated' as const, deactivatedReason: 'admin' as const },
);
const anySubject: fc.Arbitrary<Subject> = fc
  .record({
    role: fc.constantFrom(...roles),
    standing: anyStanding,
    isBreakGlass: fc.boolean(),
    groups: fc.oneof(fc.constant<string[]>(['none']), fc.subarray<string>(['all', 'a', 'b', 'c'], { minLength: 1 })),
    sources: fc.uniqueArray(anySource, {
      selector: ({ groupId, connectionId }) => groupId + connectionId,
      maxLength: 4,
    }),
    roleSource: fc.option(anyRoleSource, { nil: null }),
    said: fc.subarray(upstream),
    dept: fc.option(fc.constantFrom('x', 'y', 'xyz'), { nil: null }),
  })
  .map(({ standing, groups, said, dept, ...person }) => ({
    ...person,
    ...standing,
    id: 'ada' as UserId,
    username: 'ada',
    firstName: 'Ada',
    lastName: 'One',
    groups: groups.map(gid),
    identity: { groups: said, groupsState: 'list' as const, other: dept === null ? {} : { dept: [dept] }, at },
  }));

const anyCase: fc.Arbitrary<Case> = fc.record({
  person: anySubject,
  rules: anyRules,
  mapping: fc.boolean(),
  others: fc.integer({ min: 0, max: 2 }),
});

interface Case {
  person: Subject;
  rules: MappingRule[];
  mapping: boolean;
  others: number;
}

const benchOf = (rules: MappingRule[], mapping: boolean): MappingBench => ({
  connectionId: 'here',
  enabled: true,
  mapping,
  rules,
  groups,
});

/** The login of that very person with what was said of them last. */
function login({ person, rules, mapping, others }: Case) {
  return decideArrival({
    connection: { name: 'Entra ID', enabled: true, mapping, creation: { on: false, role: 'User', groupIds: [] } },
    bench: benchOf(rules, mapping),
    claims: {
      subject: 's',
      email: 'ada@example.com',
      username: null,
      firstName: null,
      lastName: null,
      groups: { state: 'list', values: person.identity?.groups ?? [] },
      other: person.identity?.other ?? {},
    },
    vouches: true,
    bound: {
      ...person,
      emailVerifiedAt: at,
      identity: person.identity && { ...person.identity, issuer: 'i', subject: 's' },
    },
    byEmail: [],
    from: { ip: '203.0.113.7', allowed: null },
    othersAdministering: others,
  });
}

describe('a plan shows what the next login would do', () => {
  it('for any person, rules and switches: the same change, from the same function', () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        // A list that was emptied stops a login, and is no last list.
        fc.pre((one.person.identity?.groups?.length ?? 0) > 0);
        const planned = decideSubject(benchOf(one.rules, one.mapping), one.person, one.others);
        const arrival = login(one);
        if (arrival.outcome === 'accept' || arrival.outcome === 'deactivate') expect(arrival.change).toEqual(planned);
        else expect(['none', 'change']).toContain(planned.act);
        // Whoever is refused stays as they are but for what an invited person keeps waiting.
        if (arrival.outcome === 'refused' && one.person.baseStatus === 'Deactivated') expect(planned.act).toBe('none');
        expect(arrival.outcome === 'deactivate').toBe(planned.act === 'deactivate');
      }),
      { numRuns: 2000 },
    );
  });

  it('a second look changes nothing more', () => {
    fc.assert(
      fc.property(anyCase, ({ person, rules, mapping, others }) => {
        const bench = benchOf(rules, mapping);
        const { after, sources, roleSource } = decideSubject(bench, person, others);
        const elsewhere = person.sources.filter(({ connectionId }) => connectionId !== 'here');
        const then = { ...person, ...after, sources: [...elsewhere, ...sources], roleSource };
        const again = decideSubject(bench, then, others);
        expect(['none', 'unknown']).toContain(again.act);
        expect(again.after).toEqual(after);
      }),
      { numRuns: 2000 },
    );
  });

  it('C20, C23: nobody is left without a group, no Root Admin is touched, and nobody becomes one', () => {
    fc.assert(
      fc.property(anyCase, ({ person, rules, mapping, others }) => {
        const { before, after, act } = decideSubject(benchOf(rules, mapping), person, others);
        expect(after.groups.length).toBeGreaterThan(0);
        if (after.groups.includes(gid('none'))) expect(after.groups).toEqual(['none']);
        expect(after.role === 'Root Admin').toBe(before.role === 'Root Admin');
        if (before.role === 'Root Admin' || person.isBreakGlass) expect(act).toBe('none');
        if (before.deactivatedReason === 'admin') expect(after).toEqual(before);
      }),
      { numRuns: 2000 },
    );
  });

  it('undone, everybody is what they were, and who gave what as well', () => {
    fc.assert(
      fc.property(anyCase, ({ person, rules, mapping }) => {
        const done = decideSubject(benchOf(rules, mapping), person, 5);
        const elsewhere = person.sources.filter(({ connectionId }) => connectionId !== 'here');
        const then = {
          ...person,
          ...done.after,
          sources: [...elsewhere, ...done.sources],
          roleSource: done.roleSource,
        };
        const undone = undoneChange(then, done, 5);
        if (done.act === 'none') expect(undone).toBeNull();
        else expect(undone).toMatchObject({ after: done.before, ...done.was });
        expect(undoneChange({ ...then, role: 'Co-Managed User', groups: [] }, done, 5)).toBeNull();
      }),
      { numRuns: 1000 },
    );
  });
});

describe('how a plan is weighed', () => {
  it.each<[string, Parameters<typeof needsSecond>[0], boolean]>([
    ['10 people of 20', { people: 10, administrators: 0, active: 20 }, false],
    ['11 people of 20', { people: 11, administrators: 0, active: 20 }, true],
    ['11 people of 220, which is 5 %', { people: 11, administrators: 0, active: 220 }, false],
    ['11 people of 219', { people: 11, administrators: 0, active: 219 }, true],
    ['one administrator', { people: 1, administrators: 1, active: 10_000 }, true],
    ['nobody', { people: 0, administrators: 0, active: 0 }, false],
  ])('%s', (_title, size, second) => {
    expect(needsSecond(size) !== null).toBe(second);
  });

  it('the last administrators go one by one, and the last of them stays', () => {
    const bench = benchOf(
      [{ id: 'r', position: 1, when: { kind: 'group', value: 'A' }, role: 'User', groupIds: [], stops: false }],
      true,
    );
    const admin = (said: string[]): Subject => ({
      id: 'x' as UserId,
      username: 'x',
      firstName: 'X',
      lastName: 'Y',
      role: 'Admin',
      baseStatus: 'Active',
      deactivatedReason: null,
      isBreakGlass: false,
      groups: [gid('a')],
      sources: [],
      roleSource: null,
      identity: { groups: said, groupsState: 'list', other: {}, at },
    });
    const decide = planner(bench, 3);
    const rows = [admin(['A']), admin(['B']), admin(['A'])].map((one) => decide({ ...one, inputHash: 'h' }));
    expect(rows.map(({ act }) => act)).toEqual(['change', 'deactivate', 'none']);
    expect(rows.map(endsAdministrator)).toEqual([true, true, false]);
    expect(rows[2]?.rule).toContain('last administrator');
    expect(doneCount(countActs(rows))).toBe(2);
  });

  it('its hash changes with each thing that decides, and with nothing else', () => {
    const rule: MappingRule = {
      id: 'r',
      position: 1,
      when: { kind: 'group', value: 'A' },
      role: null,
      groupIds: ['a'],
      stops: false,
    };
    const setup: MappingSetup = { enabled: true, mapping: true, rules: [rule] };
    const same = setupHashOf(setup, setup, groups);
    // As it comes back from the database.
    expect(
      setupHashOf(
        structuredClone(setup),
        { rules: [{ ...rule }], mapping: true, enabled: true },
        [...groups].reverse(),
      ),
    ).toBe(same);
    const others: MappingSetup[] = [
      { ...setup, enabled: false },
      { ...setup, mapping: false },
      { ...setup, rules: [] },
      { ...setup, rules: [{ ...rule, stops: true }] },
      { ...setup, rules: [{ ...rule, when: { kind: 'group', value: 'a' } }] },
      { ...setup, rules: [{ ...rule, groupIds: ['b'] }] },
    ];
    for (const other of others) {
      expect(setupHashOf(other, setup, groups)).not.toBe(same);
      expect(setupHashOf(setup, other, groups)).not.toBe(same);
    }
    expect(setupHashOf(setup, setup, groups.slice(1))).not.toBe(same);
    const row = { userId: 'u' as UserId, inputHash: 'h' };
    const people = peopleHashOf([row]);
    expect(peopleHashOf([row, { userId: 'v' as UserId, inputHash: unseen }])).toBe(people);
    for (const other of [[], [{ ...row, inputHash: 'i' }], [{ ...row, userId: 'v' as UserId }], [row, row]])
      expect(peopleHashOf(other)).not.toBe(people);
    expect(planHashOf(same, people)).not.toBe(planHashOf(same, peopleHashOf([])));
    expect(planHashOf('', people)).not.toBe(planHashOf(same, people));
  });

  it('is undone for 14 days', () => {
    const applied = { state: 'applied' as const, appliedAt: at };
    expect(mayUndo(applied, new Date(at.getTime() + days(14) - 1))).toBe(true);
    expect(mayUndo(applied, new Date(at.getTime() + days(14)))).toBe(false);
    expect(mayUndo({ ...applied, state: 'undone' }, at)).toBe(false);
    expect(mayUndo({ state: 'ready', appliedAt: null }, at)).toBe(false);
  });
});
