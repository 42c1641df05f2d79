// The wizard's steps: begin, choose people, say what they get, import (A5.2 to A5.5). Authorisation is the first line of each.
import { conflict, forbidden, invalid, notFound } from '../../lib/errors.ts';
import { type CompanyId, type GroupId, type InstanceId, newId } from '../../lib/ids.ts';
import { inStretches } from '../../lib/paging.ts';
import { transaction, type Work } from '../../work.ts';
import { effectiveMembership, type Group } from '../groups/group.ts';
import { authorise } from '../roles/authority.ts';
import { startTask } from '../tasks/commands.ts';
import type { NewRow } from '../tasks/task.ts';
import { roleSchema } from '../users/user.ts';
import { allCandidates, type Candidate, type CandidateFilter, type ChoosableRole, type Draft } from './draft.ts';

export const readingJob = 'read-module-people';

/** Who may go on with a draft: the administrator who began it. @throws AppError 404 for those of others */
export async function ownDraft(work: Work, companyId: CompanyId, id: string): Promise<Draft> {
  const actorId = await authorise(work, companyId, 'users.manage');
  const draft = await work.store.of(companyId).imports.findById(id);
  if (!draft || draft.ownerId !== actorId) throw notFound('import');
  return draft;
}

async function openDraft(work: Work, companyId: CompanyId, id: string): Promise<Draft> {
  const draft = await ownDraft(work, companyId, id);
  if (draft.state !== 'ready') throw conflict('This import has begun already, or its list is still being read.');
  return draft;
}

/** A5.2: the list of the module's people is read from now on, in the background. */
export async function startDraft(work: Work, companyId: CompanyId, instanceId: string): Promise<{ id: string }> {
  const ownerId = await authorise(work, companyId, 'users.manage');
  if (ownerId === null) throw forbidden('Imports from modules are made by an administrator.');
  return transaction(work, async (work) => {
    const { imports, instances } = work.store.of(companyId);
    const instance = (await instances.listImportable()).find(({ id }) => id === instanceId);
    if (!instance) throw invalid('Choose a module.', { instance: 'Choose a module.' });
    const id = newId();
    await imports.insert({ id, ownerId, instanceId: instance.id }, work.now);
    await work.jobs.enqueue(work, readingJob, { draftId: id, companyId });
    return { id };
  });
}

/** After a failure: from the first page, since the module's list may have changed. */
export async function readAgain(work: Work, companyId: CompanyId, id: string): Promise<void> {
  await ownDraft(work, companyId, id);
  await transaction(work, async (work) => {
    const { imports } = work.store.of(companyId);
    const draft = await imports.lockById(id);
    if (draft?.state !== 'failed') return;
    await imports.restart(id, work.now);
    await work.jobs.enqueue(work, readingJob, { draftId: id, companyId });
  });
}

/** A5.3: of the people on the page, these and no others. */
export async function chooseShown(
  work: Work,
  companyId: CompanyId,
  id: string,
  { shown, chosen }: { shown: number[]; chosen: number[] },
): Promise<void> {
  await openDraft(work, companyId, id);
  await work.store.of(companyId).imports.choose(id, shown, chosen);
}

export async function chooseMatching(
  work: Work,
  companyId: CompanyId,
  id: string,
  filter: CandidateFilter,
  isChosen: boolean,
): Promise<void> {
  await openDraft(work, companyId, id);
  await work.store.of(companyId).imports.chooseMatching(id, filter, isChosen);
}

export const nobodyChosen = 'Choose at least one person to import.';
const noRole = 'Choose a role.';
const noGroup = 'Choose at least one access group.';

/** Groups of the company by their ids, by the rule of C19; unknown ids are nobody's groups and left out. */
async function groupsOf(work: Work, companyId: CompanyId, ids: string[]): Promise<Group[]> {
  const all = await work.store.of(companyId).groups.list();
  return effectiveMembership(all.filter(({ id }) => ids.includes(id))).groups;
}

function parseRole(role: string): ChoosableRole | null {
  const parsed = roleSchema.safeParse(role);
  return parsed.success ? parsed.data : null;
}

