// Reads the accounts of a module (A8.7), page by page, and then judges them, chunk by chunk: each page and each chunk is one commit with
// the place behind it, so that a reader that is killed is followed by one that goes on where it was.
import { z } from 'zod';
import { scimTokenPurpose } from '../domain/modules/module.ts';
import {
  isUnderWay,
  mostAccounts,
  type Reading,
  type ReadingCause,
  readAccountsJob,
  silence,
  withAdministrator,
} from '../domain/provisioning/drift.ts';
import { openReading } from '../domain/provisioning/drift-commands.ts';
import { judgeNext } from '../domain/provisioning/drift-judging.ts';
import { listDue, purgeReadings, takeSilentReadings } from '../domain/provisioning/drift-repository.ts';
import { listReceivers } from '../domain/provisioning/facts-queries.ts';
import type { CompanyId, InstanceId } from '../lib/ids.ts';
import type { Outgoing } from '../lib/outgoing.ts';
import { after, days, minutes, seconds } from '../lib/time.ts';
import { transaction, type Work } from '../work.ts';
import type { JobDefinition } from './queue.ts';
import {
  patiently,
  readScimPage,
  readScimUser,
  ScimError,
  type ScimLimits,
  type ScimPage,
  type ScimService,
  scimLimits,
} from './scim.ts';

const payload = z.object({
  companyId: z.string(),
  instanceId: z.string(),
  trigger: z.enum(['page', 'clock', 'require']),
  /** One that has begun: nothing is begun anew when it is over. */
  readId: z.string().optional(),
});

export interface AccountLimits extends ScimLimits {
  /** For the whole list. */
  totalMs: number;
  accounts: number;
  /** Waits between tries of one page. */
  pauses: number[];
  /** Accounts that are missing from the list are asked for one by one, so many in one reading. */
  asked: number;
}

export const accountLimits: AccountLimits = {
  ...scimLimits,
  totalMs: minutes(15),
  accounts: mostAccounts,
  pauses: [seconds(1), seconds(4)],
  asked: 200,
};

/** A job runs so long, then lets others have a turn and comes back. */
const turn = seconds(20);

export function readAccountsJobOf(
  get: Outgoing,
  limits: AccountLimits = accountLimits,
): JobDefinition<z.infer<typeof payload>> {
  return {
    name: readAccountsJob,
    payload,
    retryLimit: 5,
    retryDelay: 2,
    concurrency: 2,
    async handle(work, { companyId: company, instanceId: instance, trigger, readId }) {
      // What requestReading and the clock wrote.
      const [companyId, instanceId] = [company as CompanyId, instance as InstanceId];
      const begun = Date.now();
      const present = (): Work => ({ ...work, now: after(work.now, Date.now() - begun) });
      let reading = await find(work, companyId, instanceId, trigger, readId);
      while (reading && isUnderWay(reading)) {
        if (Date.now() - begun > turn) {
          await work.jobs.enqueue(work, readAccountsJob, { companyId, instanceId, trigger, readId: reading.id });
          return;
        }
        // Somebody else is at it, and a page ahead: one reader is enough.
        if (!(await step(present(), reading, get, limits))) return;
        reading = await work.store.of(companyId).drift.findById(reading.id);
      }
    },
  };
}

async function find(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  cause: ReadingCause,
  readId: string | undefined,
): Promise<Reading | null> {
  const { drift, instances } = work.store.of(companyId);
  if (readId !== undefined) return drift.findById(readId);
  if (!(await instances.findScim(instanceId))) return null;
  return transaction(work, (work) => openReading(work, work.store.of(companyId).drift, instanceId, cause));
}

/** @returns false when another reader was faster */
async function step(work: Work, reading: Reading, get: Outgoing, limits: AccountLimits): Promise<boolean> {
  const { drift } = work.store.of(reading.companyId);
  try {
    if (reading.state === 'judging') {
      if (reading.isWhole && reading.judgedAccount === null) await lookForUnseen(work, reading, get, limits);
      return await judgeNext(work, reading);
    }
    const service = await serviceOf(work, reading);
    if (work.now.getTime() - reading.askedAt.getTime() > limits.totalMs)
      throw new ScimError('Reading its list took too long.');
    const askedAt = work.now;
    const page = await patiently(limits, () => readScimPage(get, service, reading.nextIndex, limits));
    return await keep(work, reading, page, askedAt, limits);
  } catch (error) {
    if (!(error instanceof ScimError)) throw error;
    work.log.info(
      { instance: reading.instanceId, reason: error.message, err: error.cause },
      'accounts of a module not read',
    );
    return drift.advance(reading, { state: 'failed', problem: error.message, finishedAt: work.now }, work.now);
  }
}

