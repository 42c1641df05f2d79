// What the wizard's pages show. No rules here: what would become of somebody says the rule that the import asks, too.
import type { CompanyId } from '../../lib/ids.ts';
import { inStretches, type Listed, type Paging } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import type { ImportableInstance } from '../modules/repository.ts';
import { authorise } from '../roles/authority.ts';
import { findMatches } from '../users/match-queries.ts';
import { type Candidate, type CandidateFilter, type Draft, decideImport, type ImportDecision } from './draft.ts';
import { ownDraft } from './draft-commands.ts';
import type { Counts } from './draft-repository.ts';

/** A5.1, A5.2: modules whose people can be imported, and what this administrator has begun. */
export async function listSources(
  work: Work,
  companyId: CompanyId,
): Promise<{ instances: ImportableInstance[]; open: (Draft & { chosen: number })[] }> {
  const ownerId = await authorise(work, companyId, 'users.manage');
  const { imports, instances } = work.store.of(companyId);
  const [found, open] = await Promise.all([
    instances.listImportable(),
    ownerId === null ? [] : imports.listOpen(ownerId, 5),
  ]);
  return { instances: found, open };
}

export interface Judged extends Candidate {
  decision: ImportDecision;
}

/** What an import would do with each of them now. */
export async function judge<P extends Candidate>(
  work: Work,
  companyId: CompanyId,
  people: P[],
): Promise<(P & { decision: ImportDecision })[]> {
  const matches = await findMatches(work, companyId, people);
  return people.map((person, at) => ({
    ...person,
    decision: decideImport(person, matches[at] ?? { username: null, byEmail: [] }, work.config.brandName),
  }));
}

/** One page of the module's people. */
export async function listCandidates(
  work: Work,
  companyId: CompanyId,
  id: string,
  filter: CandidateFilter,
  paging: Paging,
): Promise<Listed<Judged>> {
  await ownDraft(work, companyId, id);
  const list = await work.store.of(companyId).imports.listCandidates(id, filter, paging);
  return { ...list, rows: await judge(work, companyId, list.rows) };
}

export async function countCandidates(
  work: Work,
  companyId: CompanyId,
  id: string,
  filter: CandidateFilter,
): Promise<Counts & { total: number }> {
  await ownDraft(work, companyId, id);
  const counts = await work.store.of(companyId).imports.count(id, filter);
  return { ...counts, total: counts.import + counts.skip + counts.fail };
}

/** Writes down for all of them what an import would do, so that lists can be filtered by it. */
export async function settleStandings(work: Work, companyId: CompanyId, id: string, filter: CandidateFilter) {
  const { imports } = work.store.of(companyId);
  for await (const people of inStretches((after, limit) => imports.listAfter(id, after, limit, filter))) {
    const judged = await judge(work, companyId, people);
    await imports.saveStandings(
      id,
      judged.map(({ position, decision }) => ({ position, standing: decision.standing })),
    );
  }
}
