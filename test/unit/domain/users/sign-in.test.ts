import { describe, expect, it } from 'vitest';
import { policySchema } from '../../../../src/domain/companies/company.ts';
import {
  addressWait,
  decidePassword,
  isLocked,
  type SignInFacts,
  standingRefusal,
  stepAfterPassword,
} from '../../../../src/domain/users/sign-in.ts';
import type { BaseStatus } from '../../../../src/domain/users/user.ts';
import type { CompanyId, UserId } from '../../../../src/lib/ids.ts';
import { days } from '../../../../src/lib/time.ts';

const now = new Date('2026-11-22T12:00:00Z');
const later = new Date(now.getTime() + 1);

type User = NonNullable<SignInFacts['user']>;

function facts(changes: Partial<SignInFacts> = {}, person: Partial<User> = {}, policy: unknown = {}): SignInFacts {
  return {
    company: { id: 'c' as CompanyId, name: 'Northwind IT', policy: policySchema.parse(policy) },
    user: {
      id: 'u' as UserId,
      username: 'pat',
      email: 'pat@example.com',
      firstName: 'Pat',
      lastName: 'Example',
      role: 'User',
      mustSetPassword: false,
      mustEnrol2fa: false,
      failures: 0,
      lockedUntil: null,
      baseStatus: 'Active',
      ...person,
    },
    credential: { hash: 'hash', setAt: now, isSingleUse: false },
    factor: { sealedSecret: 'secret', confirmedAt: new Date(0), lastStep: 0 },
    recoveryCodesLeft: 10,
    from: { ip: '203.0.113.7', allowed: null },
    browser: null,
    mustUseSso: false,
    address: null,
    ...changes,
  };
}

describe('why a person cannot sign in now (D.5 step 3)', () => {
  const rows: [string, SignInFacts, string | null][] = [
    ['AUT-05 unknown company', facts({ company: null, user: null, credential: null }), 'unknown-company'],
    ['AUT-05 unknown person', facts({ user: null, credential: null }), 'unknown-user'],
    ['A2.3, T24 deactivated', facts({}, { baseStatus: 'Deactivated' }), 'deactivated'],
    ['C8 deactivated wins over locked', facts({}, { baseStatus: 'Deactivated', lockedUntil: later }), 'deactivated'],
    ['deleted', facts({}, { baseStatus: 'Deleted' }), 'deactivated'],
    ['A2.4 locked', facts({}, { lockedUntil: later }), 'locked'],
    ['locked comes before a missing password', facts({ credential: null }, { lockedUntil: later }), 'locked'],
    ['T11 a lock that ends now has ended', facts({}, { lockedUntil: now }), null],
    ['A2.1 invited, no password yet', facts({ credential: null }, { baseStatus: 'Invited' }), 'not-signed-up'],
    ['C2 reactivated, no password yet', facts({ credential: null }, { mustSetPassword: true }), 'no-password'],
    ['C1 invited with a password goes on to enrolment', facts({ factor: null }, { baseStatus: 'Invited' }), null],
    ['active', facts(), null],
    ['B.3 on the list', facts({ from: { ip: '203.0.113.7', allowed: ['203.0.113.0/24'] } }), null],
    ['B.3 not on the list', facts({ from: { ip: '203.0.113.7', allowed: ['203.0.114.0/24'] } }), 'address'],
    ['B.3 on an empty list is nobody', facts({ from: { ip: '203.0.113.7', allowed: [] } }), 'address'],
    [
      'D.5 step 3 the list comes first',
      facts({ user: null, credential: null, from: { ip: '203.0.113.7', allowed: [] } }),
      'address',
    ],
    [
      'D.5 step 3 the list comes before the lock',
      facts({ from: { ip: '203.0.113.7', allowed: [] } }, { lockedUntil: later }),
      'address',
    ],
  ];

  it.each(rows)('%s', (_title, given, reason) => {
    expect(standingRefusal(given, now)).toBe(reason);
  });

  it.each(rows)('C7 %s: a standing refusal counts nothing, whatever was typed', (_title, given, reason) => {
    for (const matches of [true, false])
      expect(decidePassword(given, matches, now)).toEqual(
        reason
          ? { outcome: 'refused', reason, counts: false }
          : matches
            ? { outcome: 'accepted' }
            : { outcome: 'refused', reason: 'wrong-password', counts: true },
      );
  });
});

