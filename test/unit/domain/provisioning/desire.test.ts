import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../src/domain/integrations/settings.ts';
import { type Profile, profileSchema } from '../../../../src/domain/modules/profile.ts';
import type { Life, ModuleAccount } from '../../../../src/domain/provisioning/account.ts';
import { desire, nextStep, type PersonFacts } from '../../../../src/domain/provisioning/desire.ts';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../../../src/lib/ids.ts';
import { days, after as later } from '../../../../src/lib/time.ts';

const now = new Date('2026-11-22T12:00:00Z');
const team = 'group-team' as GroupId;
const chiefs = 'group-chiefs' as GroupId;

const workplace: Profile = profileSchema.parse({
  capabilities: ['require', 'provision', 'deprovision', 'accessGroups', 'events'],
  fields: [
    { name: 'permission', label: 'Permissions', type: 'permission', choices: ['Read only', 'Team', 'Full'] },
    { name: 'timeZone', label: 'Time-zone', type: 'timeZone' },
    { name: 'department', label: 'Department', type: 'text' },
  ],
  administrators: ['Full'],
});

const on = {
  enabled: true,
  provisioning: { on: true, values: { permission: 'Read only', timeZone: 'UTC', department: 'IT' } },
  deprovisioning: { on: true, graceDays: 14, removal: 'remove' as const },
  accessGroups: { on: false, rules: [] },
};
type Given = Pick<Settings, 'enabled' | 'provisioning' | 'deprovisioning' | 'accessGroups'>;

const ruled: Given = {
  ...on,
  accessGroups: {
    on: true,
    rules: [
      { groupId: chiefs, group: 'Chiefs', permission: 'Full' },
      { groupId: team, group: 'Team', permission: 'Team' },
    ],
  },
};

const ada: PersonFacts = {
  userId: 'ada' as UserId,
  status: 'Active',
  role: 'User',
  username: 'ada',
  email: 'Ada@Example.com',
  emailVerified: true,
  firstName: 'Ada',
  lastName: 'Root',
  groups: [{ id: team, name: 'Team' }],
};

const accountOf = (more: Partial<ModuleAccount> = {}): ModuleAccount => ({
  companyId: 'company' as CompanyId,
  instanceId: 'instance' as InstanceId,
  externalId: '17',
  userName: 'ada',
  email: 'ada@example.com',
  firstName: 'Ada',
  lastName: 'Root',
  isActive: true,
  permissions: ['Read only'],
  timeZone: 'Europe/Berlin',
  knownAs: null,
  hasLocalLogin: null,
  isAdministrator: false,
  etag: null,
  confirmedAt: now,
  userId: ada.userId,
  linkedBy: 'created',
  life: 'live',
  suspendedAt: null,
  heldUntil: null,
  lifeReason: null,
  ...more,
});

const suspended = (heldUntil: Date, more: Partial<ModuleAccount> = {}) =>
  accountOf({ life: 'suspended', isActive: false, suspendedAt: now, heldUntil, ...more });

const stepFor = (
  person: Partial<PersonFacts>,
  account: ModuleAccount | null,
  settings: Given = on,
  profile = workplace,
) => nextStep(desire(profile, settings, { ...ada, ...person }), account, settings, profile, now);

