// Where and how an instance is told, as it stands when something is sent.
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { type ClientMetadata, clientMetadataSchema, scimTokenPurpose } from '../modules/module.ts';
import { type Profile, profileSchema } from '../modules/profile.ts';

export interface ReceiverEndpoint {
  companyId: CompanyId;
  instanceId: InstanceId;
  clientId: string;
  metadata: ClientMetadata;
  profile: Profile;
  scim: { url: string; token: string } | null;
  eventsUrl: string | null;
}

/** Null: there is no such instance any more. */
export async function findEndpoint(work: Work, instanceId: InstanceId): Promise<ReceiverEndpoint | null> {
  const { rows } = await work.store.db.raw(
    `select i.company_id as "companyId", i.scim_url as "scimUrl", i.sealed_scim_token as "sealedToken", i.events_url as "eventsUrl",
       m.client_id as "clientId", m.metadata, m.profile
     from module_instances i join modules m on m.id = i.module_id where i.id = ?`,
    [instanceId],
  );
  const row = rows[0];
  if (!row) return null;
  return {
    companyId: row.companyId,
    instanceId,
    clientId: row.clientId,
    metadata: clientMetadataSchema.parse(row.metadata),
    profile: profileSchema.parse(row.profile),
    scim:
      row.scimUrl && row.sealedToken
        ? { url: row.scimUrl, token: work.keyring.open(scimTokenPurpose, row.sealedToken) }
        : null,
    eventsUrl: row.eventsUrl,
  };
}

/** A product by the name it signs in with: for what is told after its instance is gone. */
export async function findClientMetadata(work: Work, clientId: string): Promise<ClientMetadata | null> {
  const module = await work.store.modules.findByClientId(clientId);
  return module ? module.metadata : null;
}

/** Of some accounts, those that belong to somebody other than this person. */
export async function listTaken(
  work: Work,
  instanceId: InstanceId,
  externalIds: string[],
  userId: UserId,
): Promise<string[]> {
  const { rows }: { rows: { id: string }[] } = await work.store.db.raw(
    `select external_id as id from module_accounts
     where instance_id = ? and external_id = any(?) and user_id is not null and user_id <> ?`,
    [instanceId, externalIds, userId],
  );
  return rows.map(({ id }) => id);
}

export interface SweepPlace {
  companyId: CompanyId;
  lastUserId: UserId | null;
}

/**
 * Companies whose people are to be looked at now, each taken by one node: those with something switched on, longest waiting first.
 * While a task goes through many people, what it does is judged as a whole at its end and not found piece by piece.
 */
export async function takeSweeps(work: Work, before: Date, limit: number): Promise<SweepPlace[]> {
  const { db } = work.store;
  await db.raw(
    `insert into standing_sweeps (company_id, swept_at)
     select distinct s.company_id, to_timestamp(0) from integration_settings s
     where (s.provision or s.deprovision or s.access_groups)
       and not exists (select from standing_sweeps w where w.company_id = s.company_id)
     on conflict do nothing`,
  );
  const { rows }: { rows: SweepPlace[] } = await db.raw(
    `update standing_sweeps w set swept_at = ? from (
       select company_id from standing_sweeps s
       where swept_at <= ?
         and exists (select from integration_settings o join module_instances i on i.id = o.instance_id and i.is_enabled
           where o.company_id = s.company_id and (o.provision or o.deprovision or o.access_groups))
         and not exists (select from tasks t where t.company_id = s.company_id and t.kind in ('bulk', 'undo')
           and t.state in ('waiting', 'running'))
       order by swept_at limit ? for update of s skip locked) taken
     where w.company_id = taken.company_id returning w.company_id as "companyId", w.last_user_id as "lastUserId"`,
    [work.now, before, limit],
  );
  return rows;
}

export async function saveSweep(work: Work, { companyId, lastUserId }: SweepPlace): Promise<void> {
  await work.store.db('standing_sweeps').where({ company_id: companyId }).update({ last_user_id: lastUserId });
}
