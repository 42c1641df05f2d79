// The access token of a connect ceremony: not the engine's any more once it is issued, but a key to one act of ours.
import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';

export interface CeremonyToken {
  id: string;
  companyId: CompanyId;
  company: string;
  userId: UserId;
  username: string;
  /** Where its session began. */
  ip: string;
  clientId: string;
  scope: string;
  /** It is bound to a key of the module (DPoP), which a plain bearer does not show. */
  isBound: boolean;
  /** What it has connected already: for that one alone it may come again. */
  instanceId: InstanceId | null;
}

const select = `
  select r.id, u.company_id as "companyId", c.name as company, u.id as "userId", u.username, w.ip, r.client_id as "clientId",
    coalesce(r.payload ->> 'scope', '') as scope, coalesce(r.payload ->> 'jkt', r.payload ->> 'x5t#S256') is not null as "isBound",
    r.payload ->> 'connected' as "instanceId"
  from oidc_records r
    join users u on u.id = r.account_id and u.base_status = 'Active'
    join companies c on c.id = u.company_id
    join sessions w on w.uid = r.session_uid and w.ended_at is null
  where r.id = ? and r.kind = 'AccessToken' and r.expires_at > now()`;

export function ceremonyRepository(db: Database) {
  const first = async (sql: string, id: string): Promise<CeremonyToken | null> => {
    const { rows }: { rows: CeremonyToken[] } = await db.raw(sql, [id]);
    return rows[0] ?? null;
  };
  return {
    find: (id: string) => first(select, id),

    /** The same, held until the transaction ends: of parallel uses one comes after the other. */
    hold: (id: string) => first(`${select} for no key update of r`, id),

    async bind(id: string, instanceId: InstanceId): Promise<void> {
      await db.raw(
        `update oidc_records set payload = payload || jsonb_build_object('connected', ?::text) where id = ?`,
        [instanceId, id],
      );
    },
  };
}
