// D.6 and section 6 of the protocol as tables: who may use the local form, and whose account it is that somebody enters.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  decideAccount,
  decideLocalLogin,
  type EntryRules,
  type IntegrationSettings,
  type LoginException,
  localLoginGate,
  type ModuleAccount,
  type ModuleUser,
} from '../../../src/sdk/module.ts';

const now = Date.parse('2026-11-22T12:00:00Z');
const minute = 60_000;
const day = 86_400_000;
const at = (ms: number) => new Date(ms).toISOString();

const settings: IntegrationSettings = {
  version: 1,
  instance: { id: 'i', name: 'Northwind IT', company: { id: 'c', name: 'Northwind IT' } },
  enabled: true,
  require: { on: true, state: 'on', trial_ends_at: null },
  exceptions: [],
  local_login_url: 'https://workplace.example/login/local',
  provisioning: { on: false, values: {} },
  deprovisioning: { on: false, grace_days: 14, removal: 'disable' },
  access_groups: { on: false, rules: [] },
  profile: {
    capabilities: [],
    fields: [
      { name: 'permission', label: 'Permissions', type: 'permission', required: true, choices: ['Team', 'Full'] },
      { name: 'timeZone', label: 'Time-zone', type: 'timeZone', required: true, choices: [] },
      { name: 'department', label: 'Department', type: 'text', required: true, choices: [] },
    ],
    administrators: ['Full'],
    linkMode: 'email',
    severalMatches: 'refuse',
    deletion: 'remove',
  },
  keep_for: 7 * 86_400,
};
const exception = (more: Partial<LoginException> = {}): LoginException => ({
  id: 'e',
  kind: 'person',
  account_id: '17',
  user_name: 'ada@n.example',
  reason: 'Field work',
  ends_at: null,
  ...more,
});
const trial = (endsIn: number) => ({
  ...settings,
  require: { on: true, state: 'trial' as const, trial_ends_at: at(now + endsIn) },
});
const exempting = (...exceptions: LoginException[]) => ({ ...settings, exceptions });

const user = { id: '17', administrator: false };
const admin = { id: '17', administrator: true };

describe('D.6 the local way in (section 6)', () => {
  it.each<[string, IntegrationSettings | null, typeof user, number | null, boolean, string]>([
    ['not connected', null, user, null, true, 'not_connected'],
    ['enable off', { ...settings, enabled: false }, user, now, true, 'disabled'],
    ['enable off, long without an answer', { ...settings, enabled: false }, user, now - 30 * day, true, 'disabled'],
    [
      'require off',
      { ...settings, require: { on: false, state: 'off', trial_ends_at: null } },
      user,
      now,
      true,
      'optional',
    ],
    ['require on, not exempt', settings, user, now, false, 'required'],
    ['require on, an administrator who is not exempt', settings, admin, now, false, 'required'],
    ['on trial, a second before its end', trial(1000), user, now, false, 'required'],
    ['on trial, at its end', trial(0), user, now, true, 'trial_over'],
    ['on trial, after its end and long without an answer', trial(-1), user, now - 30 * day, true, 'trial_over'],
    ['exempt without an end', exempting(exception()), user, now, true, 'exempt'],
    ['exempt for another second', exempting(exception({ ends_at: at(now + 1000) })), user, now, true, 'exempt'],
    ['exempt until now', exempting(exception({ ends_at: at(now) })), user, now, false, 'required'],
    [
      'exempt until a time that nobody can read',
      exempting(exception({ ends_at: 'soon' })),
      user,
      now,
      false,
      'required',
    ],
    ['somebody else is exempt', exempting(exception({ account_id: '18' })), user, now, false, 'required'],
    [
      'exempt by a long id, which the provider names by its hash',
      exempting(exception({ account_id: createHash('sha256').update('7'.repeat(201)).digest('base64url') })),
      { ...user, id: '7'.repeat(201) },
      now,
      true,
      'exempt',
    ],
    ['an emergency account', exempting(exception({ kind: 'emergency' })), user, now, true, 'emergency'],
    [
      'an emergency account and a person',
      exempting(exception({ kind: 'emergency' }), exception()),
      user,
      now,
      true,
      'exempt',
    ],
    ['no answer for keep_for', settings, admin, now - 7 * day, false, 'required'],
    ['no answer for longer, an administrator', settings, admin, now - 7 * day - 1, true, 'offline_administrator'],
    ['no answer for longer, another person', settings, user, now - 7 * day - 1, false, 'offline'],
    ['no answer for longer, exempt', exempting(exception()), user, now - 8 * day, true, 'exempt'],
    ['never an answer, an administrator', settings, admin, null, true, 'offline_administrator'],
    ['our clock is 90 s behind the last answer', settings, user, now + 90_000, false, 'required'],
  ])('%s', (_, kept, account, lastContact, allowed, row) => {
    expect(decideLocalLogin(kept, account, now, lastContact)).toMatchObject({ allowed, row });
  });

  it('tells the exempt where their form is, and puts on record what is not of every day', () => {
    const decide = (kept: IntegrationSettings, account = user, lastContact = now) =>
      decideLocalLogin(kept, account, now, lastContact);
    expect(decide(exempting(exception())).at).toBe('https://workplace.example/login/local');
    expect(decide(exempting(exception())).record).toBe(false);
    expect(decide(exempting(exception({ kind: 'emergency' }))).record).toBe(true);
    expect(decide(settings, admin, 0).record).toBe(true);
    expect(decide(settings, user, 0).record).toBe(true);
    expect(decide(settings).record).toBe(false);
  });

  it.each<[string, IntegrationSettings | null, object]>([
    ['not connected: no button', null, { offered: false, required: false }],
    ['enable off: no button', { ...settings, enabled: false }, { offered: false, required: false }],
    [
      'require off: both',
      { ...settings, require: { on: false, state: 'off', trial_ends_at: null } },
      { offered: true, required: false },
    ],
    ['require on: the button alone', settings, { offered: true, required: true, trialEndsAt: null }],
    ['on trial: the button alone, and until when', trial(minute), { required: true, trialEndsAt: at(now + minute) }],
    ['the trial is over: both', trial(0), { offered: true, required: false, trialEndsAt: null }],
  ])('C31 the login page, %s', (_, kept, gate) => {
    expect(localLoginGate(kept, now)).toMatchObject(gate);
  });
});

