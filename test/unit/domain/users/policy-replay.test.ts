// The preview of a policy: sign-ins of the past under other rules, by the rules that enforce them.
import { describe, expect, it } from 'vitest';
import { policySchema } from '../../../../src/domain/companies/company.ts';
import { createReplay, type LoginEvent, type LoginRules } from '../../../../src/domain/users/policy-replay.ts';
import { afterFailure, noFailures } from '../../../../src/domain/users/sign-in.ts';
import type { UserId } from '../../../../src/lib/ids.ts';

const start = new Date('2026-11-01T08:00:00Z').getTime();
const at = (minute: number) => new Date(start + minute * 60_000);
const office = '203.0.113.7';

function rules(lock: object = {}, allowed: string[] | null = null): LoginRules {
  return { lock: policySchema.parse({ lock }).lock, allowed };
}

/** One letter an event: `f` failed, `i` in, `c` cleared, a minute apart; a space is a quiet hour. */
function story(letters: string, who = 'pat', ip = office): LoginEvent[] {
  const kinds = { f: 'failed', i: 'in', c: 'cleared' } as const;
  let minute = 0;
  return [...letters].flatMap((letter): LoginEvent[] => {
    minute += letter === ' ' ? 60 : 1;
    const kind = kinds[letter as keyof typeof kinds];
    return kind ? [{ userId: who as UserId, at: at(minute), ip, kind }] : [];
  });
}

function meets(before: LoginRules, after: LoginRules, events: LoginEvent[]) {
  const replay = createReplay(before, after);
  for (const event of events) replay.take(event);
  const times = (people: Map<UserId, { times: number }>) => [...people].map(([who, { times }]) => `${who} ${times}`);
  return { address: times(replay.affected.address), locked: times(replay.affected.locked) };
}

describe('what a lower threshold would have done (C6, C7)', () => {
  const rows: [what: string, letters: string, from: number, to: number, locked: string[]][] = [
    ['too few failures', 'ffff i', 10, 5, []],
    ['five in a row', 'fffff', 10, 5, ['pat 1']],
    ['five, then the right password inside the lock', 'fffffi', 10, 5, ['pat 2']],
    ['five, then the right password after the lock', 'fffff i', 10, 5, ['pat 1']],
    ['a success in between begins anew', 'ffffiffff', 10, 5, []],
    ['T12, T13 so does an unlock or a reset', 'ffffcffff', 10, 5, []],
    ['T11 a lock that ran out begins anew', 'fffff ffff', 10, 5, ['pat 1']],
    ['locked now as well: no change', 'fffff', 5, 5, []],
    ['a higher threshold locks nobody', 'ffffff', 5, 6, []],
  ];
  it.each(rows)('%s', (_what, letters, from, to, locked) => {
    expect(meets(rules({ threshold: from }), rules({ threshold: to }), story(letters)).locked).toEqual(locked);
  });

  it('a longer lock would have held who came back in time', () => {
    const [short, long] = [rules({ minutes: 1 }), rules({ minutes: 120 })];
    expect(meets(short, long, story('fffff i')).locked).toEqual(['pat 1']);
    expect(meets(long, short, story('fffff i')).locked).toEqual([]);
  });

  it('counts each person by themselves', () => {
    const events = [...story('fff'), ...story('fffff', 'ben')].sort((a, b) => a.at.getTime() - b.at.getTime());
    expect(meets(rules({ threshold: 9 }), rules({ threshold: 5 }), events).locked).toEqual(['ben 1']);
  });
});

describe('what the IP access list would have done (B.3)', () => {
  const on = rules({}, ['203.0.113.0/24']);
  const rows: [what: string, before: LoginRules, after: LoginRules, events: LoginEvent[], address: string[]][] = [
    ['a login from a listed address', rules(), on, story('i'), []],
    ['each login from elsewhere', rules(), on, story('i i', 'pat', '198.51.100.9'), ['pat 2']],
    ['a failure from elsewhere meets nobody', rules(), on, story('ff', 'pat', '198.51.100.9'), []],
    ['an entry less', on, rules({}, ['198.51.100.0/24']), story('i'), ['pat 1']],
    ['refused now as well: no change', rules({}, []), rules({}, []), story('i'), []],
    ['off again', on, rules(), story('i', 'pat', '198.51.100.9'), []],
  ];
  it.each(rows)('%s', (_what, before, after, events, address) => {
    expect(meets(before, after, events)).toEqual({ address, locked: [] });
  });

  it('C7 failures from elsewhere would not have counted towards the lock', () => {
    const events = [...story('fffff', 'pat', '198.51.100.9')];
    expect(meets(rules({ threshold: 9 }), rules({ threshold: 5 }, [office]), events).locked).toEqual([]);
  });
});

describe('the count after a failure (T10, T11)', () => {
  const lock = { threshold: 5, minutes: 10 };
  it('locks at the threshold, keeps the end of a running lock, begins anew after it', () => {
    let count = noFailures;
    for (let i = 0; i < 4; i += 1) count = afterFailure(count, lock, at(i));
    expect(count).toEqual({ failures: 4, lockedUntil: null });
    count = afterFailure(count, lock, at(4));
    expect(count).toEqual({ failures: 5, lockedUntil: at(14) });
    expect(afterFailure(count, lock, at(13))).toEqual({ failures: 6, lockedUntil: at(14) });
    expect(afterFailure(count, lock, at(14))).toEqual({ failures: 1, lockedUntil: null });
  });
});
