import type { Database } from '../../db/knex.ts';
import type { Resealing } from '../../lib/secrets.ts';
import type { SigningAlgorithm, SigningKey } from './signing-key.ts';

interface Row {
  kid: string;
  alg: SigningAlgorithm;
  sealed_private_jwk: string;
  public_jwk: Record<string, unknown>;
  state: SigningKey['state'];
  created_at: Date;
  retires_at: Date | null;
}

export function keyRepository(db: Database) {
  return {
    /** Keys that are still published. */
    async listLive(now: Date): Promise<SigningKey[]> {
      const rows = await db<Row>('signing_keys').where((query) =>
        query.whereNull('retires_at').orWhere('retires_at', '>', now),
      );
      return rows.map((row) => ({
        kid: row.kid,
        alg: row.alg,
        state: row.state,
        publicJwk: row.public_jwk,
        sealedPrivateJwk: row.sealed_private_jwk,
        createdAt: row.created_at,
        retiresAt: row.retires_at,
      }));
    },

    async insert(key: SigningKey): Promise<void> {
      await db('signing_keys').insert({
        kid: key.kid,
        alg: key.alg,
        sealed_private_jwk: key.sealedPrivateJwk,
        public_jwk: JSON.stringify(key.publicJwk),
        state: key.state,
        created_at: key.createdAt,
        retires_at: key.retiresAt,
      });
    },

    /** One node at a time makes or turns keys; the others wait and then see the result. */
    async lockAll(): Promise<void> {
      await db.raw('lock table signing_keys in share row exclusive mode');
    },

    /** current -> previous (until `retiresAt`), next -> current. */
    async turn(retiresAt: Date): Promise<void> {
      await db('signing_keys').where({ state: 'current' }).update({ state: 'previous', retires_at: retiresAt });
      await db('signing_keys').where({ state: 'next' }).update({ state: 'current' });
    },

    /** Keys that another encryption key has sealed, sealed anew (API-15). */
    async resealKeys({ keyId, limit, reseal }: Resealing): Promise<number> {
      const rows = await db<Row>('signing_keys')
        .whereRaw('left(sealed_private_jwk, ?) <> ?', [keyId.length + 1, `${keyId}.`])
        .limit(limit);
      for (const { kid, sealed_private_jwk } of rows)
        await db('signing_keys')
          .where({ kid, sealed_private_jwk })
          .update({ sealed_private_jwk: reseal(sealed_private_jwk) });
      return rows.length;
    },

    async findSecret(name: string): Promise<string | null> {
      const row: { sealed_value: string } | undefined = await db('lasting_secrets')
        .where({ name })
        .first('sealed_value');
      return row?.sealed_value ?? null;
    },

    /** Nothing happens when another node was faster. */
    async insertSecret(name: string, sealedValue: string, createdAt: Date): Promise<void> {
      await db('lasting_secrets')
        .insert({ name, sealed_value: sealedValue, created_at: createdAt })
        .onConflict('name')
        .ignore();
    },

    /** @returns false when another one stands there by now */
    async replaceSecret(name: string, present: string, sealedValue: string): Promise<boolean> {
      const count = await db('lasting_secrets')
        .where({ name, sealed_value: present })
        .update({ sealed_value: sealedValue });
      return count > 0;
    },

    async resealSecrets({ keyId, limit, reseal }: Resealing): Promise<number> {
      const rows: { name: string; sealed_value: string }[] = await db('lasting_secrets')
        .whereRaw('left(sealed_value, ?) <> ?', [keyId.length + 1, `${keyId}.`])
        .limit(limit);
      for (const { name, sealed_value } of rows)
        await db('lasting_secrets')
          .where({ name, sealed_value })
          .update({ sealed_value: reseal(sealed_value) });
      return rows.length;
    },

    async deleteRetired(now: Date): Promise<number> {
      return db('signing_keys').where('retires_at', '<=', now).delete();
    },
  };
}
