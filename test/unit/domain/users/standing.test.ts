import { describe, expect, it } from 'vitest';
import type { SignInFacts } from '../../../../src/domain/users/sign-in.ts';
import { asArrived, type Comer, standingOf } from '../../../../src/domain/users/standing.ts';

const now = new Date('2026-03-01T12:00:00Z');
const later = new Date('2026-03-01T12:10:00Z');

/** Somebody whom nothing stands against. */
const facts = (change: object = {}, user: object = {}) =>
  ({
    company: { policy: { password: { maxAgeDays: 0 } } },
    user: { baseStatus: 'Active', lockedUntil: null, mustSetPassword: false, mustEnrol2fa: false, ...user },
    credential: { hash: 'h', setAt: now, isSingleUse: false },
    factor: {},
    browser: null,
    from: { ip: '', allowed: null },
    mustUseSso: false,
    ...change,
  }) as unknown as SignInFacts;

const local = (signIn: SignInFacts): Comer => ({ signIn, way: 'password', asksFactor: false });
const believed = (signIn: SignInFacts): Comer => ({ signIn, way: 'upstream', asksFactor: false });
const alsoAsked = (signIn: SignInFacts): Comer => ({ signIn, way: 'upstream', asksFactor: true });

describe('what stands against a login, and what is on the way', () => {
  const locked = facts({}, { lockedUntil: later });
  const replaced = facts({}, { mustSetPassword: true });
  const bare = facts({ factor: null });
  const invited = facts({ credential: null, factor: null }, { baseStatus: 'Invited' });
  const gone = facts({}, { baseStatus: 'Deactivated' });
  it.each<[string, Comer, string | null, string | null]>([
    ['nothing', local(facts()), null, null],
    ['a password to replace', local(replaced), null, 'set-password'],
    ['a factor to set up', local(bare), null, 'enrol'],
    ['a lock', local(locked), 'locked', null],
    ['an open invitation', local(invited), 'not-signed-up', null],
    ['deactivated', local(gone), 'deactivated', null],
    ['C26 a password where none is taken', local(facts({ mustUseSso: true })), 'sso', null],
    ['C9 a lock, behind an upstream', believed(locked), null, null],
    ['C9 a lock, where our code is asked behind it', alsoAsked(locked), 'locked', null],
    ['a password to replace, behind an upstream', believed(replaced), null, null],
    ['no factor, behind an upstream', believed(bare), null, null],
    ['C25 no factor, where it is asked', alsoAsked(bare), null, 'enrol'],
    ['T9 an open invitation, behind an upstream', believed(invited), null, null],
    ['deactivated, behind an upstream', believed(gone), 'deactivated', null],
  ])('%s', (_title, comer, refusal, step) => {
    expect(standingOf(comer, now)).toEqual({ refusal, step });
  });

  it('T9 the word of an upstream verifies the address of an invitation, and of nothing else', () => {
    const person = (baseStatus: 'Invited' | 'Active') => ({ baseStatus, emailVerifiedAt: null });
    expect(asArrived(person('Invited'), { way: 'upstream' }, now).emailVerifiedAt).toEqual(now);
    expect(asArrived(person('Invited'), { way: 'password' }, now).emailVerifiedAt).toBeNull();
    expect(asArrived(person('Active'), { way: 'upstream' }, now).emailVerifiedAt).toBeNull();
  });
});
