// The plainest PostgreSQL adapter that a good engineer would write: one table, one statement per call, autocommit.
// Named statements, so that PostgreSQL plans each once per connection.

import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Pool } from 'pg';

export const schema = `
  create table oidc_payloads (
    model text not null,
    id text not null,
    payload jsonb not null,
    grant_id text,
    user_code text,
    uid text,
    expires_at timestamptz,
    consumed_at timestamptz,
    primary key (model, id)
  );
  create index oidc_payloads_grant_id on oidc_payloads (grant_id) where grant_id is not null;
  create index oidc_payloads_user_code on oidc_payloads (user_code) where user_code is not null;
  create index oidc_payloads_uid on oidc_payloads (uid) where uid is not null;
`;

const upsertSql = `
  insert into oidc_payloads (model, id, payload, grant_id, user_code, uid, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (model, id) do update set payload = excluded.payload, grant_id = excluded.grant_id,
    user_code = excluded.user_code, uid = excluded.uid, expires_at = excluded.expires_at`;

const findSql = (column: string): string => `
  select payload, consumed_at from oidc_payloads
  where model = $1 and ${column} = $2 and (expires_at is null or expires_at > now())`;

interface Row {
  payload: AdapterPayload;
  consumed_at: Date | null;
}

export function createAdapter(pool: Pool): (model: string) => Adapter {
  return (model) => ({
    async upsert(id, payload, expiresIn) {
      const expiresAt = expiresIn ? new Date(Date.now() + expiresIn * 1000) : null;
      const { grantId = null, userCode = null, uid = null } = payload;
      const values = [model, id, JSON.stringify(payload), grantId, userCode, uid, expiresAt];
      await pool.query({ name: 'upsert', text: upsertSql, values });
    },
    find: (id) => find(pool, 'id', [model, id]),
    findByUid: (uid) => find(pool, 'uid', [model, uid]),
    findByUserCode: (userCode) => find(pool, 'user_code', [model, userCode]),
    async consume(id) {
      const text = 'update oidc_payloads set consumed_at = now() where model = $1 and id = $2';
      await pool.query({ name: 'consume', text, values: [model, id] });
    },
    async destroy(id) {
      const text = 'delete from oidc_payloads where model = $1 and id = $2';
      await pool.query({ name: 'destroy', text, values: [model, id] });
    },
    async revokeByGrantId(grantId) {
      const text = 'delete from oidc_payloads where grant_id = $1';
      await pool.query({ name: 'revoke', text, values: [grantId] });
    },
  });
}

async function find(pool: Pool, column: string, values: string[]): Promise<AdapterPayload | undefined> {
  const { rows } = await pool.query<Row>({ name: `find-by-${column}`, text: findSql(column), values });
  const row = rows[0];
  if (!row) return undefined;
  return row.consumed_at ? { ...row.payload, consumed: Math.floor(row.consumed_at.getTime() / 1000) } : row.payload;
}

/** Everything in the process, nothing expires: for the engine's own costs, which no storage can beat. */
export function createMemoryAdapter(): (model: string) => Adapter {
  return () => {
    const records = new Map<string, AdapterPayload>();
    const uids = new Map<string, string>();
    return {
      async upsert(id, payload) {
        records.set(id, payload);
        if (payload.uid) uids.set(payload.uid, id);
      },
      find: async (id) => records.get(id),
      findByUid: async (uid) => records.get(uids.get(uid) ?? ''),
      findByUserCode: async () => undefined,
      async consume(id) {
        const payload = records.get(id);
        if (payload) records.set(id, { ...payload, consumed: Math.floor(Date.now() / 1000) });
      },
      async destroy(id) {
        records.delete(id);
      },
      // Nobody revokes while the engine is measured.
      async revokeByGrantId() {},
    };
  };
}