const issuer = 'https://login.example.com';
const person: ModuleUser = {
  sub: 'person-1',
  email: 'ada@n.example',
  emailVerified: true,
  name: 'Ada Root',
  givenName: 'Ada',
  familyName: 'Root',
  preferredUsername: 'ada',
  zoneinfo: 'Europe/Berlin',
  companyId: 'c',
  companyRole: 'Admin',
  groups: [],
  amr: [],
  acr: null,
  authTime: null,
  sid: null,
  access: {
    instance: 'i',
    tenant: 'northwind',
    permissions: [],
    permissionsFrom: null,
    provision: null,
    settingsVersion: 1,
  },
};
const values = { permission: 'Team', timeZone: 'Asia/Kolkata', department: 'Sales' };
const jit = (user: ModuleUser, more: Partial<NonNullable<ModuleUser['access']>> = {}): ModuleUser => ({
  ...user,
  // Every person of these tables has access.
  access: { ...(person.access as NonNullable<ModuleUser['access']>), provision: { values }, ...more },
});
const account = (id: string, more: Partial<ModuleAccount> = {}): ModuleAccount => ({
  id,
  userName: id,
  email: 'Ada@N.example',
  active: true,
  ...more,
});
const mine = { link: { issuer, sub: 'person-1' } };
const theirs = { link: { issuer, sub: 'person-2' } };
const rules = (more: Partial<IntegrationSettings['profile']> = {}): EntryRules => ({
  issuer,
  profile: { ...settings.profile, ...more },
});
const unverified = { ...person, emailVerified: false };
const first = rules({ severalMatches: 'firstUsername' });
const byName = rules({ linkMode: 'emailOrUsername' });
const explicit = rules({ linkMode: 'explicit' });
const inactive = { active: false };

