// What Enforce Log In with SSO goes by. Asks for no permission: for commands, the door and pages that have.
import type { UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { Role } from '../roles/role.ts';
import { listSsoWaysIn } from '../users/sso-ways-in-queries.ts';
import type { StoredConnection } from './connection-repository.ts';
import { type EnforceFacts, type LosesPassword, sampleSize } from './enforce.ts';
import { isTested } from './tested.ts';

/** When the person came in through this connection last, a test counting for nothing; and whether they could at all (C27). */
async function actingThrough(
  work: Work,
  { companyId, id }: Pick<StoredConnection, 'companyId' | 'id'>,
  userId: UserId,
): Promise<Pick<EnforceFacts, 'signedInAt' | 'mustBind'>> {
  const { rows }: { rows: Pick<EnforceFacts, 'signedInAt' | 'mustBind'>[] } = await work.store.db.raw(
    `select i.signed_in_at as "signedInAt", u.role = 'Root Admin' and i.user_id is null as "mustBind"
     from users u
     left join idp_identities i on i.company_id = u.company_id and i.connection_id = :id and i.user_id = u.id
     where u.company_id = :companyId and u.id = :userId`,
    { companyId, id, userId },
  );
  return rows[0] ?? nobody;
}

const nobody = { signedInAt: null, mustBind: false };

/** Administrators who came in through the connection, the last one first: what confirms a trial. */
export async function lastAdministratorThrough(
  work: Work,
  { companyId, id }: Pick<StoredConnection, 'companyId' | 'id'>,
  managing: readonly Role[],
): Promise<{ userId: UserId; username: string; at: Date } | null> {
  const { rows }: { rows: { userId: UserId; username: string; at: Date }[] } = await work.store.db.raw(
    `select u.id as "userId", u.username, i.signed_in_at as at
     from idp_identities i join users u on u.company_id = i.company_id and u.id = i.user_id
     where i.company_id = ? and i.connection_id = ? and u.role = any(?) and u.base_status = 'Active'
       and i.signed_in_at is not null
     order by i.signed_in_at desc limit 1`,
    [companyId, id, [...managing]],
  );
  return rows[0] ?? null;
}

interface Losses {
  of: number;
  known: number;
  unseen: number;
  sample: LosesPassword[] | null;
}

/** Who has a password today and could not use it any more. One look at the people of the company. */
async function lossesOf(work: Work, { companyId, id }: StoredConnection): Promise<Losses> {
  const { rows }: { rows: Losses[] } = await work.store.db.raw(
    `with losing as materialized (
       select u.id as "userId", u.username, btrim(u.first_name || ' ' || u.last_name) as name,
         case when i.user_id is null then 'unseen' else 'known' end as reason
       from users u
       left join idp_identities i on i.company_id = u.company_id and i.connection_id = :id and i.user_id = u.id
         and i.signed_in_at is not null
       left join break_glass_people b on b.company_id = u.company_id and b.user_id = u.id and (b.ends_at is null or b.ends_at > :now)
       where u.company_id = :companyId and u.base_status = 'Active' and u.role <> 'Root Admin' and b.user_id is null
         and exists (select from credentials c where c.company_id = u.company_id and c.user_id = u.id)
     )
     select
       (select count(*)::int from users where company_id = :companyId and base_status = 'Active') as of,
       (select count(*)::int from losing where reason = 'known') as known,
       (select count(*)::int from losing where reason = 'unseen') as unseen,
       (select jsonb_agg(to_jsonb(s)) from (
          select * from losing order by reason = 'unseen' desc, username, "userId" limit ${sampleSize}) s) as sample`,
    { companyId, id, now: work.now },
  );
  return rows[0] ?? { of: 0, known: 0, unseen: 0, sample: null };
}

export async function enforceFacts(
  work: Work,
  connection: StoredConnection,
  acting: UserId | null,
): Promise<EnforceFacts> {
  const { of, known, unseen, sample } = await lossesOf(work, connection);
  return {
    connection: connection.name,
    acting,
    ...(acting === null ? nobody : await actingThrough(work, connection, acting)),
    testedAt: isTested(connection) ? connection.testedAt : null,
    waysIn: await listSsoWaysIn(work, connection.companyId),
    of,
    counts: { known, unseen },
    sample: sample ?? [],
  };
}
