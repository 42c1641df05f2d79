// Sessions and everything the protocol engine keeps: cookies' sessions, codes, tokens, grants, requests.
// Owns `sessions` (what people see and end) and `oidc_records` (what the engine stores). Ending either ends both, in one transaction.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { tokenHash } from '../../lib/secrets.ts';
import { minutes } from '../../lib/time.ts';
import type { CompanyPolicy } from '../companies/company.ts';

export interface Session {
  uid: string;
  companyId: CompanyId;
  userId: UserId;
  ip: string;
  agent: string;
  amr: string[];
  browserHash: string | null;
  createdAt: Date;
  lastSeenAt: Date;
  idleEndsAt: Date;
  endsAt: Date;
}

/** Who vouched for a session: a connection to an identity provider, and the hash of its own name of the session, if it gave one. */
export interface Upstream {
  connectionId: string;
  sessionHash: string | null;
}

/** A session as it is written when the engine saves it. */
export interface SeenSession extends Session {
  /** Null: nothing new is said of it. */
  upstream: Upstream | null;
}

export type EndReason =
  | 'logout'
  | 'upstream-logout'
  | 'ended-by-user'
  | 'ended-by-admin'
  | 'deactivated'
  | 'password-changed'
  | 'second-factor-reset'
  | 'deleted'
  | 'expired'
  | 'recovered';

/** The person has logged out: what was granted to outlive that goes on (OpenID Connect Back-Channel Logout 1.0, section 2.7). */
export const isLogout = (reason: EndReason): boolean => reason === 'logout' || reason === 'upstream-logout';

/** C37: idle and absolute end of a session that began at `startedAt` and was used at `now`. */
export function sessionEnds(
  policy: CompanyPolicy['session'],
  startedAt: Date,
  now: Date,
): { idleEndsAt: Date; endsAt: Date } {
  const endsAt = new Date(startedAt.getTime() + minutes(policy.absoluteMinutes));
  const idle = now.getTime() + minutes(policy.idleMinutes);
  return { idleEndsAt: new Date(Math.min(idle, endsAt.getTime())), endsAt };
}

/**
 * C37 under the present policy: one that was made stricter meanwhile ends sessions whose stored end is later.
 * Whoever was last seen before `seenBefore`, or began before `begunBefore`, is out.
 */
export function sessionLimits(policy: CompanyPolicy['session'], now: Date): { seenBefore: Date; begunBefore: Date } {
  return {
    seenBefore: new Date(now.getTime() - minutes(policy.idleMinutes)),
    begunBefore: new Date(now.getTime() - minutes(policy.absoluteMinutes)),
  };
}

export function isOver(
  policy: CompanyPolicy['session'],
  session: { startedAt: Date; lastSeenAt: Date },
  now: Date,
): boolean {
  const { seenBefore, begunBefore } = sessionLimits(policy, now);
  return session.lastSeenAt <= seenBefore || session.startedAt <= begunBefore;
}

/**
 * Under which id the engine's record is stored.
 * Grant ids are references, not keys to anything, and tokens point to them; all other ids are bearer values.
 */
export function recordId(kind: string, id: string): string {
  return kind === 'Grant' ? id : tokenHash(id);
}

/** What a module is told when a session ends (OpenID Connect Back-Channel Logout 1.0). */
export interface LogoutNotice {
  clientId: string;
  accountId: string;
  sid: string;
  /** Where its outcome is written down. */
  receipt?: string;
}

/** The engine's Session payload, as far as we read it. */
export interface SessionPayload {
  accountId?: string;
  authorizations?: Record<string, { sid?: string; grantId?: string; persistsLogout?: boolean }>;
}

export function logoutNotices(payload: SessionPayload): LogoutNotice[] {
  const { accountId, authorizations = {} } = payload;
  if (!accountId) return [];
  return Object.entries(authorizations).flatMap(([clientId, { sid }]) => (sid ? [{ clientId, accountId, sid }] : []));
}

const browsers: [pattern: RegExp, name: string][] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\/|Opera/, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const systems: [pattern: RegExp, name: string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

/** "Chrome on Windows" for the list of sessions: a hint for people, nothing is decided by it. */
export function deviceName(agent: string): string {
  const browser = browsers.find(([pattern]) => pattern.test(agent))?.[1];
  const system = systems.find(([pattern]) => pattern.test(agent))?.[1];
  if (!browser && !system) return 'Unknown device';
  return [browser ?? 'Browser', system].filter(Boolean).join(' on ');
}
