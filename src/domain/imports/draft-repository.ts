import type { Database, Query } from '../../db/knex.ts';
import { countUpTo, searchIn } from '../../db/lists.ts';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import { type Listed, listed, offsetOf, type Paging } from '../../lib/paging.ts';
import { emailKey, usernameKey } from '../users/user.ts';
import type { Candidate, CandidateFilter, ChoosableRole, Draft, DraftState, ModulePerson, Standing } from './draft.ts';

interface DraftRow {
  id: string;
  company_id: CompanyId;
  owner_id: UserId;
  instance_id: InstanceId;
  state: DraftState;
  next_index: number;
  people_read: number;
  people_announced: number | null;
  problem: string | null;
  role: ChoosableRole | null;
  group_ids: GroupId[];
  task_id: string | null;
  created_at: Date;
  read_since: Date;
  changed_at: Date;
  instance: string;
  module: string;
  icon: string | null;
}

interface CandidateRow {
  company_id: CompanyId;
  draft_id: string;
  position: number;
  external_id: string;
  username: string;
  email: string;
  first_name: string;
  last_name: string;
  is_active: boolean;
  standing: Standing;
  is_shared: boolean;
  is_chosen: boolean;
  role: ChoosableRole | null;
  group_ids: GroupId[] | null;
}

const toDraft = (row: DraftRow): Draft => ({
  id: row.id,
  companyId: row.company_id,
  ownerId: row.owner_id,
  instanceId: row.instance_id,
  instance: row.instance,
  module: row.module,
  icon: row.icon,
  state: row.state,
  nextIndex: row.next_index,
  read: row.people_read,
  announced: row.people_announced,
  problem: row.problem,
  role: row.role,
  groupIds: row.group_ids,
  taskId: row.task_id,
  createdAt: row.created_at,
  readSince: row.read_since,
});

const toCandidate = (row: CandidateRow): Candidate => ({
  position: row.position,
  externalId: row.external_id,
  username: row.username,
  email: row.email,
  firstName: row.first_name,
  lastName: row.last_name,
  isActive: row.is_active,
  standing: row.standing,
  isShared: row.is_shared,
  isChosen: row.is_chosen,
  role: row.role,
  groupIds: row.group_ids,
});

export type Counts = Record<Standing, number>;

const lockClass = 7_304_814;

