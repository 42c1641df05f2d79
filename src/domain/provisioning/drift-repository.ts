import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { DriftClass, Finding, Reading } from './drift.ts';

interface ReadRow {
  id: string;
  company_id: CompanyId;
  instance_id: InstanceId;
  cause: Reading['cause'];
  asked_by: string;
  state: Reading['state'];
  next_index: number;
  accounts_read: number;
  announced: number | null;
  judged_account: string | null;
  judged_person: UserId | null;
  is_whole: boolean;
  problem: string | null;
  counts: Reading['counts'];
  asked_at: Date;
  changed_at: Date;
  finished_at: Date | null;
}

const toReading = (row: ReadRow): Reading => ({
  id: row.id,
  companyId: row.company_id,
  instanceId: row.instance_id,
  cause: row.cause,
  askedBy: row.asked_by,
  state: row.state,
  nextIndex: row.next_index,
  read: row.accounts_read,
  announced: row.announced,
  judgedAccount: row.judged_account,
  judgedPerson: row.judged_person,
  isWhole: row.is_whole,
  problem: row.problem,
  counts: row.counts,
  askedAt: row.asked_at,
  changedAt: row.changed_at,
  finishedAt: row.finished_at,
});

const open = ['reading', 'judging'] as const;

export function driftRepository(db: Database, companyId: CompanyId) {
  const reads = () => db<ReadRow>('drift_reads').where('drift_reads.company_id', companyId);

  return {
    /** @returns false when a reading of this instance is under way: one at a time. */
    async insert(reading: Pick<Reading, 'id' | 'instanceId' | 'cause' | 'askedBy'>, now: Date): Promise<boolean> {
      const rows = await db<ReadRow>('drift_reads')
        .insert({
          id: reading.id,
          company_id: companyId,
          instance_id: reading.instanceId,
          cause: reading.cause,
          asked_by: reading.askedBy,
          state: 'reading',
          asked_at: now,
          changed_at: now,
        })
        .onConflict(db.raw(`(instance_id) where state in ('reading', 'judging')`))
        .ignore()
        .returning('id');
      return rows.length === 1;
    },

    async findById(id: string): Promise<Reading | null> {
      const row = await reads().where({ id }).first();
      return row ? toReading(row) : null;
    },

    async findOpen(instanceId: InstanceId): Promise<Reading | null> {
      const row = await reads().where({ instance_id: instanceId }).whereIn('state', open).first();
      return row ? toReading(row) : null;
    },

    /** The latest reports, newest first; those before a time, if one is given. */
    async listDone(instanceId: InstanceId, limit: number, before?: Date): Promise<Reading[]> {
      const query = reads().where({ instance_id: instanceId, state: 'done' }).orderBy('asked_at', 'desc').limit(limit);
      return (await (before ? query.where('asked_at', '<', before) : query)).map(toReading);
    },

    /** What was asked for last, however it ended. */
    async listLatest(instanceId: InstanceId, limit: number): Promise<Reading[]> {
      return (await reads().where({ instance_id: instanceId }).orderBy('asked_at', 'desc').limit(limit)).map(toReading);
    },

    /**
     * Moves a reading on from where it is known to be; of two readers, one.
     * @returns false when somebody else has done this step
     */
    async advance(from: Reading, to: Partial<Reading>, now: Date): Promise<boolean> {
      const moved = await reads()
        .where({ id: from.id, state: from.state, next_index: from.nextIndex })
        .whereRaw('judged_account is not distinct from ? and judged_person is not distinct from ?', [
          from.judgedAccount,
          from.judgedPerson,
        ] as string[])
        .update({ ...columnsOf(to), changed_at: now });
      return moved === 1;
    },

    async addFindings(readId: string, findings: Omit<Finding, 'isNew'>[]): Promise<void> {
      if (findings.length === 0) return;
      await db.raw(
        `insert into drift_findings (company_id, read_id, class, subject, external_id, user_id, account, person, is_administrator,
           before_words, after_words, why, sort_key, search_text)
         select ?, ?, i.class, i.subject, i."externalId", i."userId", i.account, i.person, i."isAdministrator", i.before, i.after, i.why,
           lower(coalesce(nullif(i.person, ''), i.account)), lower(i.account || ' ' || i.person || ' ' || coalesce(i."externalId", ''))
         from jsonb_to_recordset(?::jsonb) as i (class text, subject text, "externalId" text, "userId" uuid, account text, person text,
           "isAdministrator" boolean, before text, after text, why text)
         on conflict do nothing`,
        [companyId, readId, JSON.stringify(findings)],
      );
    },

    /** Who and what some classes of a report are about, each once, in the order of names. */
    async listSubjects(
      readId: string,
      classes: DriftClass[],
      after: { sortKey: string; subject: string } | null,
      limit: number,
    ): Promise<DriftSubject[]> {
      const { rows }: { rows: DriftSubject[] } = await db.raw(
        `select sort_key as "sortKey", subject, max(external_id) as "externalId", max(user_id::text)::uuid as "userId"
         from drift_findings
         where company_id = :companyId and read_id = :readId and class = any(:classes)
           and (:sortKey::text is null or (sort_key, subject) > (:sortKey, :subject))
         group by sort_key, subject order by sort_key, subject limit :limit`,
        { companyId, readId, classes, sortKey: after?.sortKey ?? null, subject: after?.subject ?? null, limit },
      );
      return rows;
    },

    /** Of a report that is not the latest any more only what was wrong is kept. */
    async thinOut(readId: string): Promise<void> {
      await db('drift_findings').where({ company_id: companyId, read_id: readId, class: 'matched' }).delete();
    },

    /** Marks what is new since the report before, and counts. @param last the report before, if there is one */
    async compare(readId: string, last: string | null): Promise<Reading['counts']> {
      if (last !== null)
        await db.raw(
          `update drift_findings f set is_new = true
           where f.company_id = ? and f.read_id = ? and f.class <> 'matched' and not exists (
             select from drift_findings o where o.read_id = ? and o.class = f.class and o.subject = f.subject)`,
          [companyId, readId, last],
        );
      const { rows }: { rows: { class: DriftClass; count: number; fresh: number }[] } = await db.raw(
        `select class, count(*)::int as count, (count(*) filter (where is_new))::int as fresh
         from drift_findings where company_id = ? and read_id = ? group by class`,
        [companyId, readId],
      );
      const { rows: gone }: { rows: { class: DriftClass; count: number }[] } = await db.raw(
        `select o.class, count(*)::int as count from drift_findings o
         where o.company_id = ? and o.read_id = ? and o.class <> 'matched' and not exists (
           select from drift_findings f where f.read_id = ? and f.class = o.class and f.subject = o.subject)
         group by o.class`,
        [companyId, last, readId],
      );
      const counts: Reading['counts'] = {};
      for (const row of rows) counts[row.class] = { count: row.count, fresh: row.fresh, gone: 0 };
      for (const row of gone) counts[row.class] = { ...(counts[row.class] ?? { count: 0, fresh: 0 }), gone: row.count };
      return counts;
    },
  };
}

