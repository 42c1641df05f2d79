// What Apply does, row by row: each row is decided once more from the facts of this moment, and queued only if it comes out as it was
// shown. A chunk is one transaction with its outcomes, so that nothing is queued twice.
import { newId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { recordAll } from '../audit/commands.ts';
import { findKeptBack } from '../integrations/ways-in-commands.ts';
import { authorise } from '../roles/authority.ts';
import { causeOf } from '../standing/commands.ts';
import type { Outcome, Task, TaskHandler, TaskRow } from '../tasks/task.ts';
import { heldUntil } from './desire.ts';
import { benchOf } from './drift-judging.ts';
import { listReceivers, type Receiver } from './facts-queries.ts';
import { type Plan, type PlanRow, planRow, settingsHashOf } from './plan.ts';
import { subjectsOf } from './plan-subjects.ts';
import type { Pair } from './reconcile.ts';
import { pairsOf, queueSteps } from './reconcile-commands.ts';

const skipped = (message: string): Outcome => ({ outcome: 'skipped', message });

const changed = 'It has changed since the plan was made, and is left as it is.';

async function run(work: Work, task: Task, rows: TaskRow[]): Promise<Outcome[]> {
  const { companyId } = task;
  await authorise(work, companyId, 'modules.manage');
  const { plans, deliveries } = work.store.of(companyId);
  const plan = await plans.findById(String(task.params.planId));
  const bench = plan && (await benchOf(work, plan));
  const [receiver] = plan ? await listReceivers(work, companyId, [plan.instanceId]) : [];
  if (!plan || !bench || !receiver) return rows.map(() => skipped('The module is not connected any more.'));
  if (settingsHashOf(bench.settings, bench.profile) !== plan.settingsHash)
    return rows.map(() => skipped('The settings of the module have changed since the plan was made.'));
  // Reconciliation and this take turns.
  await deliveries.hold();
  const planned = await plans.listByPositions(
    plan.id,
    rows.map(({ position }) => position),
  );
  const subjects = await subjectsOf(work, bench, plan, planned);
  const due = planned.filter((row, i) => {
    const subject = subjects[i];
    return subject !== undefined && planRow(bench, plan.scope, subject).inputHash === row.inputHash;
  });
  const people = due.filter(({ userId }) => userId !== null);
  const queued = await queuePeople(work, plan, receiver, people);
  const { strays, kept } = await straysOf(work, plan, due);
  await queueStrays(work, plan, receiver, strays);
  for (const { subject } of strays) queued.add(subject);
  const byPosition = new Map(planned.map((row) => [row.position, row]));
  return rows.map(({ position, userId }): Outcome => {
    const row = byPosition.get(position);
    if (row && queued.has(row.subject)) return { outcome: 'succeeded', userId };
    return skipped((row?.externalId && kept.get(row.externalId)) || changed);
  });
}

/** @returns subjects of those that are on their way */
async function queuePeople(work: Work, plan: Plan, receiver: Receiver, rows: PlanRow[]): Promise<Set<string>> {
  const byUser = new Map(rows.map((row) => [row.userId, row]));
  const userIds = rows.flatMap(({ userId }) => userId ?? []);
  const found = await pairsOf(work, plan.companyId, [receiver], userIds);
  const pairs = found.flatMap((pair) => {
    const row = byUser.get(pair.person.userId);
    return row ? asPlanned(pair, row) : [];
  });
  await queueSteps(work, plan.companyId, pairs, causeOf(work, 'planned'));
  return new Set(pairs.flatMap(({ person }) => byUser.get(person.userId)?.subject ?? []));
}

/** The time zone is what only a plan changes, so that comparing alone finds nothing to do about it, or less. */
function asPlanned(pair: Pair, { act, wanted, rule }: PlanRow): Pair[] {
  const { step, receiver } = pair;
  if (wanted.timeZone === undefined || act === 'create') return step?.act === act ? [pair] : [];
  if (act !== 'update' && act !== 'restore') return [];
  const isFitting = step ? step.act === act : act === 'update' && receiver.hasScim;
  return isFitting ? [{ ...pair, step: { act, wanted, because: step?.because ?? rule } }] : [];
}

/**
 * Who is exempt was read without holding the module, and somebody may have exempted one of them since then: the guard is asked, as
 * everywhere.
 */
async function straysOf(
  work: Work,
  { companyId, instanceId }: Plan,
  due: PlanRow[],
): Promise<{ strays: PlanRow[]; kept: ReadonlyMap<string, string> }> {
  const all = due.filter(({ userId, act }) => userId === null && act === 'suspend');
  const accountIds = all.flatMap(({ externalId }) => externalId ?? []);
  const kept = await findKeptBack(work, companyId, instanceId, accountIds);
  return { strays: all.filter(({ externalId }) => externalId === null || !kept.has(externalId)), kept };
}

/** Accounts of nobody: suspended and held like others, and never removed. */
async function queueStrays(work: Work, { companyId }: Plan, receiver: Receiver, rows: PlanRow[]): Promise<void> {
  if (rows.length === 0) return;
  const { deliveries, accounts } = work.store.of(companyId);
  const cause = causeOf(work, 'planned');
  const strays = rows.flatMap((row) => (row.externalId === null ? [] : [{ ...row, externalId: row.externalId }]));
  await deliveries.insert(
    strays.map(({ externalId, account, wanted }) => ({
      id: newId(),
      instanceId: receiver.id,
      instanceName: receiver.name,
      userId: null,
      person: account,
      externalId,
      channel: 'scim' as const,
      act: 'suspend' as const,
      reason: cause,
      batchId: null,
      wanted,
      state: 'queued' as const,
    })),
    work.now,
  );
  await accounts.suspend(
    strays.map(({ externalId, rule }) => ({
      instanceId: receiver.id,
      externalId,
      heldUntil: heldUntil(receiver.settings, work.now),
      reason: rule,
    })),
    work.now,
  );
  await recordAll(
    work,
    strays.map(({ externalId, account, rule }) => ({
      action: 'module.deprovision' as const,
      companyId,
      target: { kind: 'module' as const, id: receiver.id },
      details: {
        module: receiver.name,
        instanceId: receiver.id,
        act: 'suspend',
        account,
        accountId: externalId,
        because: rule,
        cause,
      },
    })),
  );
  await work.store.announce('deliveries');
}

/** Nobody signs in through what is held here but for a moment. */
export const planHandler: TaskHandler = { chunk: 100, run };
