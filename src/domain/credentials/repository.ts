import type { Database } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { newId } from '../../lib/ids.ts';
import type { Resealing } from '../../lib/secrets.ts';

export interface Credential {
  hash: string;
  setAt: Date;
  isSingleUse: boolean;
}

export interface Factor {
  id: string;
  sealedSecret: string;
  confirmedAt: Date;
  lastStep: number;
}

interface FactorRow {
  id: string;
  company_id: string;
  user_id: string;
  kind: 'totp';
  sealed_secret: string;
  confirmed_at: Date;
  // bigint arrives as text.
  last_step: string | number;
}

export function credentialRepository(db: Database, companyId: CompanyId) {
  const own = (userId: UserId) => ({ company_id: companyId, user_id: userId });

  return {
    async findPassword(userId: UserId): Promise<Credential | null> {
      const row: { hash: string; set_at: Date; is_single_use: boolean } | undefined = await db('credentials')
        .where(own(userId))
        .first();
      return row ? { hash: row.hash, setAt: row.set_at, isSingleUse: row.is_single_use } : null;
    },

    /** Replaces the password and keeps the old one for the history. */
    async setPassword(
      userId: UserId,
      credential: Credential & { setBy: UserId | null },
      historyLength: number,
    ): Promise<void> {
      await db.raw(
        `insert into credential_history (company_id, user_id, hash, set_at)
         select company_id, user_id, hash, set_at from credentials where company_id = ? and user_id = ?
         on conflict do nothing`,
        [companyId, userId],
      );
      await db('credentials')
        .insert({
          ...own(userId),
          hash: credential.hash,
          set_at: credential.setAt,
          set_by: credential.setBy,
          is_single_use: credential.isSingleUse,
        })
        .onConflict('user_id')
        .merge(['hash', 'set_at', 'set_by', 'is_single_use']);
      // The present password counts as one of the last n, so n - 1 older ones are kept.
      await db.raw(
        `delete from credential_history where company_id = ? and user_id = ? and set_at not in
           (select set_at from credential_history where user_id = ? order by set_at desc limit ?)`,
        [companyId, userId, userId, Math.max(0, historyLength - 1)],
      );
    },

    /** A stronger hash of the same password (AUT-04); no new date, no history. @returns whether `from` was still the one. */
    async rehash(userId: UserId, from: string, to: string): Promise<boolean> {
      const changed = await db('credentials')
        .where({ ...own(userId), hash: from })
        .update({ hash: to });
      return changed === 1;
    },

    /** Hashes that the next password must not match, the present one first (C38). */
    async lastHashes(userId: UserId, count: number): Promise<string[]> {
      if (count === 0) return [];
      const { rows }: { rows: { hash: string }[] } = await db.raw(
        `select hash from (
           select hash, set_at from credentials where company_id = ? and user_id = ?
           union all select hash, set_at from credential_history where company_id = ? and user_id = ?
         ) known order by set_at desc limit ?`,
        [companyId, userId, companyId, userId, count],
      );
      return rows.map(({ hash }) => hash);
    },

    async erasePassword(userId: UserId): Promise<void> {
      await db('credentials').where(own(userId)).delete();
      await db('credential_history').where(own(userId)).delete();
    },

    async findTotp(userId: UserId): Promise<Factor | null> {
      const row = await db<FactorRow>('factors')
        .where({ ...own(userId), kind: 'totp' })
        .first();
      return row
        ? {
            id: row.id,
            sealedSecret: row.sealed_secret,
            confirmedAt: row.confirmed_at,
            lastStep: Number(row.last_step),
          }
        : null;
    },

    async setTotp(userId: UserId, sealedSecret: string, confirmedAt: Date, lastStep: number): Promise<void> {
      await db('factors')
        .insert({
          id: newId(),
          ...own(userId),
          kind: 'totp',
          sealed_secret: sealedSecret,
          confirmed_at: confirmedAt,
          last_step: lastStep,
        })
        .onConflict(['user_id', 'kind'])
        .merge(['id', 'sealed_secret', 'confirmed_at', 'last_step']);
    },

    /** Takes a time step, once: false when it or a newer one was taken before (AUT-21, F8). */
    async takeStep(userId: UserId, step: number): Promise<boolean> {
      const changed = await db('factors')
        .where({ ...own(userId), kind: 'totp' })
        .where('last_step', '<', step)
        .update({ last_step: step });
      return changed === 1;
    },

    async eraseFactors(userId: UserId): Promise<void> {
      await db('factors').where(own(userId)).delete();
      await db('recovery_codes').where(own(userId)).delete();
    },

    async replaceRecoveryCodes(userId: UserId, codeHashes: string[]): Promise<void> {
      await db('recovery_codes').where(own(userId)).delete();
      if (codeHashes.length === 0) return;
      await db('recovery_codes').insert(codeHashes.map((code_hash) => ({ ...own(userId), code_hash })));
    },

    async countRecoveryCodes(userId: UserId): Promise<number> {
      const row = await db('recovery_codes').where(own(userId)).whereNull('used_at').count('* as count').first();
      return Number(row?.count ?? 0);
    },

    /** Spends a recovery code, once, also under parallel tries (AUT-25). */
    async useRecoveryCode(userId: UserId, codeHash: string, now: Date): Promise<boolean> {
      const changed = await db('recovery_codes')
        .where({ ...own(userId), code_hash: codeHash })
        .whereNull('used_at')
        .update({ used_at: now });
      return changed === 1;
    },

    /** Forgets the browsers that signed in before, all or all but one (AUT-26). */
    async forgetBrowsers(userId: UserId, exceptHash: string | null = null): Promise<void> {
      await db('known_browsers')
        .where(own(userId))
        .where((query) => {
          if (exceptHash !== null) query.whereNot({ browser_hash: exceptHash });
        })
        .delete();
    },
  };
}

/** Some of the factors that another key has sealed, sealed anew; crosses companies, for the job after a change of keys. */
export async function resealFactors(db: Database, { keyId, limit, reseal }: Resealing): Promise<number> {
  const rows = await db<FactorRow>('factors')
    .whereRaw('left(sealed_secret, ?) <> ?', [keyId.length + 1, `${keyId}.`])
    .limit(limit);
  for (const { id, sealed_secret } of rows)
    await db('factors')
      .where({ id, sealed_secret })
      .update({ sealed_secret: reseal(sealed_secret) });
  return rows.length;
}
