// Requiring the login: the pre-flight, the trial, its confirmation and its end. Nobody is locked out by a mistake: a trial that no
// second sign-in confirms reverts by itself, and while it is in force the module knows when it ends (docs/module-protocol.md).
import { notFound, standsInTheWay } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { after, minutes } from '../../lib/time.ts';
import { confirms, trialBegins, trialMinutes } from '../../lib/trial.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authoriseInstance } from '../roles/authority.ts';
import { causeOf, settingsChanged } from '../standing/commands.ts';
import { tellAdministrators } from '../users/administrators.ts';
import { listDueTrials } from './repository.ts';
import { judgePreflight, needsReading, type Preflight, standingOf } from './requirement.ts';
import { type Connected, enteredAt, getConnected, preflightFacts, requestReading } from './requirement-queries.ts';

/** What requiring the login would mean, without doing it. Asks for a reading of the accounts where the last one is too old. */
export async function preflight(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<Preflight> {
  await authoriseInstance(work, companyId, instanceId);
  const connected = await getConnected(work, companyId, instanceId);
  return (await examine(work, companyId, connected)).preflight;
}

async function examine(
  work: Work,
  companyId: CompanyId,
  connected: Connected,
): Promise<{ preflight: Preflight; seen: Date | null; acting: UserId | null }> {
  const facts = await preflightFacts(work, companyId, connected);
  if (needsReading(facts, work.now)) await requestReading(work, companyId, connected.instanceId);
  return { preflight: judgePreflight(facts, work.now), seen: facts.signedInAt, acting: facts.acting };
}

export type RequireOutcome =
  | { outcome: 'trial'; trialEndsAt: Date }
  | { outcome: 'preflight'; preflight: Preflight }
  /** Somebody else has changed the settings meanwhile. */
  | { outcome: 'stale' }
  | { outcome: 'unchanged' };

/** From the page of the pre-flight: requires the login and leaves all else as it is. @throws AppError 409 without Enable */
export async function requireLogin(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  { version }: { version: number },
): Promise<RequireOutcome> {
  await authoriseInstance(work, companyId, instanceId);
  return transaction(work, async (work) => {
    const current = await work.store.of(companyId).integrations.hold(instanceId);
    if (!current) throw notFound('module');
    if (current.version !== version) return { outcome: 'stale' };
    const standing = standingOf(current, work.now);
    if (standing === 'on' || standing === 'trial') return { outcome: 'unchanged' };
    const connected = await getConnected(work, companyId, instanceId);
    if (!connected.profile.capabilities.includes('require'))
      throw standsInTheWay('conflict', `${connected.module} cannot require the login.`);
    if (!current.enabled)
      throw standsInTheWay('conflict', `Turn on Enable Log In with ${work.config.brandName} first.`);
    return beginTrial(work, companyId, connected);
  });
}

/** Inside a transaction that holds the instance. What the pre-flight said on a page counts for nothing: it is made anew. */
export async function beginTrial(
  work: Work,
  companyId: CompanyId,
  connected: Connected,
): Promise<{ outcome: 'trial'; trialEndsAt: Date } | { outcome: 'preflight'; preflight: Preflight }> {
  const { preflight, seen, acting } = await examine(work, companyId, connected);
  if (!preflight.ready) return { outcome: 'preflight', preflight };
  const trialEndsAt = after(work.now, minutes(trialMinutes));
  const trial = { state: 'trial', trialBeganAt: trialBegins(work.now, seen), trialEndsAt, trialBy: acting } as const;
  await work.store.of(companyId).integrations.setRequire(connected.instanceId, trial);
  await changed(work, companyId, connected, { change: 'trial', until: trialEndsAt.toISOString() });
  await work.jobs.enqueue(
    work,
    revertTrials,
    { companyId, instanceId: connected.instanceId },
    { startAfter: trialEndsAt },
  );
  return { outcome: 'trial', trialEndsAt };
}

/** Turning it off needs nothing, at any time. Exceptions stay for the next time (D.10, 14). */
export async function stopRequiring(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<void> {
  await authoriseInstance(work, companyId, instanceId);
  await transaction(work, async (work) => {
    const current = await work.store.of(companyId).integrations.hold(instanceId);
    if (!current) throw notFound('module');
    if (current.require.state !== 'off')
      await endRequirement(work, companyId, await getConnected(work, companyId, instanceId));
  });
}

const off = { state: 'off', trialBeganAt: null, trialEndsAt: null, trialBy: null } as const;

/** Inside a transaction that holds the instance. */
export async function endRequirement(work: Work, companyId: CompanyId, connected: Connected): Promise<void> {
  await work.store.of(companyId).integrations.setRequire(connected.instanceId, off);
  await changed(work, companyId, connected, { change: 'ended' });
}

async function changed(
  work: Work,
  companyId: CompanyId,
  { instanceId, instance, moduleId }: Connected,
  details: Record<string, unknown>,
): Promise<void> {
  await work.store.of(companyId).integrations.bump(instanceId);
  await record(work, {
    action: 'module.require',
    companyId,
    target: { kind: 'module', id: instanceId },
    details: { name: instance, moduleId, ...details },
  });
  await settingsChanged(work, { companyId, instanceId, cause: causeOf(work, 'the required login was changed') });
}

/**
 * An administrator of the module has come in: during a trial, and through us later than its beginning, that keeps the requirement.
 * What the module says about who came in when is checked by what our own token endpoint knows.
 * Inside a transaction that holds the instance.
 */
export async function confirmTrial(
  work: Work,
  companyId: CompanyId,
  connected: Connected,
  userId: UserId,
): Promise<boolean> {
  const { integrations } = work.store.of(companyId);
  const trial = await integrations.findTrial(connected.instanceId);
  if (!trial || work.now >= trial.ends) return false;
  const at = await enteredAt(work, connected, userId);
  if (at === null || !confirms(at, trial.began)) return false;
  await integrations.setRequire(connected.instanceId, { ...off, state: 'on' });
  const user = await work.store.of(companyId).users.findById(userId);
  const by: Work = { ...work, actor: { kind: 'user', id: userId, name: user?.username ?? '' } };
  await changed(by, companyId, connected, { change: 'confirmed' });
  return true;
}

export const revertTrials = 'revert-trial';

/** The job's part, at the second at which the trial ends; the module has let everybody in since then anyway. */
export async function revertTrial(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<void> {
  await transaction(work, async (work) => {
    const current = await work.store.of(companyId).integrations.hold(instanceId);
    const { state, trialEndsAt } = current?.require ?? {};
    if (state !== 'trial' || !trialEndsAt || trialEndsAt > work.now) return;
    const connected = await getConnected(work, companyId, instanceId);
    await work.store.of(companyId).integrations.setRequire(instanceId, off);
    await changed(work, companyId, connected, { change: 'reverted' });
    await tellAdministrators(work, companyId, 'requirementReverted', {
      module: connected.instance,
      at: trialEndsAt.toISOString(),
      href: `/admin/modules/${instanceId}/settings`,
    });
  });
}

/** For what a job has missed: all that are over, at every turn of the housekeeping. */
export async function revertOverdueTrials(work: Work): Promise<void> {
  for (const { companyId, instanceId } of await listDueTrials(work.store.db, work.now))
    await revertTrial(work, companyId, instanceId);
}