export function importRepository(db: Database, companyId: CompanyId) {
  const drafts = () => db<DraftRow>('import_drafts').where('import_drafts.company_id', companyId);
  const withNames = () =>
    drafts()
      .join('module_instances as i', 'i.id', 'import_drafts.instance_id')
      .join('modules as m', 'm.id', 'i.module_id')
      .select('import_drafts.*', 'i.name as instance', 'm.name as module', 'm.icon');
  const candidates = (draftId: string) =>
    db<CandidateRow>('import_candidates').where({ company_id: companyId, draft_id: draftId });

  function matching(draftId: string, { search, standing, isChosen, isAssigned }: CandidateFilter): Query {
    const query: Query = candidates(draftId);
    searchIn(query, 'search_text', search);
    if (standing !== null) query.where({ standing });
    if (isChosen) query.where('is_chosen', true);
    if (isAssigned) query.where((either) => either.whereNotNull('role').orWhereNotNull('group_ids'));
    return query;
  }

  return {
    /** Imports of one company stand in line, chunk by chunk: an address is no key, so two of them could make one person twice. */
    async holdImports(): Promise<void> {
      await db.raw('select pg_advisory_xact_lock(?::int, hashtext(?))', [lockClass, companyId]);
    },

    async insert(draft: Pick<Draft, 'id' | 'ownerId' | 'instanceId'>, now: Date): Promise<void> {
      await db('import_drafts').insert({
        id: draft.id,
        company_id: companyId,
        owner_id: draft.ownerId,
        instance_id: draft.instanceId,
        state: 'reading',
        created_at: now,
        read_since: now,
        changed_at: now,
      });
    },

    async findById(id: string): Promise<Draft | null> {
      const row: DraftRow | undefined = await withNames().where('import_drafts.id', id).first();
      return row ? toDraft(row) : null;
    },

    /** Holds it until the transaction ends: of two who press Import, one starts it. */
    async lockById(id: string): Promise<Draft | null> {
      const row = await drafts().where({ id }).forUpdate().first('id');
      return row ? this.findById(id) : null;
    },

    /** What somebody has begun and not finished, the latest first. */
    async listOpen(ownerId: UserId, limit: number): Promise<(Draft & { chosen: number })[]> {
      const rows: (DraftRow & { chosen: string })[] = await withNames()
        .where({ owner_id: ownerId })
        .whereNot('import_drafts.state', 'started')
        .select(
          db.raw(
            '(select count(*) from import_candidates c where c.draft_id = import_drafts.id and c.is_chosen) as chosen',
          ),
        )
        .orderBy('import_drafts.created_at', 'desc')
        .limit(limit);
      return rows.map((row) => ({ ...toDraft(row), chosen: Number(row.chosen) }));
    },

    async update(
      id: string,
      changes: Partial<Pick<Draft, 'state' | 'problem' | 'role' | 'groupIds' | 'taskId'>>,
      now: Date,
    ): Promise<void> {
      const { groupIds, taskId, ...rest } = changes;
      await drafts()
        .where({ id })
        .update({
          ...rest,
          ...(groupIds === undefined ? {} : { group_ids: groupIds }),
          ...(taskId === undefined ? {} : { task_id: taskId }),
          changed_at: now,
        });
    },

    /** From the first page again. */
    async restart(id: string, now: Date): Promise<void> {
      await candidates(id).delete();
      await drafts().where({ id }).update({
        state: 'reading',
        next_index: 1,
        people_read: 0,
        people_announced: null,
        problem: null,
        read_since: now,
        changed_at: now,
      });
    },

    /**
     * Moves the reading on; of two readers, one.
     * @returns false when somebody else has read this page, or the reading is over
     */
    async advance(id: string, from: number, to: { nextIndex: number; announced: number | null }, now: Date) {
      const moved = await drafts()
        .where({ id, state: 'reading', next_index: from })
        .update({ next_index: to.nextIndex, people_announced: to.announced, changed_at: now });
      return moved === 1;
    },

    /** @returns how many of them were new: a module may tell of somebody twice. */
    async addCandidates(id: string, first: number, people: ModulePerson[]): Promise<number> {
      const { rows }: { rows: unknown[] } = await db.raw(
        `insert into import_candidates (company_id, draft_id, position, external_id, username, email, first_name, last_name,
           is_active, username_key, email_key, standing)
         select ?, ?, ? + i.n, i.external_id, i.username, i.email, i.first_name, i.last_name, i.is_active, i.username_key,
           nullif(i.email_key, ''), 'import'
         from unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::boolean[], ?::text[], ?::text[]) with ordinality
           as i (external_id, username, email, first_name, last_name, is_active, username_key, email_key, n)
         on conflict (draft_id, external_id) do nothing returning 1`,
        [
          companyId,
          id,
          first,
          people.map(({ externalId }) => externalId),
          people.map(({ username }) => username),
          people.map(({ email }) => email),
          people.map(({ firstName }) => firstName),
          people.map(({ lastName }) => lastName),
          people.map(({ isActive }) => isActive),
          people.map(({ username }) => usernameKey(username)),
          people.map(({ email }) => emailKey(email)),
        ],
      );
      if (rows.length > 0) await drafts().where({ id }).increment('people_read', rows.length);
      return rows.length;
    },

    /** People of the module with one address (C13). In two steps, each of which takes time by the length of the list alone. */
    async markShared(id: string): Promise<void> {
      const { rows }: { rows: { position: number }[] } = await db.raw(
        `select position from (
           select position, count(*) over (partition by email_key) as holders from import_candidates
           where company_id = ? and draft_id = ? and email_key is not null) c
         where holders > 1`,
        [companyId, id],
      );
      for (let at = 0; at < rows.length; at += 1000)
        await candidates(id)
          .whereRaw('position = any(?)', [rows.slice(at, at + 1000).map(({ position }) => position)])
          .update({ is_shared: true });
    },

    async listAfter(id: string, after: number, limit: number, filter: CandidateFilter): Promise<Candidate[]> {
      const rows: CandidateRow[] = await matching(id, filter)
        .where('position', '>', after)
        .orderBy('position')
        .limit(limit);
      return rows.map(toCandidate);
    },

    async saveStandings(id: string, standings: { position: number; standing: Standing }[]): Promise<void> {
      await db.raw(
        `update import_candidates c set standing = i.standing from unnest(?::int[], ?::text[]) as i (position, standing)
         where c.company_id = ? and c.draft_id = ? and c.position = i.position and c.standing <> i.standing`,
        [standings.map(({ position }) => position), standings.map(({ standing }) => standing), companyId, id],
      );
    },

    /** One page, by name. */
    async listCandidates(id: string, filter: CandidateFilter, paging: Paging): Promise<Listed<Candidate>> {
      const rows: CandidateRow[] = await matching(id, filter)
        .orderByRaw('last_name collate "und-x-icu", first_name collate "und-x-icu", position')
        .offset(offsetOf(paging))
        .limit(paging.size);
      return listed(rows.map(toCandidate), await countUpTo(db, matching(id, filter)), paging);
    },

    /** How many of each standing a filter means. */
    async count(id: string, filter: CandidateFilter): Promise<Counts> {
      const rows: { standing: Standing; count: string }[] = await matching(id, filter)
        .groupBy('standing')
        .select('standing')
        .count({ count: '*' });
      const of = (standing: Standing) => Number(rows.find((row) => row.standing === standing)?.count ?? 0);
      return { import: of('import'), skip: of('skip'), fail: of('fail') };
    },

    /** Of the shown ones, exactly the chosen ones. */
    async choose(id: string, shown: number[], chosen: number[]): Promise<void> {
      await candidates(id)
        .whereIn('position', shown)
        .update({ is_chosen: db.raw('position = any(?)', [chosen]) });
    },

    async chooseMatching(id: string, filter: CandidateFilter, isChosen: boolean): Promise<void> {
      await matching(id, filter).whereNot('is_chosen', isChosen).update({ is_chosen: isChosen });
    },

    /** A5.4: something else than all for some, or with null what all get. @param positions null: all chosen ones that match */
    async assign(
      id: string,
      who: { positions: number[] | null; filter: CandidateFilter },
      to: { role?: ChoosableRole | null; groupIds?: GroupId[] | null },
    ): Promise<void> {
      const query = matching(id, { ...who.filter, isChosen: true });
      if (who.positions !== null) query.whereIn('position', who.positions);
      await query.update({
        ...(to.role === undefined ? {} : { role: to.role }),
        ...(to.groupIds === undefined ? {} : { group_ids: to.groupIds }),
      });
    },
  };
}

/** Readings that have gone silent: their reader was killed. Crosses companies, for the clock; each is handed out once in a while. */
export async function takeSilentDrafts(
  db: Database,
  now: Date,
  silentSince: Date,
): Promise<{ id: string; companyId: CompanyId }[]> {
  const rows: { id: string; company_id: CompanyId }[] = await db<DraftRow>('import_drafts')
    .where({ state: 'reading' })
    .where('changed_at', '<', silentSince)
    .update({ changed_at: now })
    .returning(['id', 'company_id']);
  return rows.map(({ id, company_id }) => ({ id, companyId: company_id }));
}

/** What a module has told is not kept longer than an administrator needs to choose from it. */
export async function purgeDrafts(db: Database, before: Date, limit: number): Promise<number> {
  const result: { rowCount: number } = await db.raw(
    `delete from import_drafts where id in (
       select id from import_drafts where changed_at < ? order by changed_at limit ? for update skip locked)`,
    [before, limit],
  );
  return result.rowCount;
}
