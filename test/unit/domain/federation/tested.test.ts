// What a test sign-in proves, and the words of the ways in (C26).
import { describe, expect, it } from 'vitest';
import type { ArrivalRefusal } from '../../../../src/domain/federation/arrival.ts';
import type { UpstreamClaims } from '../../../../src/domain/federation/claims.ts';
import type { Connection } from '../../../../src/domain/federation/connection.ts';
import { isEnforced, isEnough, standingOf, waysSentence } from '../../../../src/domain/federation/enforce.ts';
import {
  isProof,
  isTested,
  judgeTest,
  type TestVerdict,
  testedHashOf,
  verdictOf,
} from '../../../../src/domain/federation/tested.ts';
import { lastWayLost, type SsoWayIn } from '../../../../src/domain/users/sso-ways-in.ts';
import type { UserId } from '../../../../src/lib/ids.ts';
import { after as later, minutes } from '../../../../src/lib/time.ts';

const connection: Pick<Connection, 'settings' | 'attributes' | 'creation'> = {
  settings: { kind: 'oidc', issuer: 'https://idp.example', clientId: 'a', scopes: 'openid', logoutReturns: false },
  attributes: {
    email: 'email',
    username: 'preferred_username',
    firstName: 'given_name',
    lastName: 'family_name',
    groups: 'groups',
    companyIdentifier: '',
  },
  creation: { on: true, role: 'User', groupIds: [] },
};

const claims: UpstreamClaims = {
  subject: 'ada',
  email: 'ada@northwind.example',
  username: null,
  firstName: 'Ada',
  lastName: 'Lovelace',
  groups: { state: 'list', values: [] },
  other: {},
};

describe('the hash of what was tested', () => {
  it('is of the settings and names alone, in whatever order the database gives them back', () => {
    const turned = JSON.parse(
      JSON.stringify({ attributes: connection.attributes, settings: connection.settings }, [
        ...Object.keys({ ...connection.attributes, ...connection.settings, attributes: 0, settings: 0 })
          .sort()
          .reverse(),
      ]),
    );
    expect(testedHashOf(turned)).toBe(testedHashOf(connection));
    const testedHash = testedHashOf(connection);
    expect(isTested({ ...connection, testedHash })).toBe(true);
    expect(isTested({ ...connection, testedHash: null })).toBe(false);
  });

  it.each<[string, Partial<typeof connection>]>([
    [
      'another issuer',
      { settings: { ...connection.settings, issuer: 'https://other.example' } as Connection['settings'] },
    ],
    ['another claim for the e-mail', { attributes: { ...connection.attributes, email: 'upn' } }],
  ])('changes with %s', (_, change) => {
    expect(isTested({ ...connection, ...change, testedHash: testedHashOf(connection) })).toBe(false);
  });
});

