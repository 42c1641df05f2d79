// Acts on many people at once: which there are, what they need, and what they would do to whom.
import type { CompanyId, GroupId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { choosableRoles, Role } from '../roles/role.ts';
import { getCompany } from './decide.ts';
import { matching, type PeopleFilter } from './list-queries.ts';
import { usesSsoSql } from './sso-queries.ts';
import { decideTransition, type Transition, type User } from './user.ts';

export type BulkAct =
  | { act: 'deactivate' | 'activate' | 'resend' | 'reset-2fa' | 'reset-password' | 'delete' }
  | { act: 'change-role'; role: (typeof choosableRoles)[number] }
  | { act: 'add-to-group' | 'remove-from-group'; groupId: GroupId };

export type Selection = { ids: UserId[] } | { filter: PeopleFilter };

/** Acts that D.4 guards; the others have rules of their own, told row by row. */
export const guardOf: Record<BulkAct['act'], Transition> = {
  deactivate: 'deactivate',
  activate: 'activate',
  resend: 'resend',
  'reset-2fa': 'reset-2fa',
  'reset-password': 'reset-password',
  delete: 'delete',
  'change-role': 'change-role',
  'add-to-group': 'edit',
  'remove-from-group': 'edit',
};

export interface BulkPreview {
  selected: number;
  /** People to whom it will be done. */
  done: number;
  /** The first of them by name. */
  first: string[];
  /** People who are left out, by the reason of the rule. */
  exceptions: { because: string; people: number; first: string[] }[];
}

/** People whom a rule cannot tell apart. */
interface Alike {
  baseStatus: User['baseStatus'];
  role: Role;
  mustEnrol2fa: boolean;
  isSelf: boolean;
  isMailBlocked: boolean;
  usesSso: boolean;
  people: string;
  first: string[];
}

const shownNames = 5;

/**
 * Whom an act would reach and whom it leaves out, and why: the rule is asked once for each kind of people, so that it takes one
 * statement for two hundred thousand of them, too.
 */
export async function previewBulk(
  work: Work,
  companyId: CompanyId,
  act: BulkAct['act'],
  selection: Selection,
): Promise<BulkPreview> {
  const actorId = await authorise(work, companyId, 'users.manage');
  const company = await getCompany(work, companyId);
  const alike = await listAlike(work, companyId, actorId, selection, guardOf[act]);
  const exceptions = new Map<string, { people: number; first: string[] }>();
  const preview: BulkPreview = { selected: 0, done: 0, first: [], exceptions: [] };
  for (const { people, first, isSelf, isMailBlocked, usesSso, ...facts } of alike) {
    const count = Number(people);
    preview.selected += count;
    const id = isSelf && actorId !== null ? actorId : somebodyElse;
    const by = { actorId, reactivate: company.policy.reactivate, isMailBlocked, usesSso };
    const decision = decideTransition(guardOf[act], { ...facts, id }, by);
    if (decision.allowed) {
      preview.done += count;
      preview.first.push(...first);
    } else {
      const known = exceptions.get(decision.because) ?? { people: 0, first: [] };
      exceptions.set(decision.because, { people: known.people + count, first: [...known.first, ...first] });
    }
  }
  preview.first = preview.first.slice(0, shownNames);
  for (const [because, { people, first }] of exceptions)
    preview.exceptions.push({ because, people, first: first.slice(0, shownNames) });
  return preview;
}

// No person has this id.
const somebodyElse = '00000000-0000-0000-0000-000000000000' as UserId;

/** The selection as a query on `users as u`. */
export function selected(work: Work, companyId: CompanyId, selection: Selection) {
  const people = work.store.db('users as u');
  if ('filter' in selection) return matching(people, companyId, selection.filter, work.now);
  return people
    .where('u.company_id', companyId)
    .whereNot('u.base_status', 'Deleted')
    .whereRaw('u.id = any(?::uuid[])', [selection.ids]);
}

async function listAlike(
  work: Work,
  companyId: CompanyId,
  actorId: UserId | null,
  selection: Selection,
  transition: Transition,
): Promise<Alike[]> {
  const { db } = work.store;
  // Asked of each of them, so only where it matters.
  const isSso = transition === 'reset-2fa' ? db.raw(usesSsoSql, [work.now, work.now]) : db.raw('false');
  const kinds = selected(work, companyId, selection).select({
    baseStatus: 'u.base_status',
    role: 'u.role',
    mustEnrol2fa: 'u.must_enrol_2fa',
    isSelf: db.raw('u.id is not distinct from ?::uuid', [actorId]),
    isMailBlocked: db.raw('exists (select from mail_suppressions s where s.address_key = lower(trim(u.email)))'),
    usesSso: isSso,
    name: db.raw("u.first_name || ' ' || u.last_name"),
  });
  // The first few names of each kind are kept while counting; all the others are only counted.
  const ranked = db
    .from(kinds.as('k'))
    .select(
      'k.*',
      db.raw(
        'row_number() over (partition by "baseStatus", role, "mustEnrol2fa", "isSelf", "isMailBlocked", "usesSso") as place',
      ),
    );
  return db
    .from(ranked.as('r'))
    .select('baseStatus', 'role', 'mustEnrol2fa', 'isSelf', 'isMailBlocked', 'usesSso')
    .count({ people: '*' })
    .select(db.raw(`coalesce(array_agg(name) filter (where place <= ?), '{}') as first`, [shownNames]))
    .groupBy('baseStatus', 'role', 'mustEnrol2fa', 'isSelf', 'isMailBlocked', 'usesSso');
}