describe('D.6 the way through KaseyaOne (section 1)', () => {
  type Row = [string, ModuleUser, ModuleAccount[], EntryRules, object];
  const enters = (id: string, isNewLink: boolean) => ({ outcome: 'enter', account: { id }, isNewLink });
  const refuses = (reason: string) => ({ outcome: 'refused', reason });

  it.each<Row>([
    ['linked, active', person, [account('a', mine)], rules(), enters('a', false)],
    [
      'linked, active, another address',
      person,
      [account('a', { ...mine, email: 'x@n.example' })],
      rules(),
      enters('a', false),
    ],
    ['linked, address unverified', unverified, [account('a', mine)], rules(), enters('a', false)],
    ['linked, suspended', person, [account('a', { ...mine, ...inactive })], rules(), refuses('suspended')],
    [
      'linked and suspended, although another one matches',
      person,
      [account('a', { ...mine, ...inactive }), account('b')],
      rules(),
      refuses('suspended'),
    ],
    [
      'linked and suspended, provisioning on',
      jit(person),
      [account('a', { ...mine, ...inactive })],
      rules(),
      refuses('suspended'),
    ],
    [
      'the same sub of another issuer',
      person,
      [account('a', { link: { issuer: 'https://x.example', sub: 'person-1' } })],
      rules(),
      refuses('linked_elsewhere'),
    ],
    ['one active match', person, [account('a')], rules(), enters('a', true)],
    ['a match by an unverified address (C28)', unverified, [account('a')], rules(), refuses('unverified')],
    ['no address', { ...person, email: null }, [account('a', { email: null })], rules(), refuses('unverified')],
    ['unverified, provisioning on: nobody is made', jit(unverified), [], rules(), refuses('unverified')],
    ['a match that is linked to somebody else', person, [account('a', theirs)], rules(), refuses('linked_elsewhere')],
    ['a match that is inactive (C32)', person, [account('a', inactive)], rules(), refuses('suspended')],
    [
      'an inactive match with provisioning on (C32)',
      jit(person),
      [account('a', inactive)],
      rules(),
      refuses('suspended'),
    ],
    ['several matches, refuse', person, [account('b'), account('a')], rules(), refuses('ambiguous')],
    ['several matches, first user name', person, [account('b'), account('a')], first, enters('a', true)],
    [
      'several, the first of which is inactive',
      person,
      [account('b'), account('a', inactive)],
      first,
      enters('b', true),
    ],
    [
      'several, the first of which is somebody else’s',
      person,
      [account('b'), account('a', theirs)],
      first,
      enters('b', true),
    ],
    ['several, all inactive', person, [account('b', inactive), account('a', inactive)], first, refuses('suspended')],
    [
      'a user name, where only addresses count',
      person,
      [account('ada', { email: null })],
      rules(),
      refuses('no_account'),
    ],
    ['a user name, where it counts too', person, [account('ADA', { email: null })], byName, enters('ADA', true)],
    [
      'a user name that is the address',
      person,
      [account('ada@n.example', { email: null })],
      byName,
      enters('ada@n.example', true),
    ],
    ['a user name, address unverified', unverified, [account('ada')], byName, refuses('unverified')],
    ['none, provisioning off', person, [], rules(), refuses('no_account')],
    ['none, nothing said about access', { ...person, access: null }, [], rules(), refuses('no_account')],
    ['none, provisioning on', jit(person), [], rules(), { outcome: 'provision' }],
    ['explicit, not linked, provisioning off', person, [], explicit, { outcome: 'prove' }],
    ['explicit, a match, provisioning on', jit(person), [account('a')], explicit, { outcome: 'prove' }],
    ['explicit, none, provisioning on', jit(person), [], explicit, { outcome: 'provision' }],
    ['explicit, linked', person, [account('a', mine)], explicit, enters('a', false)],
  ])('%s', (_, user, accounts, under, decision) => {
    expect(decideAccount(user, accounts, under)).toMatchObject(decision);
  });

  it('a new account has the values of the claim, and D.7’s permission before them', () => {
    const made = (user: ModuleUser) => decideAccount(user, [], rules());
    expect(made(jit(person))).toEqual({
      outcome: 'provision',
      account: {
        userName: 'ada@n.example',
        email: 'ada@n.example',
        givenName: 'Ada',
        familyName: 'Root',
        displayName: 'Ada Root',
        active: true,
        suspendedBy: null,
        permissions: ['Team'],
        timeZone: 'Asia/Kolkata',
        externalId: 'person-1',
        link: { issuer, sub: 'person-1' },
        localLogin: false,
        values: { department: 'Sales' },
      },
    });
    const governed = jit(person, { permissions: ['Full'], permissionsFrom: 'rules' });
    expect(made(governed)).toMatchObject({ account: { permissions: ['Full'] } });
  });

  it.each([
    ['rules', ['Full']],
    ['role', null],
    ['default', null],
    [null, null],
  ] as const)('D.7 permissions from %s at an existing account: %j', (permissionsFrom, permissions) => {
    const user = jit(person, { permissions: ['Full'], permissionsFrom });
    expect(decideAccount(user, [account('a', mine)], rules())).toMatchObject({ permissions });
  });
});
