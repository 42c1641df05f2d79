// Real sign-ins played again under another policy, with the rules that enforce it: who would have been refused, or locked.
import type { UserId } from '../../lib/ids.ts';
import type { CompanyPolicy } from '../companies/company.ts';
import { afterFailure, type Count, noFailures, type StandingFacts, standingRefusal } from './sign-in.ts';

export interface LoginRules {
  lock: CompanyPolicy['lock'];
  /** From where alone people may log in; null: from anywhere. */
  allowed: string[] | null;
}

export interface LoginEvent {
  userId: UserId;
  at: Date;
  ip: string;
  /** `cleared`: an unlock or a completed reset (T12, T13). */
  kind: 'in' | 'failed' | 'cleared';
}

export interface Affected {
  times: number;
  lastAt: Date;
  lastIp: string;
}

export type ReplayKind = 'address' | 'locked';

/** `inside`: a failed try inside a lock, which meets nobody anew. */
type Verdict = 'fine' | 'inside' | ReplayKind;

const factsOf = ({ allowed }: LoginRules, { lockedUntil }: Count, ip: string): StandingFacts => ({
  company: {},
  user: { baseStatus: 'Active', lockedUntil },
  credential: {},
  // Events do not tell whether the browser was known: counted as strange, so that nobody is left out (AUT-07).
  browser: null,
  from: { ip, allowed },
});

/** One policy's view of the events, in their order. */
function createJudge(rules: LoginRules): (event: LoginEvent) => Verdict {
  const counts = new Map<UserId, Count>();
  return ({ userId, at, ip, kind }) => {
    const count = counts.get(userId) ?? noFailures;
    if (kind === 'cleared') counts.delete(userId);
    const refusal = kind === 'cleared' ? null : standingRefusal(factsOf(rules, count, ip), at);
    if (refusal === 'address') return kind === 'in' ? 'address' : 'fine';
    // Whoever failed would not have come in anyway, and a standing refusal counts nothing (C7).
    if (refusal !== null) return kind === 'in' ? 'locked' : 'inside';
    if (kind === 'in') counts.delete(userId);
    if (kind !== 'failed') return 'fine';
    const next = afterFailure(count, rules.lock, at);
    counts.set(userId, next);
    return next.lockedUntil !== null && next.lockedUntil > at ? 'locked' : 'fine';
  };
}

export interface Replay {
  take(event: LoginEvent): void;
  /** People for whom the other policy would have been stricter, by what would have met them. */
  affected: Record<ReplayKind, Map<UserId, Affected>>;
}

export function createReplay(before: LoginRules, after: LoginRules): Replay {
  const [was, would] = [createJudge(before), createJudge(after)];
  const affected = { address: new Map<UserId, Affected>(), locked: new Map<UserId, Affected>() };
  return {
    affected,
    take(event) {
      const [present, other] = [was(event), would(event)];
      if (other === 'fine' || other === 'inside' || other === present) return;
      if (other === 'locked' && present === 'inside') return;
      const people = affected[other];
      const times = (people.get(event.userId)?.times ?? 0) + 1;
      people.set(event.userId, { times, lastAt: event.at, lastIp: event.ip });
    },
  };
}
