// B.7: a plan and its later effect are the same, and a report agrees with both; whatever the facts are.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../src/domain/integrations/settings.ts';
import { profileSchema } from '../../../../src/domain/modules/profile.ts';
import type { ModuleAccount } from '../../../../src/domain/provisioning/account.ts';
import { desire, heldUntil, nextStep } from '../../../../src/domain/provisioning/desire.ts';
import {
  accountWords,
  type Bench,
  type JudgedPerson,
  judgeLinked,
  judgeMissing,
} from '../../../../src/domain/provisioning/drift-judge.ts';
import {
  accountAfter,
  countActs,
  needsSecond,
  type PlanScope,
  planHashOf,
  planRow,
  type Subject,
} from '../../../../src/domain/provisioning/plan.ts';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../../../src/lib/ids.ts';

const now = new Date('2026-11-22T12:00:00Z');
const profile = profileSchema.parse({
  capabilities: ['require', 'provision', 'deprovision', 'accessGroups'],
  fields: [
    {
      name: 'permission',
      label: 'Permission',
      type: 'permission',
      choices: ['Team Access', 'Reports', 'Administrator'],
    },
    { name: 'timeZone', label: 'Time zone', type: 'timeZone' },
  ],
  administrators: ['Administrator'],
});
const groups = ['g1', 'g2'] as GroupId[];
const permission = fc.constantFrom('Team Access', 'Reports', 'Administrator');
const zone = fc.constantFrom('Europe/Berlin', 'Asia/Tokyo');

const settings: fc.Arbitrary<Settings> = fc
  .record({
    enabled: fc.boolean(),
    provision: fc.boolean(),
    deprovision: fc.boolean(),
    rules: fc.option(
      fc.array(fc.record({ groupId: fc.constantFrom(...groups), permission }), { minLength: 1, maxLength: 3 }),
    ),
    usual: permission,
    zone,
  })
  .map(({ enabled, provision, deprovision, rules, usual, zone: timeZone }) => ({
    instanceId: 'i' as InstanceId,
    companyId: 'c' as CompanyId,
    version: 1,
    enabled,
    require: { state: 'off', trialEndsAt: null, trialBy: null },
    provisioning: { on: provision, values: { permission: usual, timeZone } },
    deprovisioning: { on: deprovision, graceDays: 14, removal: 'remove' },
    accessGroups: { on: rules !== null, rules: (rules ?? []).map((rule) => ({ ...rule, group: rule.groupId })) },
  }));

const person: fc.Arbitrary<JudgedPerson> = fc.record({
  userId: fc.constant('u' as UserId),
  status: fc.constantFrom('Active', 'Invited', 'Deactivated', 'Deleted'),
  role: fc.constantFrom('User', 'Admin'),
  username: fc.constant('ada'),
  email: fc.constantFrom('ada@here.example', 'ada.new@here.example'),
  emailVerified: fc.boolean(),
  firstName: fc.constantFrom('Ada', 'Eda'),
  lastName: fc.constant('Root'),
  madeWithZone: fc.option(zone),
  groups: fc.subarray(groups).map((ids) => ids.map((id) => ({ id, name: id }))),
});

const account: fc.Arbitrary<ModuleAccount> = fc
  .record({
    isActive: fc.boolean(),
    permissions: fc.subarray(['Team Access', 'Reports', 'Administrator'], { maxLength: 2 }),
    timeZone: fc.option(zone),
    isAdministrator: fc.boolean(),
    linkedBy: fc.constantFrom('entry' as const, 'created' as const, 'hand' as const),
    life: fc.constantFrom('live' as const, 'suspended' as const, 'disabled' as const),
    hasLocalLogin: fc.option(fc.boolean()),
    held: fc.constantFrom(-1, 1),
  })
  .map(({ held, ...one }) => ({
    companyId: 'c' as CompanyId,
    instanceId: 'i' as InstanceId,
    externalId: '17',
    userName: 'ada',
    email: 'ada@here.example',
    firstName: 'Ada',
    lastName: 'Root',
    knownAs: null,
    etag: null,
    confirmedAt: now,
    userId: 'u' as UserId,
    suspendedAt: one.life === 'suspended' ? now : null,
    heldUntil: one.life === 'suspended' ? new Date(now.getTime() + held * 86_400_000) : null,
    lifeReason: null,
    ...one,
  }));

