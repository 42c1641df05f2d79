// Reads the people of a module into a draft (A5.3), page by page: a page and the place behind it are one commit, so that a reader that
// is killed is followed by one that goes on where it was.
import { z } from 'zod';
import { allCandidates, type Draft, draftLife, mostPeople, silence } from '../domain/imports/draft.ts';
import { readingJob } from '../domain/imports/draft-commands.ts';
import { settleStandings } from '../domain/imports/draft-queries.ts';
import { purgeDrafts, takeSilentDrafts } from '../domain/imports/draft-repository.ts';
import { scimTokenPurpose } from '../domain/modules/module.ts';
import type { CompanyId } from '../lib/ids.ts';
import type { Outgoing } from '../lib/outgoing.ts';
import { after, minutes, seconds } from '../lib/time.ts';
import { transaction, type Work } from '../work.ts';
import type { JobDefinition } from './queue.ts';
import { patiently, readScimPage, ScimError, type ScimLimits, type ScimPage, scimLimits } from './scim.ts';

const payload = z.object({ draftId: z.string(), companyId: z.string() });

export interface ReadingLimits extends ScimLimits {
  /** For the whole list. */
  totalMs: number;
  people: number;
  /** Waits between tries of one page. */
  pauses: number[];
}

export const readingLimits: ReadingLimits = {
  ...scimLimits,
  totalMs: minutes(10),
  people: mostPeople,
  pauses: [seconds(1), seconds(4)],
};

/** A job runs so long, then lets others have a turn and comes back. */
const turn = seconds(20);

export function readModulePeopleJob(
  get: Outgoing,
  limits: ReadingLimits = readingLimits,
): JobDefinition<z.infer<typeof payload>> {
  return {
    name: readingJob,
    payload,
    retryLimit: 3,
    retryDelay: 2,
    concurrency: 4,
    async handle(work, { draftId, companyId: company }) {
      // The queue's payload is what the wizard's commands wrote.
      const companyId = company as CompanyId;
      const begun = Date.now();
      const present = (): Work => ({ ...work, now: after(work.now, Date.now() - begun) });
      while (Date.now() - begun < turn) {
        if (!(await readOn(present(), companyId, draftId, get, limits))) return;
      }
      await work.jobs.enqueue(work, readingJob, { draftId, companyId });
    },
  };
}

/** @returns false when there is nothing more to read. */
async function readOn(
  work: Work,
  companyId: CompanyId,
  draftId: string,
  get: Outgoing,
  limits: ReadingLimits,
): Promise<boolean> {
  const { imports, instances } = work.store.of(companyId);
  const draft = await imports.findById(draftId);
  if (draft?.state !== 'reading') return false;
  try {
    const service = await instances.findScim(draft.instanceId);
    if (!service) throw new ScimError('It is not connected any more.');
    if (work.now.getTime() - draft.readSince.getTime() > limits.totalMs)
      throw new ScimError('Reading its list took too long.');
    const token = work.keyring.open(scimTokenPurpose, service.sealedToken);
    const page = await patiently(limits, () => readScimPage(get, { url: service.url, token }, draft.nextIndex, limits));
    return await keep(work, draft, page, limits);
  } catch (error) {
    if (!(error instanceof ScimError)) throw error;
    work.log.info(
      { instance: draft.instanceId, reason: error.message, err: error.cause },
      'people of a module not read',
    );
    await imports.update(draftId, { state: 'failed', problem: error.message }, work.now);
    return false;
  }
}

const number = new Intl.NumberFormat('en');

/** @returns whether there is more to read. */
async function keep(work: Work, draft: Draft, page: ScimPage, limits: ReadingLimits): Promise<boolean> {
  return transaction(work, async (work) => {
    const { imports } = work.store.of(draft.companyId);
    const nextIndex = draft.nextIndex + page.held;
    const moved = await imports.advance(draft.id, draft.nextIndex, { nextIndex, announced: page.total }, work.now);
    if (!moved) return false;
    const people = page.people.slice(0, Math.max(0, limits.people - draft.read));
    const fresh = people.length === 0 ? 0 : await imports.addCandidates(draft.id, draft.nextIndex - 1, people);
    const isOver = page.held === 0 || nextIndex > (page.total ?? Number.POSITIVE_INFINITY);
    // The same people again and again, or no end: what has been read is kept and told for what it is.
    const isStuck = fresh === 0;
    const isFull = draft.read + fresh >= limits.people;
    if (!isOver && !isStuck && !isFull) return true;
    await imports.markShared(draft.id);
    await settleStandings(work, draft.companyId, draft.id, allCandidates);
    const problem = noteOf(draft.read + fresh, page.total, isFull && (!isOver || people.length < page.people.length));
    await imports.update(draft.id, { state: 'ready', problem }, work.now);
    return false;
  });
}

function noteOf(read: number, announced: number | null, isFull: boolean): string | null {
  if (isFull) return `It has more than ${number.format(read)} people. These are the first ones.`;
  return announced !== null && announced > read
    ? `It announced ${number.format(announced)} people, and sent ${number.format(read)}.`
    : null;
}

/** By the clock: readings whose reader was killed are handed on, and old drafts go. */
export async function keepDrafts(work: Work): Promise<void> {
  await transaction(work, async (work) => {
    for (const { id, companyId } of await takeSilentDrafts(work.store.db, work.now, after(work.now, -silence)))
      await work.jobs.enqueue(work, readingJob, { draftId: id, companyId });
  });
  await purgeDrafts(work.store.db, after(work.now, -draftLife), 20);
}
