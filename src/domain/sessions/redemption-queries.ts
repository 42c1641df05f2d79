// When a person entered a module last, by what the engine keeps anyway: it costs sign-ins nothing.
import type { Database } from '../../db/knex.ts';
import type { InstanceId, UserId } from '../../lib/ids.ts';

/**
 * When the person redeemed a code for this instance of the client last, as far back as its access token lives (10 minutes).
 * Refreshed tokens count for nothing: they prove no sign-in. Nor does the sign-in of a connect ceremony, which is for no instance.
 */
export async function lastRedeemedAt(
  db: Database,
  { clientId, instanceId }: { clientId: string; instanceId: InstanceId },
  userId: UserId,
): Promise<Date | null> {
  const { rows }: { rows: { iat: string | null }[] } = await db.raw(
    `select max((t.payload ->> 'iat')::bigint) as iat
     from oidc_records g join oidc_records t on t.grant_id = g.id
     where g.kind = 'Grant' and g.account_id = ? and g.client_id = ? and t.kind = 'AccessToken'
       and t.client_id = ? and t.payload ->> 'gty' = 'authorization_code' and t.payload ->> 'instance' = ?`,
    [userId, clientId, clientId, instanceId],
  );
  const iat = rows[0]?.iat;
  return iat == null ? null : new Date(Number(iat) * 1000);
}