describe('what came back, judged', () => {
  const letIn = { outcome: 'accept' as const };
  it.each<[string, Partial<UpstreamClaims>, boolean, boolean]>([
    ['all of it', {}, true, true],
    ['no e-mail: nobody could be found', { email: null }, false, false],
    ['no names: a blemish', { firstName: null }, false, true],
    ['no groups, where no rule reads them', { groups: { state: 'missing' } }, false, true],
    ['no groups, where a rule reads them (C22)', { groups: { state: 'missing' } }, true, false],
    ['a link in place of the groups, where a rule reads them', { groups: { state: 'overage' } }, true, false],
  ])('%s', (_, came, readsGroups, passed) => {
    const checks = judgeTest({ ...claims, ...came }, connection, { readsGroups, needsNames: false });
    expect(isProof(verdictOf(checks, letIn))).toBe(passed);
  });

  it.each<[string, ArrivalRefusal | 'deactivate', Partial<UpstreamClaims>, boolean, TestVerdict, RegExp]>([
    ['nobody here, creation off', 'no-account', {}, false, 'not-this-person', /The name is Ada/],
    ['the same without names', 'no-account', { firstName: null }, false, 'not-this-person', /once Automatic User/],
    ['a newcomer without names', 'invalid-person', { lastName: null }, true, 'missing', /yet would be refused/],
    ['a newcomer with a name that is too long', 'invalid-person', {}, true, 'unfit', /The name is Ada/],
    ['the Root Admin, who is not found by address', 'root', {}, true, 'not-this-person', /The name is Ada/],
    ['in no mapped group', 'deactivate', {}, true, 'not-this-person', /The name is Ada/],
  ])('%s', (_, because, came, on, verdict, words) => {
    const checks = judgeTest(
      { ...claims, ...came },
      { ...connection, creation: { ...connection.creation, on } },
      { readsGroups: false, needsNames: because === 'invalid-person' },
    );
    const found = because === 'deactivate' ? { outcome: because } : { outcome: 'refused' as const, because };
    expect(verdictOf(checks, found)).toBe(verdict);
    expect(isProof(verdict)).toBe(verdict === 'not-this-person');
    expect(checks.map(({ sentence }) => sentence).join(' ')).toMatch(words);
  });

  it.each<[string, Partial<UpstreamClaims>, string | null]>([
    ['in other letter case', { groups: { state: 'missing' }, other: { Groups: ['IT'] } }, 'Groups'],
    [
      'in other letter case, before a usual name',
      { groups: { state: 'missing' }, other: { roles: [], GROUPS: [] } },
      'GROUPS',
    ],
    ['under a usual name', { groups: { state: 'missing' }, other: { memberof: ['IT'] } }, 'memberof'],
    ['e-mail', { email: null, other: { Mail: ['a@b.example'] } }, 'Mail'],
    ['last name', { lastName: null, other: { surname: ['Lovelace'], givenName: ['Ada'] } }, 'surname'],
    ['nothing alike', { groups: { state: 'missing' }, other: { department: ['IT'] } }, null],
    ['nothing is missing', { other: { Groups: ['IT'], Mail: [''] } }, null],
  ])('what may have been meant: %s', (_, came, meant) => {
    const sentences = judgeTest({ ...claims, ...came }, connection, { readsGroups: true, needsNames: true })
      .map(({ sentence }) => sentence)
      .join(' ');
    expect(/Did you mean "(.+?)"/.exec(sentences)?.[1] ?? null).toBe(meant);
    expect(sentences.match(/Did you mean/g)?.length ?? 0).toBe(meant ? 1 : 0);
  });

  it('names the claim that was missing', () => {
    const sentences = judgeTest({ ...claims, email: null, groups: { state: 'missing' } }, connection, {
      readsGroups: true,
      needsNames: false,
    }).map(({ sentence }) => sentence);
    expect(sentences.join(' ')).toContain('the claim "email" was missing');
    expect(sentences.join(' ')).toContain('the claim "groups" was missing');
  });
});

const way = (name: string, role: SsoWayIn['role'] = 'Admin'): SsoWayIn => ({
  userId: name as UserId, // as: an id of a test
  username: name,
  name,
  kind: role === 'Root Admin' ? 'root' : 'break-glass',
  role,
  endsAt: null,
});

describe('ways in (C26)', () => {
  it.each<[string, SsoWayIn[], boolean, RegExp]>([
    ['nobody', [], false, /^Nobody could log in/],
    ['one', [way('Root', 'Root Admin')], false, /^Only Root could log in/],
    ['two, but nobody who could mend anything', [way('a', 'User'), way('b', 'User')], false, /but no administrator/],
    ['Root and somebody', [way('Root', 'Root Admin'), way('a', 'User')], true, /^Root and a can log in/],
    ['many', ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => way(name)), true, /^a, b, c and 3 others can/],
  ])('%s', (_, ways, enough, sentence) => {
    expect(isEnough(ways)).toBe(enough);
    expect(waysSentence(ways)).toMatch(sentence);
  });

  it('the last administrator is the last one, whoever else could get in', () => {
    const gone = (...names: string[]) => new Set(names as UserId[]); // as: ids of a test
    const ways = [way('a'), way('b'), way('c', 'User')];
    expect(lastWayLost(ways, gone('a'))).toBeNull();
    expect(lastWayLost(ways, gone('a', 'b'))?.name).toBe('a');
    expect(lastWayLost([way('c', 'User')], gone('c'))).toBeNull();
    expect(lastWayLost([way('a'), way('c', 'User')], gone('c'))).toBeNull();
  });
});

describe('the states of enforcing', () => {
  const now = new Date('2026-11-22T12:00:00Z');
  it.each([
    [true, 'off', null, 'off', false],
    [true, 'on', null, 'on', true],
    [false, 'on', null, 'off', false],
    [true, 'trial', later(now, minutes(1)), 'trial', true],
    [true, 'trial', now, 'over', false],
    [false, 'trial', later(now, minutes(1)), 'off', false],
  ] as const)('enabled %s, %s until %s: %s', (enabled, state, trialEndsAt, standing, binds) => {
    expect(standingOf({ enabled, enforce: { state, trialEndsAt } }, now)).toBe(standing);
    expect(isEnforced({ enabled, enforce: { state, trialEndsAt } }, now)).toBe(binds);
  });
});
