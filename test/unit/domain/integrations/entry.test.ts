import { describe, expect, it } from 'vitest';
import { decideEntry, type EntryFacts, entryRefusal, moduleAccess } from '../../../../src/domain/integrations/entry.ts';
import { explainReach } from '../../../../src/domain/integrations/reach.ts';
import type { AccessRule, Settings } from '../../../../src/domain/integrations/settings.ts';
import { findProduct } from '../../../../src/domain/modules/catalogue.ts';
import { plainProfile, profileSchema } from '../../../../src/domain/modules/profile.ts';
import type { ReachableInstance } from '../../../../src/domain/sessions/record-repository.ts';
import type { GroupId, InstanceId } from '../../../../src/lib/ids.ts';

const group = (name: string) => ({ id: `id of ${name}` as GroupId, name });
const instance = (id: string, groups = ['All Module Access']): ReachableInstance => ({
  id: id as InstanceId,
  version: 3,
  tenant: `tenant ${id}`,
  groups: groups.map(group),
});
const rule = (name: string, permission: string): AccessRule => ({ groupId: group(name).id, group: name, permission });

type Given = Pick<Settings, 'version' | 'accessGroups' | 'provisioning'>;
const off: Given = { version: 3, accessGroups: { on: false, rules: [] }, provisioning: { on: false, values: {} } };
const byRules = (...rules: AccessRule[]): Given => ({ ...off, accessGroups: { on: true, rules } });

const workplace = findProduct('workplace')?.profile ?? plainProfile;
const facts = (more: Partial<EntryFacts>): EntryFacts => ({
  isBuiltIn: false,
  profile: workplace,
  role: 'User',
  reachable: [instance('one')],
  asked: null,
  settings: new Map([
    ['one', off],
    ['two', off],
  ]),
  ...more,
});

describe('entry to a module (D.2, D.5 step 6, C34)', () => {
  const both = [instance('one'), instance('two')];
  const rows: [string, Partial<EntryFacts>, string][] = [
    ['D.2 a member of an active group that holds it is let in', {}, 'one'],
    ['D.2 a person without any group for it is not', { reachable: [] }, 'no-group'],
    ['our own pages are open to whoever is signed in', { isBuiltIn: true, reachable: [] }, 'ours'],
    ['of several the first by name', { reachable: both }, 'one'],
    ['the one that the module asked for', { reachable: both, asked: 'two' }, 'two'],
    ['never another one than was asked for', { asked: 'two' }, 'other-instance'],
    ['asked for or not, without a group for any of them it is the group', { reachable: [], asked: 'two' }, 'no-group'],
    [
      'C34 access groups are on and no rule fits',
      { settings: new Map([['one', byRules(rule('Technicians', 'Team Access'))]]) },
      'no-permission',
    ],
    ['C34 a rule fits', { settings: new Map([['one', byRules(rule('All Module Access', 'Team Access'))]]) }, 'one'],
    [
      'of several the first that may be entered',
      {
        reachable: both,
        settings: new Map([
          ['one', byRules(rule('Technicians', 'Team Access'))],
          ['two', off],
        ]),
      },
      'two',
    ],
    [
      'C34 the one that was asked for is closed, whatever else is open',
      {
        reachable: both,
        asked: 'one',
        settings: new Map([
          ['one', byRules(rule('Technicians', 'Team Access'))],
          ['two', off],
        ]),
      },
      'no-permission',
    ],
    [
      'what was disconnected in this very moment has no settings and opens nothing',
      { settings: new Map() },
      'no-permission',
    ],
  ];
  it.each(rows)('%s', (_title, given, expected) => {
    const entry = decideEntry(facts(given));
    expect(entry.allowed ? (entry.entered?.instance.id ?? 'ours') : entry.because).toBe(expected);
  });

  it.each(['no-group', 'other-instance', 'no-permission', 'not-administrator'] as const)(
    'D.5 step 6 the refusal %s names the module and says what to do',
    (because) => {
      const words = entryRefusal(because, { module: 'Workplace', brand: 'KaseyaOne', company: 'Contoso' });
      expect(words.heading).toContain('Workplace');
      expect(`${words.sentence} ${words.next}`).toMatch(/administrator/);
    },
  );
});