describe('desire: who may have a module, and what decides (D.6, D.2)', () => {
  it.each<[string, Partial<PersonFacts>, Given, string, boolean, RegExp]>([
    ['T19 deleted', { status: 'Deleted' }, on, 'account', false, /deleted/],
    ['T14 deactivated', { status: 'Deactivated' }, on, 'account', false, /deactivated/],
    ['T1 invited: not yet', { status: 'Invited' }, on, 'account', true, /not signed up/],
    ['D.6 row 2: enable off', {}, { ...on, enabled: false }, 'module', false, /switched off/],
    ['D.6 no group', { groups: [] }, on, 'group', false, /None of their access groups/],
    ['C34 access groups on, none fits', { groups: [{ id: 'x', name: 'X' }] }, ruled, 'permission', false, /permission/],
    [
      'the account decides before the group',
      { status: 'Deactivated', groups: [] },
      on,
      'account',
      false,
      /deactivated/,
    ],
  ])('%s', (_, person, settings, kind, isPending, because) => {
    const wish = desire(workplace, settings, { ...ada, ...person });
    expect(wish).toMatchObject({ access: false, kind, isPending });
    expect(wish.because).toMatch(because);
  });

  it('D.7 rules, role, default, unsaid: in this order', () => {
    const derived: Profile = { ...workplace, derivation: { User: 'Team' } };
    const from = (profile: Profile, settings: Given) => {
      const wish = desire(profile, settings, ada);
      return wish.access ? [wish.permissionsFrom, wish.wanted.permissions] : wish;
    };
    expect(from(derived, ruled)).toEqual(['rules', ['Team']]);
    expect(from(derived, on)).toEqual(['role', ['Team']]);
    expect(from(workplace, on)).toEqual(['default', ['Read only']]);
    expect(from({ ...workplace, fields: [] }, on)).toEqual([null, undefined]);
  });

  it('A8.7 a new account has name, e-mail, the time zone of the settings, and the other fields', () => {
    const wish = desire(workplace, on, ada);
    expect(wish.access && wish.wanted).toEqual({
      active: true,
      userName: 'ada',
      email: 'Ada@Example.com',
      firstName: 'Ada',
      lastName: 'Root',
      permissions: ['Read only'],
      timeZone: 'UTC',
      fields: { department: 'IT' },
    });
  });
});

describe('nextStep: accounts that do not exist', () => {
  it.each<[string, Partial<PersonFacts>, Given, 'create' | null]>([
    ['access, verified, provisioning on', {}, on, 'create'],
    ['C28 an address that is not verified', { emailVerified: false }, on, null],
    ['provisioning off', {}, { ...on, provisioning: { ...on.provisioning, on: false } }, null],
    ['B.7 enable off', {}, { ...on, enabled: false }, null],
    ['not signed up yet', { status: 'Invited' }, on, null],
    ['deactivated', { status: 'Deactivated' }, on, null],
    ['no group', { groups: [] }, on, null],
    ['C34 no permission', { groups: [{ id: 'x', name: 'X' }] }, ruled, null],
  ])('%s', (_, person, settings, act) => {
    expect(stepFor(person, null, settings)?.act ?? null).toBe(act);
  });

  it('a module that cannot provision gets nobody', () => {
    expect(stepFor({}, null, on, { ...workplace, capabilities: ['deprovision'] })).toBeNull();
  });

  it('what was removed is made anew', () => {
    expect(stepFor({}, accountOf({ life: 'removed', isActive: false }))?.act).toBe('create');
  });
});

describe('nextStep: with access', () => {
  it('as it should be: nothing', () => {
    expect(stepFor({}, accountOf())).toBeNull();
  });

  it.each<[string, Partial<PersonFacts>, Record<string, unknown>]>([
    ['name', { firstName: 'Adele' }, { firstName: 'Adele' }],
    ['e-mail', { email: 'ada@new.example' }, { email: 'ada@new.example' }],
  ])('%s of an account of ours follows the person', (_, person, wanted) => {
    expect(stepFor(person, accountOf())).toMatchObject({ act: 'update', wanted });
  });

  it('an account that people made at the module keeps what they wrote there', () => {
    expect(stepFor({ firstName: 'Adele' }, accountOf({ linkedBy: 'entry' }))).toBeNull();
  });

  it('A8.7 the time zone is for new accounts only; an unverified address goes nowhere', () => {
    expect(stepFor({}, accountOf({ timeZone: 'Asia/Tokyo' }))).toBeNull();
    expect(stepFor({ email: 'x@new.example', emailVerified: false }, accountOf())).toBeNull();
  });

  it('D.7 the permission follows access groups, and is never touched without them', () => {
    expect(stepFor({}, accountOf({ linkedBy: 'entry' }), ruled)).toMatchObject({
      act: 'update',
      wanted: { permissions: ['Team'] },
    });
    expect(stepFor({}, accountOf({ permissions: ['Team'] }), ruled)).toBeNull();
    expect(stepFor({}, accountOf({ permissions: ['Full'] }))).toBeNull();
  });

  it('C35 many permissions: the union, in whatever order the module tells them', () => {
    const many: Profile = { ...workplace, permissionMode: 'many' };
    const both = { groups: [...ada.groups, { id: chiefs, name: 'Chiefs' }] };
    expect(stepFor(both, accountOf({ permissions: ['Team', 'Full'] }), ruled, many)).toBeNull();
    expect(stepFor(both, accountOf({ permissions: ['Team'] }), ruled, many)?.wanted.permissions).toEqual([
      'Full',
      'Team',
    ]);
  });

  it.each<[string, Life, boolean]>([
    ['C32 suspended by the module itself', 'live', false],
    ['C32 never ours', 'free', false],
    ['disabled for good', 'disabled', false],
  ])('%s: never let in again by us', (_, life, isActive) => {
    expect(stepFor({}, accountOf({ life, isActive }))).toBeNull();
  });

  it('a re-hire within the held time: what we suspended is restored, even in its last second and after it', () => {
    expect(stepFor({}, suspended(later(now, 1)))).toMatchObject({ act: 'restore', wanted: { active: true } });
    expect(stepFor({}, suspended(later(now, -days(1))))?.act).toBe('restore');
  });

  it('restoring needs neither switch, but the connection', () => {
    const off = { ...on, provisioning: { on: false, values: {} }, deprovisioning: { ...on.deprovisioning, on: false } };
    expect(stepFor({}, suspended(later(now, 1)), off)?.act).toBe('restore');
    expect(stepFor({}, suspended(later(now, 1)), { ...on, enabled: false })).toBeNull();
  });
});

