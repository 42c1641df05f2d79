import { describe, expect, it } from 'vitest';
import {
  isRequired,
  type Settings,
  type SettingsInput,
  settingsInput,
  settingsProblems,
} from '../../../../src/domain/integrations/settings.ts';
import { applied, changeOf, lacksOf, overrideProblem } from '../../../../src/domain/integrations/settings-change.ts';
import { findProduct } from '../../../../src/domain/modules/catalogue.ts';
import { type Profile, plainProfile } from '../../../../src/domain/modules/profile.ts';
import type { CompanyId, GroupId, InstanceId } from '../../../../src/lib/ids.ts';

const profileOf = (key: string): Profile => findProduct(key)?.profile ?? plainProfile;
const workplace = profileOf('workplace');
const group = '0199aaaa-0000-7000-8000-000000000001';

const off: SettingsInput = {
  enabled: true,
  require: false,
  provisioning: { on: false, values: {} },
  deprovisioning: { on: false, graceDays: 14, removal: 'disable' },
  accessGroups: { on: false, rules: [] },
};
const whole = { permission: 'Team Access', timeZone: 'Europe/Berlin' };

describe('what Save refuses (B.7, A8.7, C33)', () => {
  const table: [what: string, profile: Profile, input: Partial<SettingsInput>, problems: Record<string, string>][] = [
    ['all off', workplace, {}, {}],
    ['all off, not enabled', workplace, { enabled: false }, {}],
    [
      'D.10-14 Require before Enable',
      workplace,
      { enabled: false, require: true },
      { require: 'Turn on Enable Log In with KaseyaOne first.' },
    ],
    [
      'provisioning before Enable',
      workplace,
      { enabled: false, provisioning: { on: true, values: whole } },
      { provisioning: 'Turn on Enable Log In with KaseyaOne first.' },
    ],
    [
      'deprovisioning before Enable',
      workplace,
      { enabled: false, deprovisioning: { on: true, graceDays: 0, removal: 'remove' } },
      { deprovisioning: 'Turn on Enable Log In with KaseyaOne first.' },
    ],
    [
      'access groups before Enable',
      workplace,
      { enabled: false, accessGroups: { on: true, rules: [{ groupId: group, permission: 'Team Access' }] } },
      { accessGroups: 'Turn on Enable Log In with KaseyaOne first.' },
    ],
    ['a module that cannot require', profileOf('siem'), { require: true }, { require: 'This module cannot do that.' }],
    [
      'a module without access groups',
      profileOf('bullphish'),
      { accessGroups: { on: true, rules: [{ groupId: group, permission: 'User' }] } },
      { accessGroups: 'This module cannot do that.' },
    ],
    ['provisioning with all that it needs', workplace, { provisioning: { on: true, values: whole } }, {}],
    [
      'A8.7 provisioning with nothing',
      workplace,
      { provisioning: { on: true, values: {} } },
      {
        'values.permission': 'Choose Permissions: automatic provisioning needs it.',
        'values.timeZone': 'Choose Time-zone: automatic provisioning needs it.',
      },
    ],
    [
      'provisioning with what is no choice',
      workplace,
      { provisioning: { on: true, values: { permission: 'Superuser', timeZone: 'Mars/Olympus' } } },
      {
        'values.permission': 'Superuser is not one of the choices.',
        'values.timeZone': 'Mars/Olympus is no time zone.',
      },
    ],
    ['values of a switch that is off need not be whole', workplace, { provisioning: { on: false, values: {} } }, {}],
    [
      'access groups without a rule',
      workplace,
      { accessGroups: { on: true, rules: [] } },
      { accessGroups: 'Add at least one rule: without one nobody could enter.' },
    ],
    [
      'a rule with a permission of another module',
      workplace,
      { accessGroups: { on: true, rules: [{ groupId: group, permission: 'Administrator' }] } },
      { 'rules.0': 'Choose a permission of the module.' },
    ],
    [
      'removal where nothing can be deleted',
      profileOf('bullphish'),
      { deprovisioning: { on: true, graceDays: 14, removal: 'remove' } },
      { removal: 'This module cannot delete accounts: they stay disabled.' },
    ],
  ];
  it.each(table)('%s', (_, profile, input, problems) => {
    expect(settingsProblems(profile, { ...off, ...input })).toEqual(problems);
  });

  it.each([
    ['a grace of 91 days', { deprovisioning: { on: true, graceDays: 91, removal: 'remove' } }],
    ['a grace of half a day', { deprovisioning: { on: true, graceDays: 0.5, removal: 'remove' } }],
    ['a member that nobody knows (API-03)', { is_admin: true }],
    ['201 rules', { accessGroups: { on: true, rules: Array(201).fill({ groupId: group, permission: 'x' }) } }],
  ])('refuses %s', (_, input) => {
    expect(settingsInput.safeParse({ ...off, ...input }).success).toBe(false);
  });
});

