import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { type HeadRow, type LineRow, planStore, toHead, toLine } from '../plans/repository.ts';
import type { Wanted } from './account.ts';
import type { Plan, PlanAct, PlanRow } from './plan.ts';

interface PlanDbRow extends HeadRow<PlanAct> {
  instance_id: InstanceId;
  read_id: string;
  scope: Plan['scope'];
  settings_hash: string;
  state: Plan['state'];
}

const toPlan = (row: PlanDbRow): Plan => ({
  ...toHead(row),
  instanceId: row.instance_id,
  readId: row.read_id,
  scope: row.scope,
  settingsHash: row.settings_hash,
  state: row.state,
});

interface RowRow extends LineRow<PlanAct> {
  subject: string;
  external_id: string | null;
  user_id: UserId | null;
  account: string;
  wanted: Wanted;
}

const toRow = (row: RowRow): PlanRow => ({
  ...toLine(row),
  subject: row.subject,
  externalId: row.external_id,
  userId: row.user_id,
  account: row.account,
  wanted: row.wanted,
});

export function planRepository(db: Database, companyId: CompanyId) {
  return {
    ...planStore<PlanAct, Plan, PlanDbRow, PlanRow, RowRow>(db, companyId, {
      plans: 'provisioning_plans',
      rows: 'provisioning_plan_rows',
      about: 'instance_id',
      columns: ({ instanceId, readId, scope, settingsHash }) => ({
        instance_id: instanceId,
        read_id: readId,
        scope: JSON.stringify(scope),
        settings_hash: settingsHash,
      }),
      toPlan,
      toLine: toRow,
    }),

    async insertRows(planId: string, rows: PlanRow[]): Promise<void> {
      if (rows.length === 0) return;
      await db.raw(
        `insert into provisioning_plan_rows (company_id, plan_id, position, subject, external_id, user_id, account, person, act,
           is_administrator, before_words, after_words, rule, wanted, input_hash, search_text)
         select ?, ?, i.position, i.subject, i."externalId", i."userId", i.account, i.person, i.act, i."isAdministrator", i.before, i.after,
           i.rule, i.wanted, i."inputHash", lower(i.account || ' ' || i.person)
         from jsonb_to_recordset(?::jsonb) as i (position int, subject text, "externalId" text, "userId" uuid, account text, person text,
           act text, "isAdministrator" boolean, before text, after text, rule text, wanted jsonb, "inputHash" text)`,
        [companyId, planId, JSON.stringify(rows)],
      );
    },
  };
}
