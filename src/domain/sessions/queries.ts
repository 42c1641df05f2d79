// What modules may do for a person, for the page on which the person takes it back (OAU-24).
import type { Database } from '../../db/knex.ts';
import type { CompanyId, ModuleId, UserId } from '../../lib/ids.ts';

/** What the grants of one module for one person add up to. */
export interface ModuleAccess {
  moduleId: ModuleId;
  name: string;
  icon: string | null;
  scopes: string[];
  /** Claims that were granted one by one (OpenID Connect Core 5.5). */
  claims: string[];
  since: Date;
  /** It holds a token that a logout does not end (offline_access). */
  outlivesLogout: boolean;
  /** It can be told that its sessions have to end (OpenID Connect Back-Channel Logout 1.0). */
  hearsOfLogout: boolean;
}

/** The engine's Grant payload, as far as we read it. */
interface GrantPayload {
  iat: number;
  openid?: { scope?: string; claims?: string[] };
  rejected?: { openid?: { claims?: string[] } };
}

interface Row {
  id: ModuleId;
  name: string;
  icon: string | null;
  hears_of_logout: boolean;
  outlives_logout: boolean;
  grants: GrantPayload[];
}

// A grant stays in the table until it expires. It is worth something while its session lives, or while a code or token hangs on it
// that does not end with the session.
const held = `
  with held as (
    select g.client_id, g.payload,
      exists (select 1 from sessions w where w.uid = g.session_uid and w.ended_at is null and w.idle_ends_at > :now) as in_session,
      exists (
        select 1 from oidc_records t
        where t.grant_id = g.id and t.consumed_at is null and t.expires_at > now()
          and t.kind in ('AuthorizationCode', 'AccessToken', 'RefreshToken')
          and (t.payload -> 'expiresWithSession') is distinct from 'true'::jsonb) as outlives
    from oidc_records g join users u on u.id = g.account_id and u.company_id = :companyId
    where g.kind = 'Grant' and g.account_id = :userId and g.expires_at > now())
  select m.id, m.name, m.icon, (m.metadata -> 'backchannel_logout_uri') is not null as hears_of_logout,
    bool_or(h.outlives) as outlives_logout, jsonb_agg(h.payload) as grants
  from held h join modules m on m.client_id = h.client_id and not m.is_built_in
  where (h.in_session or h.outlives) and (:moduleId::uuid is null or m.id = :moduleId)
  group by m.id order by m.name, m.id limit :limit`;

/**
 * Modules that hold something for this person now, by name; at most `limit`.
 * @param of.moduleId only this module.
 */
export async function listModuleAccess(
  db: Database,
  of: { companyId: CompanyId; userId: UserId; moduleId?: ModuleId },
  now: Date,
  limit: number,
): Promise<ModuleAccess[]> {
  const { rows }: { rows: Row[] } = await db.raw(held, { ...of, moduleId: of.moduleId ?? null, now, limit });
  return rows.map((row) => ({
    moduleId: row.id,
    name: row.name,
    icon: row.icon,
    scopes: [...new Set(row.grants.flatMap(({ openid }) => openid?.scope?.split(' ') ?? []))],
    claims: [...new Set(row.grants.flatMap(claimsOf))],
    since: new Date(Math.min(...row.grants.map(({ iat }) => iat)) * 1000),
    outlivesLogout: row.outlives_logout,
    hearsOfLogout: row.hears_of_logout,
  }));
}

function claimsOf({ openid, rejected }: GrantPayload): string[] {
  const refused = new Set(rejected?.openid?.claims);
  return (openid?.claims ?? []).filter((claim) => !refused.has(claim));
}