const current: Settings = {
  instanceId: 'i' as InstanceId,
  companyId: 'c' as CompanyId,
  version: 3,
  enabled: true,
  require: { state: 'on', trialEndsAt: null, trialBy: null },
  provisioning: { on: true, values: whole },
  deprovisioning: { on: true, graceDays: 7, removal: 'remove' },
  accessGroups: { on: true, rules: [{ groupId: group as GroupId, group: 'Techs', permission: 'Team Access' }] },
};
const asInput = ({ enabled, require, provisioning, deprovisioning, accessGroups }: Settings): SettingsInput => ({
  enabled,
  require: require.state !== 'off',
  provisioning,
  deprovisioning,
  accessGroups,
});

describe('C30 turning Enable off keeps the rest asleep', () => {
  it('takes it with all switches as they were', () => {
    expect(lacksOf(workplace, current, { ...asInput(current), enabled: false })).toEqual({});
  });

  it('refuses to turn another one on in the same breath', () => {
    const bare: Settings = {
      ...current,
      require: { state: 'off', trialEndsAt: null, trialBy: null },
      deprovisioning: { on: false, graceDays: 7, removal: 'remove' },
    };
    const input = { ...asInput(current), enabled: false };
    expect(Object.keys(lacksOf(workplace, bare, input))).toEqual(['require', 'deprovisioning']);
  });

  it('keeps values that are whole no more, and asks for them when it is turned on again', () => {
    const input = { ...asInput(current), enabled: false, provisioning: { on: true, values: {} } };
    expect(lacksOf(workplace, current, input)).toEqual({});
    expect(Object.keys(lacksOf(workplace, { ...current, enabled: false }, { ...input, enabled: true }))).toEqual([
      'values.permission',
      'values.timeZone',
    ]);
  });
});

describe('what Save puts on record', () => {
  const groups = [{ id: group, name: 'Techs' }];
  it('nothing where nothing differs', () => {
    expect(changeOf(current, applied(current, asInput(current), groups))).toBeNull();
  });

  it('only what differs, in words', () => {
    const input = asInput(current);
    const after = applied(current, { ...input, deprovisioning: { ...input.deprovisioning, graceDays: 14 } }, groups);
    expect(changeOf(current, after)).toEqual({ before: { graceDays: 7 }, after: { graceDays: 14 } });
  });

  it('rules by their groups, not by how these are called', () => {
    expect(changeOf(current, applied(current, asInput(current), [{ id: group, name: 'Renamed' }]))).toBeNull();
    const other = '0199aaaa-0000-7000-8000-000000000002';
    const rules = [
      { groupId: other, permission: 'Read only' },
      { groupId: group, permission: 'Team Access' },
    ];
    const names = [...groups, { id: other, name: 'Guests' }];
    const after = applied(current, { ...asInput(current), accessGroups: { on: true, rules } }, names);
    expect(changeOf(current, after)?.after).toEqual({ rules: 'Guests → Read only, Techs → Team Access' });
    const swapped = applied(
      current,
      { ...asInput(current), accessGroups: { on: true, rules: rules.toReversed() } },
      names,
    );
    expect(changeOf(after, swapped)?.after).toEqual({ rules: 'Techs → Team Access, Guests → Read only' });
  });

  it('a value that was added, or taken away', () => {
    const provisioning = { on: true, values: { permission: 'Team Access' } };
    const after = applied(current, { ...asInput(current), provisioning }, groups);
    expect(changeOf(current, after)).toEqual({ before: { timeZone: 'Europe/Berlin' }, after: { timeZone: null } });
  });
});

it.each([
  [null, 'It was not tested. Or write down why it is to begin without.'],
  ['no', 'Write down the reason, so that others understand it.'],
  ['x'.repeat(301), 'A reason has 300 characters at most.'],
  ['Their test tenant is being built', null],
])('a contract test is passed over only by a reason: %s', (override, problem) => {
  expect(overrideProblem(override, 'It was not tested.')).toBe(problem);
});

describe('in force right now', () => {
  const now = new Date('2026-11-22T12:00:00Z');
  const trial = (ends: string): Settings => ({
    ...current,
    require: { state: 'trial', trialEndsAt: new Date(ends), trialBy: null },
  });
  it.each<[string, Settings, boolean]>([
    ['on', current, true],
    ['on, but not enabled', { ...current, enabled: false }, false],
    ['off', { ...current, require: { state: 'off', trialEndsAt: null, trialBy: null } }, false],
    ['a trial', trial('2026-11-22T12:00:01Z'), true],
    ['a trial that ends this second', trial('2026-11-22T12:00:00Z'), false],
    ['a trial that nobody has reverted yet', trial('2026-11-22T11:00:00Z'), false],
  ])('%s', (_, settings, required) => {
    expect(isRequired(settings, now)).toBe(required);
  });
});
