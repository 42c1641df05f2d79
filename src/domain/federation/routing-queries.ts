// Which connection an answer or a person belongs to: by company, issuer, identifier, and proved e-mail domain (B.5, D.5).
import type { Query } from '../../db/knex.ts';
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { ConnectionId } from './connection.ts';
import { type StoredConnection, toConnection } from './connection-repository.ts';

/** Connections of one issuer that more than these companies share would be asked for in vain. */
const maxOfIssuer = 20;

/** Enabled ones of an upstream, by its entity id. */
const ofIssuer = ({ store: { db } }: Work, issuer: string): Query =>
  db('idp_connections as i')
    .where({ 'i.kind': 'saml', 'i.is_enabled': true })
    .whereRaw(`i.settings ->> 'entityId' = ?`, [issuer])
    .select('i.*');

/** Those that an answer may be for: also by the company's identifier when it is said. */
export async function findByIssuer(
  work: Work,
  issuer: string,
  companyIdentifier: string | null,
): Promise<StoredConnection[]> {
  const query = ofIssuer(work, issuer).orderBy('i.created_at').limit(maxOfIssuer);
  if (companyIdentifier !== null)
    query.join('companies as c', 'c.id', 'i.company_id').where('c.identifier', companyIdentifier);
  return (await query).map(toConnection);
}

/** A logout names no company, and one identity provider may serve many: each is judged by itself, and costs some thousandths of a second. */
const maxOfLogout = 100;

/** Those first through which somebody is logged in: what a logout can mean. */
export async function findForLogout(work: Work, issuer: string): Promise<StoredConnection[]> {
  const rows = await ofIssuer(work, issuer)
    .orderByRaw(
      'exists (select from sessions s where s.connection_id = i.id and s.ended_at is null) desc, i.created_at',
    )
    .limit(maxOfLogout);
  return rows.map(toConnection);
}

export async function isKnownIdentifier(work: Work, companyIdentifier: string): Promise<boolean> {
  return (await work.store.db('companies').where({ identifier: companyIdentifier }).first('id')) !== undefined;
}

/** How people of a company may log in through upstreams, and whether this one has to. */
export interface SsoRoute {
  connections: { id: ConnectionId; name: string }[];
  isEnforced: boolean;
}

export const noRoute: SsoRoute = { connections: [], isEnforced: false };

// Prepared, since every sign-in asks it, and planning it takes longer than its answer.
const route = {
  name: 'sign_in_route',
  text: `
    select i.id, i.name, i.enforce_state = 'on' or (i.enforce_state = 'trial' and i.trial_ends_at > $3) as is_enforced,
      exists (select 1 from users u where u.company_id = c.id and u.username_key = $2 and u.base_status <> 'Deleted'
        and (u.role = 'Root Admin' or exists (select 1 from break_glass_people b
          where b.user_id = u.id and (b.ends_at is null or b.ends_at > $3)))) as is_exempt
    from companies c join idp_connections i on i.company_id = c.id and i.is_enabled
    where c.name_key = $1 order by i.name, i.id limit 20`,
};

interface RouteRow {
  id: ConnectionId;
  name: string;
  is_enforced: boolean;
  is_exempt: boolean;
}

/**
 * Only the company decides, but for those whom the company excepted (Root, break-glass): an unknown name is led the same way as
 * anybody's (AUT-05).
 */
export async function findRoute(
  { store, now }: Work,
  of: { companyKey: string; usernameKey: string },
): Promise<SsoRoute> {
  const { rows } = await store.prepared.run<RouteRow>(route, [of.companyKey, of.usernameKey, now]);
  return {
    connections: rows.map(({ id, name }) => ({ id, name })),
    isEnforced: rows.some(({ is_enforced }) => is_enforced) && !rows.some(({ is_exempt }) => is_exempt),
  };
}

/** The company whose proved domain an address is of. */
export async function findCompanyOfAddress(
  work: Work,
  address: string,
): Promise<{ id: CompanyId; name: string } | null> {
  const domain = /^[^@\s]+@([^@\s]+)$/.exec(address.trim())?.[1]?.toLowerCase();
  if (!domain) return null;
  const row: { id: CompanyId; name: string } | undefined = await work.store
    .db('email_domains as d')
    .join('companies as c', 'c.id', 'd.company_id')
    .where('d.domain', domain)
    .whereNotNull('d.verified_at')
    .whereExists((any) =>
      any.from('idp_connections as i').whereRaw('i.company_id = c.id and i.is_enabled').select(work.store.db.raw('1')),
    )
    .first('c.id', 'c.name');
  return row ?? null;
}
