// Sign-ins by company and quarter of an hour, so that nobody counts millions of events to draw a chart.
// Counted with the seal of each event and in its transaction, hence each event once; signing in itself pays nothing.
import type { Database } from '../../db/knex.ts';
import type { CompanyId } from '../../lib/ids.ts';

export interface SignInCount {
  succeeded: number;
  failed: number;
}

export function countsRepository(db: Database) {
  return {
    async add(after: bigint | null, upTo: bigint): Promise<void> {
      await db.raw(
        `insert into sign_in_counts (company_id, quarter, succeeded, failed)
         select company_id, date_bin('15 minutes', at, '2000-01-01 00:00+00'),
           count(*) filter (where action = 'login.ok'), count(*) filter (where action = 'login.fail')
         from audit_events
         where (?::bigint is null or id > ?::bigint) and id <= ?::bigint and action in ('login.ok', 'login.fail') and company_id is not null
         group by 1, 2
         on conflict (company_id, quarter) do update set
           succeeded = sign_in_counts.succeeded + excluded.succeeded, failed = sign_in_counts.failed + excluded.failed`,
        [after === null ? null : String(after), after === null ? null : String(after), String(upTo)],
      );
    },

    /** @param bounds times in their order; the answer counts from each to the next. */
    async between(companyId: CompanyId, bounds: Date[]): Promise<SignInCount[]> {
      const { rows }: { rows: { part: number; succeeded: number; failed: number }[] } = await db.raw(
        `select width_bucket(quarter, ?::timestamptz[]) as part, sum(succeeded)::int as succeeded, sum(failed)::int as failed
         from sign_in_counts where company_id = ? and quarter >= ? and quarter < ? group by 1`,
        [bounds, companyId, bounds[0] ?? null, bounds.at(-1) ?? null],
      );
      const counts = bounds.slice(1).map(() => ({ succeeded: 0, failed: 0 }));
      for (const { part, succeeded, failed } of rows) counts[part - 1] = { succeeded, failed };
      return counts;
    },
  };
}