describe('what the module is told about an entry: module_access', () => {
  const told = (more: Partial<EntryFacts>) => {
    const given = facts(more);
    const entry = decideEntry(given);
    if (!entry.allowed || !entry.entered) throw new Error('not entered');
    return moduleAccess(given.profile, entry.entered);
  };
  const provisioning = { on: true, values: { permission: 'Team Access', timeZone: 'Europe/Berlin' } };

  it('nothing is set up: no permission is said, and nobody gets an account', () => {
    expect(told({})).toEqual({
      instance: 'one',
      tenant: 'tenant one',
      permissions: [],
      permissions_from: null,
      provision: null,
      settings_version: 3,
    });
  });

  it('D.7 the default counts for new accounts', () => {
    expect(told({ settings: new Map([['one', { ...off, provisioning }]]) })).toMatchObject({
      permissions: ['Team Access'],
      permissions_from: 'default',
      provision: { values: provisioning.values },
    });
  });

  it('D.7 rules decide over the default, also for the new account', () => {
    const settings = { ...byRules(rule('All Module Access', 'Manager Access')), provisioning };
    expect(told({ settings: new Map([['one', settings]]) })).toMatchObject({
      permissions: ['Manager Access'],
      permissions_from: 'rules',
      provision: { values: { permission: 'Manager Access', timeZone: 'Europe/Berlin' } },
    });
  });

  it('D.7, C33 where the role gives the permission, it does, and the account is made with it', () => {
    const profile = profileSchema.parse({
      capabilities: ['provision'],
      fields: [{ name: 'level', label: 'Level', type: 'permission', choices: ['Low', 'High'] }],
      derivation: { Admin: 'High' },
    });
    const settings = { ...off, provisioning: { on: true, values: { level: 'Low' } } };
    const given = { profile, settings: new Map([['one', settings]]) };
    expect(told({ ...given, role: 'Admin' })).toMatchObject({
      permissions: ['High'],
      permissions_from: 'role',
      provision: { values: { level: 'High' } },
    });
    expect(told({ ...given, role: 'User' })).toMatchObject({ permissions: ['Low'], permissions_from: 'default' });
  });

  it('C35 the first fitting rule, or all of them where the module takes many', () => {
    const reachable = [instance('one', ['A', 'B'])];
    const settings = new Map([['one', byRules(rule('C', 'None'), rule('B', 'Low'), rule('A', 'High'))]]);
    const fields = [{ name: 'level', label: 'Level', type: 'permission', choices: ['None', 'Low', 'High'] }];
    const one = profileSchema.parse({ fields });
    const many = profileSchema.parse({ fields, permissionMode: 'many' });
    expect(told({ profile: one, reachable, settings }).permissions).toEqual(['Low']);
    expect(told({ profile: many, reachable, settings }).permissions).toEqual(['Low', 'High']);
  });

  it('a product that cannot make accounts is never told to', () => {
    const profile = profileSchema.parse({ ...plainProfile });
    expect(told({ profile, settings: new Map([['one', { ...off, provisioning }]]) }).provision).toBeNull();
  });
});

describe('the same in words, for administrators', () => {
  const person = { role: 'User', standing: { refusal: null, step: null } } as const;
  const at = (more: object) => ({
    id: 'one' as InstanceId,
    name: 'Workplace',
    module: 'Workplace',
    icon: null,
    isEnabled: true,
    profile: workplace,
    settings: off,
    groups: [{ ...group('Technicians'), isActive: true }],
    ...more,
  });

  it.each([
    ['through a group', {}, true, 'Through Technicians.'],
    ['not connected', { isEnabled: false }, false, 'The module is not connected.'],
    ['without a group', { groups: [] }, false, 'None of their access groups holds it.'],
    [
      'through an inactive one alone',
      { groups: [{ ...group('Technicians'), isActive: false }] },
      false,
      'Only through Technicians, which is inactive.',
    ],
    [
      'C34 without a permission there',
      { settings: byRules(rule('Others', 'Team Access')) },
      false,
      'Through Technicians, but none of them has a permission in this module.',
    ],
  ])('%s', (_title, more, canEnter, because) => {
    expect(explainReach(person, at(more), null)).toEqual({ canEnter, because });
  });

  it('the person themselves are not ready', () => {
    const deactivated = { ...person, standing: { refusal: 'deactivated', step: null } } as const;
    const because = 'Through Technicians, but deactivated.';
    expect(explainReach(deactivated, at({}), null)).toEqual({ canEnter: false, because });
    expect(explainReach(deactivated, at({}), 'they have no account there')).toEqual({ canEnter: false, because });
  });

  it('a step on the way is no refusal', () => {
    const asked = { ...person, standing: { refusal: null, step: 'enrol' } } as const;
    expect(explainReach(asked, at({}), null)).toEqual({
      canEnter: true,
      because: 'Through Technicians. They set up a second factor on the way in.',
    });
  });

  it('the module itself would refuse them', () => {
    expect(explainReach(person, at({}), 'their account there is not active')).toEqual({
      canEnter: false,
      because: 'Through Technicians, but their account there is not active.',
    });
  });
});