const subject: fc.Arbitrary<Subject> = fc.oneof(
  fc.record({ key: fc.constant('a17'), account, person, isDoubtful: fc.constant(false) }),
  fc.record({
    key: fc.constant('a17'),
    account: account.map((one) => ({ ...one, userId: null, linkedBy: null, life: 'free' as const, heldUntil: null })),
    person: fc.constant(null),
    isDoubtful: fc.boolean(),
  }),
  fc.record({ key: fc.constant('pu'), account: fc.constant(null), person, isDoubtful: fc.constant(false) }),
);

const bench: fc.Arbitrary<Bench> = fc.record({
  profile: fc.constant(profile),
  settings,
  exempt: fc.boolean().map((is) => new Set(is ? ['17'] : [])),
  now: fc.constant(now),
});

const scope: fc.Arbitrary<PlanScope> = fc.record({
  classes: fc.constant(['orphan', 'missing', 'status', 'permission', 'timeZone'] as PlanScope['classes']),
  orphans: fc.constantFrom('ignore', 'suspend'),
});

const any = fc.record({ bench, scope, subject });

/** What the module confirms once the act of a row is through, as reconciliation writes it down. */
function moduleAfter(
  { settings }: Bench,
  { account, person }: Subject,
  row: ReturnType<typeof planRow>,
): ModuleAccount {
  const known = account ?? {
    companyId: 'c' as CompanyId,
    instanceId: 'i' as InstanceId,
    externalId: '18',
    knownAs: null,
    hasLocalLogin: null,
    isAdministrator: false,
    etag: null,
    userId: person?.userId ?? null,
    linkedBy: 'created' as const,
    suspendedAt: null,
    lifeReason: null,
  };
  return {
    ...known,
    ...accountAfter(account, row.wanted),
    confirmedAt: now,
    life: row.act === 'suspend' ? 'suspended' : 'live',
    heldUntil: row.act === 'suspend' ? heldUntil(settings, now) : null,
  };
}

