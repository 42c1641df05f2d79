// Enforce Log In with SSO (C26): the pre-flight, the trial, its confirmation and its end. Nobody is locked out by a mistake: a trial
// that no administrator confirms by signing in through the connection reverts by itself.
import { notFound, standsInTheWay } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { after, minutes } from '../../lib/time.ts';
import { confirms, trialBegins, trialMinutes } from '../../lib/trial.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { can, roles } from '../roles/role.ts';
import { tellAdministrators } from '../users/administrators.ts';
import type { ConnectionId } from './connection.ts';
import { listDueTrials, type StoredConnection } from './connection-repository.ts';
import { type EnforcePreflight, judgeEnforce, standingOf } from './enforce.ts';
import { enforceFacts, lastAdministratorThrough } from './enforce-queries.ts';

/** What enforcing would mean, without doing it. */
export async function preflightEnforce(
  work: Work,
  companyId: CompanyId,
  connectionId: ConnectionId,
): Promise<EnforcePreflight> {
  const acting = await authorise(work, companyId, 'security.manage');
  const connection = await work.store.of(companyId).connections.find(connectionId);
  if (!connection) throw notFound('connection');
  return judgeEnforce(await enforceFacts(work, connection, acting), work.now);
}

export type EnforceOutcome =
  | { outcome: 'trial'; trialEndsAt: Date }
  | { outcome: 'preflight'; preflight: EnforcePreflight }
  /** Somebody else has changed the connection meanwhile. */
  | { outcome: 'stale' }
  | { outcome: 'unchanged' };

/** Begins the trial. What the pre-flight said on a page counts for nothing: it is made anew. @throws AppError 404, 409 unless enabled */
export async function enforceSso(
  work: Work,
  companyId: CompanyId,
  connectionId: ConnectionId,
  { version }: { version: number },
): Promise<EnforceOutcome> {
  const acting = await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const connection = await work.store.of(companyId).connections.hold(connectionId);
    if (!connection) throw notFound('connection');
    if (connection.version !== version) return { outcome: 'stale' };
    const standing = standingOf(connection, work.now);
    if (standing === 'on' || standing === 'trial') return { outcome: 'unchanged' };
    if (!connection.enabled) throw standsInTheWay('conflict', `Enable ${connection.name} first.`);
    // Of two that would each take away the last way in, one waits here for the other (break-glass-commands.ts).
    await work.store.of(companyId).breakGlass.holdList();
    const facts = await enforceFacts(work, connection, acting);
    const preflight = judgeEnforce(facts, work.now);
    if (!preflight.ready) return { outcome: 'preflight', preflight };
    const trialEndsAt = after(work.now, minutes(trialMinutes));
    const trialBeganAt = trialBegins(work.now, facts.signedInAt);
    await work.store
      .of(companyId)
      .connections.setEnforce(connectionId, { state: 'trial', trialBeganAt, trialEndsAt, trialBy: acting });
    const { count } = preflight.losesPassword;
    await changed(work, connection, { change: 'trial', until: trialEndsAt.toISOString(), people: count });
    await work.jobs.enqueue(work, revertEnforceTrials, { companyId, connectionId }, { startAfter: trialEndsAt });
    return { outcome: 'trial', trialEndsAt };
  });
}

/** Turning it off needs nothing, at any time. Break-glass people stay on their list for the next time. */
export async function stopEnforcing(work: Work, companyId: CompanyId, connectionId: ConnectionId): Promise<void> {
  await authorise(work, companyId, 'security.manage');
  await transaction(work, async (work) => {
    const connection = await work.store.of(companyId).connections.hold(connectionId);
    if (!connection) throw notFound('connection');
    await endEnforcement(work, connection, 'ended');
  });
}

/** In a transaction that holds the connection; also when it is disabled. */
export async function endEnforcement(work: Work, connection: StoredConnection, change: string): Promise<void> {
  if (connection.enforce.state === 'off') return;
  await work.store.of(connection.companyId).connections.setEnforce(connection.id, off);
  await changed(work, connection, { change });
}

const off = { state: 'off', trialBeganAt: null, trialEndsAt: null, trialBy: null } as const;

const changed = (work: Work, { companyId, id, name }: StoredConnection, details: Record<string, unknown>) =>
  record(work, {
    action: 'sso.config',
    companyId,
    target: { kind: 'connection', id },
    details: { name, of: 'enforce', ...details },
  });

const managing = roles.filter((role) => can(role, 'security.manage'));

/**
 * Somebody has been let in through the connection: that counts for a pre-flight. As an administrator, during the trial and later than
 * its beginning, it keeps what is on trial. Costs one short statement more than a look where there is no trial.
 */
export async function cameInThrough(
  work: Work,
  { companyId, id }: Pick<StoredConnection, 'companyId' | 'id'>,
  userId: UserId,
): Promise<void> {
  await transaction(work, async (work) => {
    const { connections, identities, users } = work.store.of(companyId);
    await identities.noteSignIn(id, userId, work.now);
    const looked = await connections.find(id);
    if (looked?.enforce.state !== 'trial') return;
    const user = await users.findById(userId);
    if (user?.baseStatus !== 'Active' || !can(user.role, 'security.manage')) return;
    const connection = await connections.hold(id);
    if (connection) await keepIfConfirmed(work, connection, { userId, username: user.username, at: work.now });
  });
}

async function keepIfConfirmed(
  work: Work,
  connection: StoredConnection,
  came: { userId: UserId; username: string; at: Date },
): Promise<boolean> {
  const { state, trialBeganAt, trialEndsAt } = connection.enforce;
  if (state !== 'trial' || !trialBeganAt || !trialEndsAt || came.at >= trialEndsAt) return false;
  if (!confirms(came.at, trialBeganAt)) return false;
  await work.store.of(connection.companyId).connections.setEnforce(connection.id, { ...off, state: 'on' });
  const by: Work = { ...work, actor: { kind: 'user', id: came.userId, name: came.username } };
  await changed(by, connection, { change: 'confirmed' });
  return true;
}

export const revertEnforceTrials = 'revert-enforce-trial';

/**
 * The job's part, at the second at which the trial ends; passwords count again since then anyway.
 * A sign-in that was made in time, but whose word did not arrive, keeps it here.
 */
export async function revertEnforceTrial(work: Work, companyId: CompanyId, connectionId: ConnectionId): Promise<void> {
  await transaction(work, async (work) => {
    const connection = await work.store.of(companyId).connections.hold(connectionId);
    const { state, trialEndsAt } = connection?.enforce ?? {};
    if (!connection || state !== 'trial' || !trialEndsAt || trialEndsAt > work.now) return;
    const came = await lastAdministratorThrough(work, connection, managing);
    if (came && (await keepIfConfirmed(work, connection, came))) return;
    await endEnforcement(work, connection, 'reverted');
    await tellAdministrators(work, companyId, 'ssoReverted', {
      connection: connection.name,
      at: trialEndsAt.toISOString(),
      href: `/admin/sso/${connectionId}`,
    });
  });
}

/** What a lost job would have done; at every turn of the housekeeping. */
export async function revertOverdueEnforceTrials(work: Work): Promise<void> {
  for (const { companyId, connectionId } of await listDueTrials(work.store.db, work.now))
    await revertEnforceTrial(work, companyId, connectionId);
}