async function serviceOf(work: Work, { companyId, instanceId }: Reading): Promise<ScimService> {
  const service = await work.store.of(companyId).instances.findScim(instanceId);
  if (!service) throw new ScimError('It is not connected any more.');
  return { url: service.url, token: work.keyring.open(scimTokenPurpose, service.sealedToken) };
}

const number = new Intl.NumberFormat('en');

async function keep(
  work: Work,
  reading: Reading,
  page: ScimPage,
  askedAt: Date,
  limits: AccountLimits,
): Promise<boolean> {
  return transaction(work, async (work) => {
    const { drift, seen } = work.store.of(reading.companyId);
    const announced = reading.announced ?? page.total;
    const [receiver] = await listReceivers(work, reading.companyId, [reading.instanceId]);
    const accounts = page.people
      .slice(0, Math.max(0, limits.accounts - reading.read))
      .map((account) => (receiver ? withAdministrator(account, receiver.profile) : account));
    const nextIndex = reading.nextIndex + page.held;
    // The place first: of two readers one waits here, and then finds that the page is kept already.
    if (!(await drift.advance(reading, { nextIndex, announced }, work.now))) return false;
    const moved = { ...reading, nextIndex, announced };
    const fresh = await seen.keepPage(reading, accounts, askedAt);
    const read = reading.read + fresh;
    await seen.linkKnown(reading.instanceId, accounts, work.now);
    const isOver = page.held === 0 || nextIndex > (page.total ?? Number.POSITIVE_INFINITY);
    // The same accounts again and again, or no end: what has been read is judged, and told for what it is.
    const isStuck = fresh === 0;
    const isFull = read >= limits.accounts && !isOver;
    const isAtEnd = isOver || isStuck || isFull;
    // Accounts that came or went on the way move the others from page to page, past the reader.
    const isWhole = isOver && !isFull && announced === page.total && (announced === null || announced === read);
    const to: Partial<Reading> = isAtEnd
      ? { read, state: 'judging', isWhole, problem: noteOf(read, announced, isFull, isWhole) }
      : { read };
    return drift.advance(moved, to, work.now);
  });
}

function noteOf(read: number, announced: number | null, isFull: boolean, isWhole: boolean): string | null {
  if (isWhole) return null;
  if (isFull) return `It has more than ${number.format(read)} accounts. These are the first ones.`;
  return announced !== null && announced > read
    ? `It announced ${number.format(announced)} accounts, and sent ${number.format(read)}. The others are taken to be as they were.`
    : 'Its list changed while it was read. Accounts that were not seen are taken to be as they were.';
}

/**
 * Accounts that a whole list does not hold any more. Those that belong to somebody are asked for one by one before their link is
 * forgotten; a module that cannot be asked so is noticed by an account that is there.
 */
async function lookForUnseen(work: Work, reading: Reading, get: Outgoing, limits: AccountLimits): Promise<void> {
  const { seen } = work.store.of(reading.companyId);
  const unseen = await seen.listUnseen(reading, limits.asked);
  const [probe] = await seen.listIds(reading.instanceId, { after: null, limit: 1, readId: reading.id });
  try {
    const service = await serviceOf(work, reading);
    const ask = (id: string) => patiently(limits, () => readScimUser(get, service, id, limits));
    const mayAsk = unseen.length > 0 && probe !== undefined && (await ask(probe)) !== null;
    for (const id of mayAsk ? unseen : []) {
      const account = await ask(id);
      if (account) await seen.keepPage(reading, [account], work.now);
      else await seen.forget(reading, [id]);
    }
  } catch (error) {
    // The next reading asks again; until then they stay as they were.
    if (!(error instanceof ScimError)) throw error;
    work.log.info({ instance: reading.instanceId, reason: error.message }, 'accounts that are gone not looked for');
  }
  await seen.forget(reading, null);
}

/** Each instance is read once a day; those that are due are begun a few at a time, by the minute. */
const daily = days(1);
const begunAtOnce = 5;

/** By the clock: readings whose reader was killed are handed on, others begin, and old reports go. */
export async function keepReadings(work: Work): Promise<void> {
  await transaction(work, async (work) => {
    for (const { id, companyId, instanceId, cause } of await takeSilentReadings(
      work.store.db,
      work.now,
      after(work.now, -silence),
    ))
      await work.jobs.enqueue(work, readAccountsJob, { companyId, instanceId, trigger: cause, readId: id });
  });
  for (const { companyId, instanceId } of await listDue(work.store.db, after(work.now, -daily), begunAtOnce))
    await transaction(work, (work) => openReading(work, work.store.of(companyId).drift, instanceId, 'clock'));
  await purgeReadings(work.store.db, after(work.now, -days(90)), { kept: 10, limit: 20 });
}