export interface DriftSubject {
  sortKey: string;
  subject: string;
  externalId: string | null;
  userId: UserId | null;
}

const columnsOf = (to: Partial<Reading>): Partial<ReadRow> => ({
  ...(to.state === undefined ? {} : { state: to.state }),
  ...(to.nextIndex === undefined ? {} : { next_index: to.nextIndex }),
  ...(to.read === undefined ? {} : { accounts_read: to.read }),
  ...(to.announced === undefined ? {} : { announced: to.announced }),
  ...(to.judgedAccount === undefined ? {} : { judged_account: to.judgedAccount }),
  ...(to.judgedPerson === undefined ? {} : { judged_person: to.judgedPerson }),
  ...(to.isWhole === undefined ? {} : { is_whole: to.isWhole }),
  ...(to.problem === undefined ? {} : { problem: to.problem }),
  // jsonb takes text.
  ...(to.counts === undefined ? {} : { counts: JSON.stringify(to.counts) as unknown as Reading['counts'] }),
  ...(to.finishedAt === undefined ? {} : { finished_at: to.finishedAt }),
});

/** Readings that have gone silent: their reader was killed. Crosses companies, for the clock; each is handed out once in a while. */
export async function takeSilentReadings(
  db: Database,
  now: Date,
  silentSince: Date,
): Promise<Pick<Reading, 'id' | 'companyId' | 'instanceId' | 'cause'>[]> {
  const rows: ReadRow[] = await db<ReadRow>('drift_reads')
    .whereIn('state', open)
    .where('changed_at', '<', silentSince)
    .update({ changed_at: now })
    .returning('*');
  return rows.map(toReading);
}

/** Instances whose list nobody has asked for since a time; crosses companies, for the clock. */
export async function listDue(
  db: Database,
  since: Date,
  limit: number,
): Promise<{ companyId: CompanyId; instanceId: InstanceId }[]> {
  const { rows }: { rows: { companyId: CompanyId; instanceId: InstanceId }[] } = await db.raw(
    `select i.company_id as "companyId", i.id as "instanceId" from module_instances i
     where i.is_enabled and i.scim_url is not null and not exists (
       select from drift_reads r where r.company_id = i.company_id and r.instance_id = i.id and r.asked_at > :since)
     order by i.id limit :limit`,
    { since, limit },
  );
  return rows;
}

/** Old reports go with their rows; the newest ones of an instance stay whatever their age. */
export async function purgeReadings(
  db: Database,
  before: Date,
  { kept, limit }: { kept: number; limit: number },
): Promise<number> {
  const { rowCount }: { rowCount: number } = await db.raw(
    `delete from drift_reads where id in (
       select r.id from drift_reads r
       where r.state in ('done', 'failed') and r.asked_at < ? and (
         select count(*) from drift_reads n where n.instance_id = r.instance_id and n.asked_at > r.asked_at) >= ?
       order by r.asked_at limit ?)`,
    [before, kept, limit],
  );
  return rowCount;
}
