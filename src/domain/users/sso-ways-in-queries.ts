// Facts for the guard of the last way in. Asks for no permission: for commands and pages that have.
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { SsoWayIn } from './sso-ways-in.ts';

/** Connections of the company that are enforced now, by name: usually none or one. One statement with an index. */
export async function listEnforced(work: Work, companyId: CompanyId): Promise<{ id: string; name: string }[]> {
  const { rows }: { rows: { id: string; name: string }[] } = await work.store.db.raw(
    `select id, name from idp_connections
     where company_id = ? and is_enabled and (enforce_state = 'on' or (enforce_state = 'trial' and trial_ends_at > ?))
     order by name, id`,
    [companyId, work.now],
  );
  return rows;
}

/** Exempt people who can really get in: active, with a password that they have set themselves. */
export async function listSsoWaysIn(work: Work, companyId: CompanyId): Promise<SsoWayIn[]> {
  const { rows }: { rows: SsoWayIn[] } = await work.store.db.raw(
    `select u.id as "userId", u.username, btrim(u.first_name || ' ' || u.last_name) as name, u.role, b.ends_at as "endsAt",
       case when u.role = 'Root Admin' then 'root' else 'break-glass' end as kind
     from users u left join break_glass_people b on b.company_id = u.company_id and b.user_id = u.id and (b.ends_at is null or b.ends_at > :now)
     where u.company_id = :companyId and u.base_status = 'Active' and (u.role = 'Root Admin' or b.user_id is not null)
       and exists (select from credentials c where c.company_id = u.company_id and c.user_id = u.id)
     order by u.role = 'Root Admin' desc, name, u.id`,
    { companyId, now: work.now },
  );
  return rows;
}
