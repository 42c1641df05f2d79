// A5.5, A5.7: people of a module become people of the company, invited by mail; each chunk is one transaction.
import { AppError } from '../../lib/errors.ts';
import type { CompanyId, GroupId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { Group } from '../groups/group.ts';
import { authorise } from '../roles/authority.ts';
import type { Outcome, Task, TaskHandler, TaskRow } from '../tasks/task.ts';
import { type Invited, inviteUsers, type TypedUser } from '../users/invite-commands.ts';
import { findMatches } from '../users/match-queries.ts';
import { type Candidate, decideImport } from './draft.ts';
import type { ImportParams } from './draft-commands.ts';

type Imported = Pick<
  Candidate,
  'externalId' | 'username' | 'email' | 'firstName' | 'lastName' | 'isActive' | 'isShared' | 'role' | 'groupIds'
>;

/** What startImport wrote. */
const personOf = (row: TaskRow) => row.data as unknown as Imported;
const paramsOf = (task: Task) => task.params as unknown as ImportParams;

type Planned = { person: TypedUser } | { outcome: Outcome };

async function plan(work: Work, task: Task, rows: TaskRow[]): Promise<Planned[]> {
  const { groups } = work.store.of(task.companyId);
  const known = new Map((await groups.list()).map((group) => [group.id, group]));
  const people = rows.map(personOf);
  const matches = await findMatches(work, task.companyId, people);
  return people.map((person, at): Planned => {
    const decision = decideImport(person, matches[at] ?? { username: null, byEmail: [] }, work.config.brandName);
    if (decision.standing === 'skip') return { outcome: { outcome: 'skipped', message: decision.because } };
    if (decision.standing === 'fail')
      return { outcome: { outcome: 'failed', field: decision.field, message: decision.because } };
    const names = namesOf(person.groupIds ?? paramsOf(task).groupIds, known);
    if (names === null) return { outcome: { outcome: 'failed', field: 'groups', message: groupGone } };
    const { username, email, firstName, lastName } = person;
    return {
      person: { username, email, firstName, lastName, role: person.role ?? paramsOf(task).role, groups: names },
    };
  });
}

const groupGone = 'An access group that was chosen for this person has been deleted since.';

function namesOf(ids: GroupId[], known: Map<GroupId, Group>): string[] | null {
  const names = ids.flatMap((id) => known.get(id)?.name ?? []);
  return names.length === ids.length ? names : null;
}

function outcomeOf(invited: Invited): Outcome {
  if ('user' in invited) return { outcome: 'succeeded', userId: invited.user.id };
  const { refused } = invited;
  if (!(refused instanceof AppError)) throw refused;
  const [field] = Object.keys(refused.fields);
  // Somebody else has made this person in this very moment.
  if (refused.status === 409) return { outcome: 'skipped', message: refused.message };
  return { outcome: 'failed', message: refused.message, ...(field === undefined ? {} : { field }) };
}

async function run(work: Work, task: Task, rows: TaskRow[]): Promise<Outcome[]> {
  const companyId: CompanyId = task.companyId;
  await authorise(work, companyId, 'users.manage');
  await work.store.of(companyId).imports.holdImports();
  const planned = await plan(work, task, rows);
  const people = planned.flatMap((one) => ('person' in one ? [one.person] : []));
  const invited = people.length === 0 ? [] : await inviteUsers(work, companyId, people, 'module');
  let next = 0;
  return planned.map((one) => {
    if ('outcome' in one) return one.outcome;
    const made = invited[next];
    next += 1;
    if (!made) throw new Error('inviting answered for fewer people than were asked');
    return outcomeOf(made);
  });
}

/** New people only, whom no sign-in waits for; small enough that a process that is killed loses little. */
export const moduleImport: TaskHandler = { chunk: 100, run };