describe('B.7 a plan', () => {
  it('shows for people what would be done for them anyway, to the letter; the time zone is what it alone changes', () => {
    fc.assert(
      fc.property(any, ({ bench, scope, subject }) => {
        const row = planRow(bench, scope, subject);
        if (!subject.person || row.act === 'none') return;
        const wish = desire(bench.profile, bench.settings, subject.person);
        const step = nextStep(wish, subject.account, bench.settings, bench.profile, now);
        const { timeZone, ...others } = row.wanted;
        if (row.act === 'create') {
          expect(step).toMatchObject({ act: 'create', wanted: row.wanted });
          return;
        }
        expect(step?.wanted.timeZone).toBeUndefined();
        if (timeZone !== undefined) expect(timeZone).toBe(subject.person.madeWithZone);
        if (step) expect({ act: step.act, wanted: step.wanted }).toEqual({ act: row.act, wanted: others });
        else expect([row.act, Object.keys(row.wanted)]).toEqual(['update', ['timeZone']]);
      }),
      { numRuns: 2000 },
    );
  });

  it('and its later effect are the same: afterwards the account reads as the plan said, and nothing is left to do', () => {
    fc.assert(
      fc.property(any, ({ bench, scope, subject }) => {
        const row = planRow(bench, scope, subject);
        if (row.act === 'none') return;
        const after = moduleAfter(bench, subject, row);
        expect(row.after.startsWith(accountWords(after))).toBe(true);
        // The receipt of its making tells with which time zone an account was made.
        const made = row.act === 'create' ? { madeWithZone: row.wanted.timeZone ?? null } : {};
        const person = subject.person && { ...subject.person, ...made };
        const again = planRow(bench, scope, { ...subject, person, account: after });
        expect(again.act).toBe('none');
        if (!person) return;
        const left = judgeLinked({ ...bench, exempt: new Set() }, after, person);
        expect(left.filter(({ class: name }) => name !== 'localPassword').map(({ class: name }) => name)).toEqual(
          left.some(({ class: name }) => name === 'localPassword') ? [] : ['matched'],
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('the report calls wrong whatever a plan would change of status, permission and time zone, and what is missing', () => {
    fc.assert(
      fc.property(any, ({ bench, scope, subject: { account, person, ...rest } }) => {
        if (!person) return;
        const row = planRow({ ...bench, exempt: new Set() }, scope, { account, person, ...rest });
        const told = account
          ? judgeLinked(bench, account, person)
          : [judgeMissing(bench, person)].filter((one) => one !== null);
        const classes = told.map((one) => one.class);
        if (row.act === 'create') expect(classes).toEqual(['missing']);
        if (row.act === 'suspend' || row.act === 'restore') expect(classes).toContain('status');
        if (row.act === 'update') {
          expect(classes.includes('permission')).toBe(row.wanted.permissions !== undefined);
          expect(classes.includes('timeZone')).toBe(row.wanted.timeZone !== undefined);
        }
        if (classes.includes('matched')) expect(['none', 'update']).toContain(row.act);
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves time zones alone unless they are chosen', () => {
    fc.assert(
      fc.property(any, ({ bench, scope, subject }) => {
        const { act, wanted } = planRow(bench, { ...scope, classes: ['status', 'permission'] }, subject);
        if (act !== 'create') expect(wanted.timeZone).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  it('never removes, never touches what is doubtful, and never takes the way in of an exempt account', () => {
    fc.assert(
      fc.property(any, ({ bench, scope, subject }) => {
        const { act, wanted } = planRow(bench, scope, subject);
        expect(['create', 'update', 'suspend', 'restore', 'none']).toContain(act);
        if (subject.isDoubtful) expect(act).toBe('none');
        const isExempt = subject.account !== null && bench.exempt.has(subject.account.externalId);
        if (isExempt) {
          expect(act).not.toBe('suspend');
          if (subject.account?.isAdministrator && wanted.permissions)
            expect(wanted.permissions).toContain('Administrator');
        }
        if (!subject.person && scope.orphans === 'ignore') expect(act).toBe('none');
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps a hash of what it was decided from: the same facts, the same hash; other facts, another one', () => {
    fc.assert(
      fc.property(any, any, ({ bench, scope, subject }, other) => {
        const row = planRow(bench, scope, subject);
        expect(planRow(bench, scope, structuredClone(subject)).inputHash).toBe(row.inputHash);
        const later = planRow(bench, scope, other.subject);
        // Of equal hashes nothing that is shown or done may differ.
        if (later.inputHash === row.inputHash) expect(later).toEqual({ ...row, subject: later.subject });
      }),
      { numRuns: 2000 },
    );
  });

  it('a hash is of all rows and the settings, in their order', () => {
    const rows = [
      { subject: 'a1', inputHash: 'x' },
      { subject: 'a2', inputHash: 'y' },
    ];
    const hash = planHashOf('s', rows);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(planHashOf('t', rows)).not.toBe(hash);
    expect(planHashOf('s', rows.slice(1))).not.toBe(hash);
    expect(planHashOf('s', rows)).toBe(hash);
  });

  it.each([
    [{ people: 10, administrators: 0, active: 10 }, false],
    [{ people: 11, administrators: 0, active: 220 }, false],
    [{ people: 11, administrators: 0, active: 219 }, true],
    [{ people: 1, administrators: 1, active: 500 }, true],
    [{ people: 0, administrators: 1, active: 500 }, true],
    [{ people: 0, administrators: 0, active: 0 }, false],
  ])('%j: a second administrator: %s', (size, isNeeded) => {
    expect(needsSecond(size) !== null).toBe(isNeeded);
  });

  it('counts by act', () => {
    expect(countActs([{ act: 'create' }, { act: 'none' }, { act: 'none' }])).toEqual({
      create: 1,
      update: 0,
      suspend: 0,
      restore: 0,
      none: 2,
    });
  });
});