describe('nextStep: without access', () => {
  it.each<[string, Partial<PersonFacts>, Given, 'suspend' | null]>([
    ['T14 deactivated', { status: 'Deactivated' }, on, 'suspend'],
    ['T19 deleted', { status: 'Deleted', groups: [] }, on, 'suspend'],
    ['lost the group', { groups: [] }, on, 'suspend'],
    ['C34 lost the permission', { groups: [{ id: 'x', name: 'X' }] }, ruled, 'suspend'],
    ['not signed up yet: nothing is taken', { status: 'Invited', groups: [] }, on, null],
    ['B.7 deprovisioning off', { groups: [] }, { ...on, deprovisioning: { ...on.deprovisioning, on: false } }, null],
    ['B.7 enable off: the module goes on by itself', { status: 'Deactivated' }, { ...on, enabled: false }, null],
  ])('%s', (_, person, settings, act) => {
    expect(stepFor(person, accountOf(), settings)?.act ?? null).toBe(act);
  });

  it('nothing is done to what the module has switched off itself', () => {
    expect(stepFor({ groups: [] }, accountOf({ isActive: false }))).toBeNull();
  });

  it('what was let in again at the module is suspended again', () => {
    expect(stepFor({ groups: [] }, suspended(later(now, days(3)), { isActive: true }))?.act).toBe('suspend');
  });

  it('held: nothing until the last second, then the end', () => {
    expect(stepFor({ groups: [] }, suspended(later(now, 1)))).toBeNull();
    expect(stepFor({ groups: [] }, suspended(now))?.act).toBe('remove');
  });

  it('a re-invited person (T17) keeps what is held', () => {
    expect(stepFor({ status: 'Invited' }, suspended(later(now, -days(30))))).toBeNull();
  });

  it.each<[string, Partial<ModuleAccount>, Given, Profile, string]>([
    ['removal is remove', {}, on, workplace, 'remove'],
    [
      'removal is disable',
      {},
      { ...on, deprovisioning: { ...on.deprovisioning, removal: 'disable' } },
      workplace,
      'disable',
    ],
    ['C36 the product cannot delete', {}, on, { ...workplace, deletion: 'disable' }, 'disable'],
    ['C36 an administrator of the module', { isAdministrator: true }, on, workplace, 'disable'],
  ])('the end: %s', (_, account, settings, profile, act) => {
    expect(stepFor({ groups: [] }, suspended(now, account), settings, profile)?.act).toBe(act);
  });

  it('deprovisioning switched off meanwhile: what is held stays held', () => {
    const off = { ...on, deprovisioning: { ...on.deprovisioning, on: false } };
    expect(stepFor({ groups: [] }, suspended(later(now, -days(9))), off)).toBeNull();
  });

  it('ended accounts are left alone', () => {
    expect(stepFor({ groups: [] }, accountOf({ life: 'disabled', isActive: false }))).toBeNull();
    expect(stepFor({ groups: [] }, accountOf({ life: 'removed', isActive: false }))).toBeNull();
  });
});
