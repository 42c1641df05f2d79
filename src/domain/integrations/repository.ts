import type { Database } from '../../db/knex.ts';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import type { AccessRule, RequireState, Settings, SettingsInput } from './settings.ts';

interface SettingsRow {
  instance_id: InstanceId;
  company_id: CompanyId;
  version: string;
  is_enabled: boolean;
  require_state: RequireState | null;
  trial_ends_at: Date | null;
  trial_by: UserId | null;
  provision: boolean | null;
  provision_values: Record<string, string> | null;
  deprovision: boolean | null;
  grace_days: number | null;
  removal: 'remove' | 'disable' | null;
  access_groups: boolean | null;
  rules: AccessRule[];
}

const toSettings = (row: SettingsRow): Settings => ({
  instanceId: row.instance_id,
  companyId: row.company_id,
  version: Number(row.version),
  enabled: row.is_enabled,
  require: { state: row.require_state ?? 'off', trialEndsAt: row.trial_ends_at, trialBy: row.trial_by },
  provisioning: { on: row.provision ?? false, values: row.provision_values ?? {} },
  deprovisioning: { on: row.deprovision ?? false, graceDays: row.grace_days ?? 14, removal: row.removal ?? 'disable' },
  accessGroups: { on: row.access_groups ?? false, rules: row.rules },
});

const select = `
  select i.id as instance_id, i.company_id, i.version, i.is_enabled, s.require_state, s.trial_ends_at, s.trial_by, s.provision,
    s.provision_values, s.deprovision, s.grace_days, s.removal, s.access_groups, coalesce((
      select jsonb_agg(jsonb_build_object('groupId', r.group_id, 'group', g.name, 'permission', r.permission) order by r.position)
      from access_rules r join access_groups g on g.id = r.group_id and g.removed_at is null where r.instance_id = i.id), '[]'::jsonb) as rules
  from module_instances i left join integration_settings s on s.instance_id = i.id`;

/** Settings of instances by id, whosever they are: for the copies that nodes keep. One statement. */
export async function readSettings(db: Database, ids: InstanceId[]): Promise<Settings[]> {
  const { rows }: { rows: SettingsRow[] } = await db.raw(`${select} where i.id = any(?)`, [ids]);
  return rows.map(toSettings);
}

/** Settings of the instances of one company. */
export function settingsRepository(db: Database, companyId: CompanyId) {
  return {
    async find(id: InstanceId): Promise<Settings | null> {
      const { rows }: { rows: SettingsRow[] } = await db.raw(`${select} where i.company_id = ? and i.id = ?`, [
        companyId,
        id,
      ]);
      return rows[0] ? toSettings(rows[0]) : null;
    },

    /**
     * The same, held until the transaction ends: whoever changes settings, exceptions or rules comes through here first.
     * Accounts and deliveries of the instance may be written meanwhile.
     */
    async hold(id: InstanceId): Promise<Settings | null> {
      const held = await db('module_instances').where({ company_id: companyId, id }).forNoKeyUpdate().first('id');
      if (!held) return null;
      await db('integration_settings')
        .insert({ company_id: companyId, instance_id: id })
        .onConflict('instance_id')
        .ignore();
      return this.find(id);
    },

    /** Tells every copy that it is old. @returns the new version */
    async bump(id: InstanceId): Promise<number> {
      const [row] = await db('module_instances')
        .where({ company_id: companyId, id })
        .update({ version: db.raw('version + 1') })
        .returning('version');
      return Number(row?.version);
    },

    /** The same for all that have a rule for this group: it has another name now, or is going. @returns which they are */
    async bumpByGroup(groupId: GroupId): Promise<InstanceId[]> {
      const rows: { id: InstanceId }[] = await db('module_instances')
        .where({ company_id: companyId })
        .whereIn(
          'id',
          db('access_rules')
            .where({ company_id: companyId, group_id: groupId })
            .orderBy('instance_id')
            .select('instance_id'),
        )
        .update({ version: db.raw('version + 1') })
        .returning('id');
      return rows.map(({ id }) => id);
    },

    /** All of Save but the requirement, which has a course of its own. Rules are written anew, all of them. */
    async save(id: InstanceId, input: Omit<SettingsInput, 'require'>, by: string, now: Date): Promise<void> {
      await db('module_instances').where({ company_id: companyId, id }).update({ is_enabled: input.enabled });
      await db('integration_settings')
        .where({ company_id: companyId, instance_id: id })
        .update({
          provision: input.provisioning.on,
          provision_values: JSON.stringify(input.provisioning.values),
          deprovision: input.deprovisioning.on,
          grace_days: input.deprovisioning.graceDays,
          removal: input.deprovisioning.removal,
          access_groups: input.accessGroups.on,
          changed_at: now,
          changed_by: by,
        });
      await db('access_rules').where({ company_id: companyId, instance_id: id }).delete();
      const { rules } = input.accessGroups;
      if (rules.length > 0)
        await db.raw(
          `insert into access_rules (id, company_id, instance_id, position, group_id, permission)
           select gen_random_uuid(), ?, ?, position, group_id, permission
           from unnest(?::uuid[], ?::text[]) with ordinality as r (group_id, permission, position)`,
          [companyId, id, rules.map(({ groupId }) => groupId), rules.map(({ permission }) => permission)],
        );
    },

    /** While a trial is not reverted or confirmed; also one that is over. */
    async findTrial(id: InstanceId): Promise<{ began: Date; ends: Date } | null> {
      const row: { began: Date; ends: Date } | undefined = await db('integration_settings')
        .where({ company_id: companyId, instance_id: id, require_state: 'trial' })
        .first({ began: 'trial_began_at', ends: 'trial_ends_at' });
      return row ?? null;
    },

    /** @returns false when the administrators were told since then already */
    async alarm(id: InstanceId, now: Date, toldBefore: Date): Promise<boolean> {
      const told = await db('integration_settings')
        .where({ company_id: companyId, instance_id: id })
        .where((old) => old.whereNull('alarmed_at').orWhere('alarmed_at', '<', toldBefore))
        .update({ alarmed_at: now });
      return told === 1;
    },

    async setRequire(
      id: InstanceId,
      require: { state: RequireState; trialBeganAt: Date | null; trialEndsAt: Date | null; trialBy: UserId | null },
    ): Promise<void> {
      await db('integration_settings').where({ company_id: companyId, instance_id: id }).update({
        require_state: require.state,
        trial_began_at: require.trialBeganAt,
        trial_ends_at: require.trialEndsAt,
        trial_by: require.trialBy,
      });
    },
  };
}

/** Trials that are over, whosever they are: for the clock. */
export async function listDueTrials(
  db: Database,
  now: Date,
): Promise<{ companyId: CompanyId; instanceId: InstanceId }[]> {
  return db('integration_settings')
    .where({ require_state: 'trial' })
    .where('trial_ends_at', '<=', now)
    .orderBy('trial_ends_at')
    .limit(100)
    .select({ companyId: 'company_id', instanceId: 'instance_id' });
}
