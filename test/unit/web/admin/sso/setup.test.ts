// What is left to do until people log in through a connection (B.5): the next step is always one that can be done now.
import { describe, expect, it } from 'vitest';
import { connectionSettings } from '../../../../../src/domain/federation/connection.ts';
import type { ConnectionUse } from '../../../../../src/domain/federation/connection-queries.ts';
import type { StoredConnection } from '../../../../../src/domain/federation/connection-repository.ts';
import { testedHashOf } from '../../../../../src/domain/federation/tested.ts';
import { nextStep, type SetupFacts, setupOf } from '../../../../../src/web/admin/sso/setup.ts';

const now = new Date('2026-11-22T12:00:00Z');
const off = { state: 'off', trialBeganAt: null, trialEndsAt: null, trialBy: null } as const;

const fresh: StoredConnection = {
  id: 'c',
  companyId: 'k' as StoredConnection['companyId'],
  name: 'Contoso',
  settings: connectionSettings.parse({ kind: 'oidc', issuer: 'https://idp.example', clientId: 'a', scopes: 'openid' }),
  attributes: {
    email: 'email',
    username: '',
    firstName: '',
    lastName: '',
    groups: 'groups',
    companyIdentifier: '',
  },
  enabled: false,
  creation: { on: false, role: 'User', groupIds: [] },
  asksSecondFactor: false,
  mapping: false,
  version: 1,
  testedAt: null,
  testedHash: null,
  enforce: off,
  sealedSecret: null,
  metadata: { readAt: null, triedAt: null, problem: null },
  certificateNotices: {},
  createdAt: now,
};
const tested: StoredConnection = { ...fresh, testedAt: now, testedHash: testedHashOf(fresh) };
const changed: StoredConnection = { ...tested, attributes: { ...fresh.attributes, email: 'mail' } };
const enabled: StoredConnection = { ...tested, enabled: true };
const nobody: ConnectionUse = { lastSeenAt: null, people: 0, rules: 0 };
const nothing: SetupFacts = { hasDomain: false, waysInAreEnough: false };

const look = (connection: StoredConnection, use: Partial<ConnectionUse> = {}, facts: Partial<SetupFacts> = {}) =>
  setupOf(connection, { ...nobody, ...use }, { ...nothing, ...facts }, now);

describe('what is left to do', () => {
  it.each<[string, StoredConnection, string, string]>([
    ['new', fresh, '0 of 3 done', 'Test it'],
    ['tested with other settings', changed, '1 of 3 done', 'Test it again'],
    ['tested', tested, '2 of 3 done', 'Enable it'],
    ['enabled', enabled, '0 of 5 done', 'Create people at their first login'],
  ])('%s', (_, connection, words, next) => {
    const setup = look(connection);
    expect(setup).toMatchObject({ words, isOpen: true });
    expect(setup?.steps.filter(({ state }) => state === 'next').map(({ title }) => title)).toEqual([next]);
  });

  it('offers no way to what would be refused: Enable before a passed test', () => {
    for (const connection of [fresh, changed])
      expect(look(connection)?.steps.find(({ title }) => title === 'Enable it')).toMatchObject({ link: '' });
  });

  it('each further step by its own fact; closed once people come in, gone once nothing is left', () => {
    const all = { ...enabled, creation: { ...enabled.creation, on: true } };
    const states = (setup: ReturnType<typeof look>) => setup?.steps.map(({ state }) => state).join(' ');
    expect(states(look(all))).toBe('done next open open open');
    expect(states(look(all, { rules: 1 }))).toBe('done done next open open');
    expect(states(look(all, { rules: 1 }, { hasDomain: true }))).toBe('done done done next open');
    const most = { hasDomain: true, waysInAreEnough: true };
    expect(states(look(all, { rules: 1 }, most))).toBe('done done done done next');
    expect(look(all, { rules: 1, people: 3 }, most)?.isOpen).toBe(false);
    const ends = new Date(now.getTime() + 60_000);
    const onTrial = { ...all, enforce: { ...off, state: 'trial' as const, trialBeganAt: now, trialEndsAt: ends } };
    expect(states(look(onTrial, { rules: 1 }, most))).toBe('done done done done next');
    expect(look({ ...all, enforce: { ...off, state: 'on' } }, { rules: 1 }, most)).toBeNull();
  });

  it('the list names the one thing to do, and nothing once it works', () => {
    expect(nextStep(fresh, nobody)?.link).toBe('Test it');
    expect(nextStep(tested, nobody)?.link).toBe('Enable it');
    expect(nextStep(enabled, nobody)).toBeNull();
  });
});