describe('whose lock holds (AUT-07)', () => {
  const rows: [string, Date | null, { failures: number; lockedUntil: Date | null } | null, boolean][] = [
    ['a strange browser is held by the lock of the account', later, null, true],
    ['a browser that signed in before is not', later, { failures: 4, lockedUntil: null }, false],
    ['but by its own', null, { failures: 5, lockedUntil: later }, true],
    ['which ends by itself, too', later, { failures: 5, lockedUntil: now }, false],
    ['no lock at all', null, null, false],
  ];
  it.each(rows)('AUT-07 %s', (_title, lockedUntil, browser, held) => {
    expect(isLocked(facts({ browser }, { lockedUntil }), now)).toBe(held);
  });

  it('AUT-05 an unknown person is never locked', () => {
    expect(isLocked({ user: null, browser: null }, now)).toBe(false);
  });
});

describe('what comes after the right password', () => {
  const old = { hash: 'hash', setAt: new Date(now.getTime() - days(91)), isSingleUse: false };
  const expiring = { password: { maxAgeDays: 90 } };
  const rows: [string, SignInFacts, string, string][] = [
    ['the code', facts(), 'code', 'first'],
    ['D.5 a new password, when one must be set', facts({}, { mustSetPassword: true }), 'set-password', 'first'],
    [
      'AUT-18 a new password, when this one was given by somebody',
      facts({ credential: { hash: 'h', setAt: now, isSingleUse: true } }),
      'set-password',
      'first',
    ],
    ['C38 a new password, when it is too old', facts({ credential: old }, {}, expiring), 'set-password', 'expired'],
    ['C38 the code, when passwords never expire', facts({ credential: old }), 'code', 'first'],
    ['C1 enrolment, for the invited', facts({ factor: null }, { baseStatus: 'Invited' }), 'enrol', 'first'],
    ['A2.5 enrolment, without a factor', facts({ factor: null }), 'enrol', 'reset'],
    ['A7.7 enrolment, after a reset, even if a factor is left', facts({}, { mustEnrol2fa: true }), 'enrol', 'reset'],
    [
      'the password before the factor',
      facts({ factor: null }, { mustSetPassword: true, mustEnrol2fa: true }),
      'set-password',
      'first',
    ],
  ];
  it.each(rows)('%s', (_title, given, step, reason) => {
    expect(stepAfterPassword(given, now)).toEqual({ step, reason });
  });

  it('C38 a password is too old after its last day, not on it', () => {
    const at = (ms: number) =>
      stepAfterPassword(
        facts({ credential: { ...old, setAt: new Date(now.getTime() - days(90) - ms) } }, {}, expiring),
        now,
      ).step;
    expect([at(0), at(1)]).toEqual(['code', 'set-password']);
  });
});

describe('how long a network address waits (AUT-08)', () => {
  const windowEndsAt = new Date(now.getTime() + 90_500);
  const at = (failures: number, ends = windowEndsAt, browser: SignInFacts['browser'] = null) =>
    addressWait(facts({ address: { failures, windowEndsAt: ends }, browser }), 60, now);

  it('AUT-08 waits from the limit on until the window ends, in whole seconds', () => {
    expect([at(59), at(60), at(1000)]).toEqual([null, 91, 91]);
    expect(addressWait(facts(), 60, now)).toBeNull();
  });

  it('AUT-08 a window that has ended holds nobody', () => {
    expect(at(1000, now)).toBeNull();
  });

  it('AUT-07 a browser that signed in before as this person does not wait', () => {
    expect(at(1000, windowEndsAt, { failures: 0, lockedUntil: null })).toBeNull();
  });

  it('AUT-05 waits the same for people who do not exist', () => {
    const given = facts({ company: null, user: null, credential: null, address: { failures: 60, windowEndsAt } });
    expect(addressWait(given, 60, now)).toBe(91);
  });
});

describe('AUT-10 the same facts stop every later step', () => {
  it.each(['Deactivated', 'Deleted'] satisfies BaseStatus[])('%s', (baseStatus) => {
    for (const changes of [{}, { browser: { failures: 0, lockedUntil: null } }, { factor: null }])
      expect(standingRefusal(facts(changes, { baseStatus }), now)).toBe('deactivated');
  });
});