/** A5.4, "Assign to All": both are mandatory; what is there is kept even when something is missing. */
export async function assignToAll(
  work: Work,
  companyId: CompanyId,
  id: string,
  input: { role: string; groupIds: string[] },
): Promise<void> {
  await openDraft(work, companyId, id);
  const role = parseRole(input.role);
  const groups = await groupsOf(work, companyId, input.groupIds);
  const groupIds = groups.map((group) => group.id);
  await work.store.of(companyId).imports.update(id, { role, groupIds }, work.now);
  const fields = {
    ...(role === null ? { role: noRole } : {}),
    ...(groupIds.length === 0 ? { groups: noGroup } : {}),
  };
  if (Object.keys(fields).length > 0) throw invalid(Object.values(fields).join(' '), fields);
}

export interface IndividualAssignment {
  /** Of chosen people; null: all chosen ones that match. */
  positions: number[] | null;
  filter: CandidateFilter;
  /** Empty: stays as it is. */
  role: string;
  groupIds: string[];
}

function refuseNobody(positions: number[] | null): void {
  if (positions?.length === 0) throw invalid('Select the people first.', { id: 'Select the people first.' });
}

/** A5.4, "Assign Individual Users". */
export async function assignIndividually(
  work: Work,
  companyId: CompanyId,
  id: string,
  { positions, filter, role, groupIds }: IndividualAssignment,
): Promise<void> {
  await openDraft(work, companyId, id);
  refuseNobody(positions);
  const wantedRole = role === '' ? undefined : parseRole(role);
  if (wantedRole === null) throw invalid(noRole, { role: noRole });
  const groups = await groupsOf(work, companyId, groupIds);
  if (wantedRole === undefined && groups.length === 0)
    throw invalid('Choose a role or groups for them.', { role: 'Choose a role or groups for them.' });
  await work.store.of(companyId).imports.assign(
    id,
    { positions, filter },
    {
      ...(wantedRole === undefined ? {} : { role: wantedRole }),
      ...(groups.length === 0 ? {} : { groupIds: groups.map((group) => group.id) }),
    },
  );
}

/** Back to what all get. */
export async function unassign(
  work: Work,
  companyId: CompanyId,
  id: string,
  who: { positions: number[] | null; filter: CandidateFilter },
): Promise<void> {
  await openDraft(work, companyId, id);
  refuseNobody(who.positions);
  await work.store.of(companyId).imports.assign(id, who, { role: null, groupIds: null });
}

const number = new Intl.NumberFormat('en');

/** A5.5: from here on it is a task. Pressed twice, it is the same task. */
export async function startImport(work: Work, companyId: CompanyId, id: string): Promise<{ taskId: string }> {
  await ownDraft(work, companyId, id);
  return transaction(work, async (work) => {
    const { imports, groups } = work.store.of(companyId);
    const draft = await imports.lockById(id);
    if (draft?.state === 'started' && draft.taskId !== null) return { taskId: draft.taskId };
    if (draft?.state !== 'ready') throw conflict('The list of this import is not read yet.');
    const known = (await groups.list()).filter((group) => draft.groupIds.includes(group.id));
    if (draft.role === null || known.length === 0) throw invalid(`${noRole} ${noGroup}`, { role: noRole });
    const rows = await rowsOf(work, companyId, id);
    if (rows.length === 0) throw invalid(nobodyChosen);
    const task = await startTask(work, companyId, {
      kind: 'module',
      title: `Import ${number.format(rows.length)} ${rows.length === 1 ? 'person' : 'people'} from ${draft.instance}`,
      params: {
        instanceId: draft.instanceId,
        module: draft.module,
        role: draft.role,
        groupIds: known.map((group) => group.id),
        groups: known.map(({ name }) => name),
      } satisfies ImportParams,
      rows,
    });
    await imports.update(id, { state: 'started', taskId: task.id }, work.now);
    return { taskId: task.id };
  });
}

/** What all people of an import get, and for the log where they came from. */
export interface ImportParams {
  instanceId: InstanceId;
  module: string;
  role: ChoosableRole;
  groupIds: GroupId[];
  groups: string[];
}

async function rowsOf(work: Work, companyId: CompanyId, id: string): Promise<NewRow[]> {
  const { imports } = work.store.of(companyId);
  const rows: NewRow[] = [];
  const chosen = { ...allCandidates, isChosen: true };
  for await (const people of inStretches((after, limit) => imports.listAfter(id, after, limit, chosen)))
    for (const person of people) rows.push(toRow(person, rows.length + 1));
  return rows;
}

/** A row holds all that its import needs: the draft may be gone by then. */
function toRow({ position: _, standing: __, isChosen: ___, ...person }: Candidate, position: number): NewRow {
  return { position, label: person.username || person.email || person.externalId, data: { ...person }, userId: null };
}
