import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { after, minutes } from '../../lib/time.ts';
import type { MachineCredential } from './credential.ts';

/** Who a secret speaks for. */
export interface Machine {
  credentialId: string;
  companyId: CompanyId;
  instanceId: InstanceId;
  /** Client id and name of the product. */
  clientId: string;
  module: string;
}

interface CredentialRow {
  id: string;
  company_id: CompanyId;
  instance_id: InstanceId;
  secret_hash: string;
  created_at: Date;
  last_used_at: Date | null;
  ends_at: Date | null;
}

/** By the secret alone, whosever it is: the tenant follows from the credential and from nothing else (API-08). */
export function machineRepository(db: Database) {
  return {
    /** @returns null for a secret that is unknown or has ended. One statement; notes the use once a minute. */
    async findBySecret(secretHash: string, now: Date): Promise<Machine | null> {
      const row = await db('instance_credentials as c')
        .join('module_instances as i', 'i.id', 'c.instance_id')
        .join('modules as m', 'm.id', 'i.module_id')
        .where('c.secret_hash', secretHash)
        .where((live) => live.whereNull('c.ends_at').orWhere('c.ends_at', '>', now))
        .first<(Machine & { lastUsedAt: Date | null }) | undefined>({
          credentialId: 'c.id',
          companyId: 'c.company_id',
          instanceId: 'c.instance_id',
          clientId: 'm.client_id',
          module: 'm.name',
          lastUsedAt: 'c.last_used_at',
        });
      if (!row) return null;
      const { lastUsedAt, ...machine } = row;
      if (lastUsedAt === null || lastUsedAt < after(now, -minutes(1)))
        // Of many that come at the same moment one writes.
        await db('instance_credentials')
          .where({ id: machine.credentialId })
          .where((old) => old.whereNull('last_used_at').orWhere('last_used_at', '<', after(now, -minutes(1))))
          .update({ last_used_at: now });
      return machine;
    },

    /** Removes the ended ones. @returns how many */
    async purgeEnded(now: Date, limit: number): Promise<number> {
      const { rowCount }: { rowCount: number } = await db.raw(
        `delete from instance_credentials where id in (
           select id from instance_credentials where ends_at <= ? order by ends_at limit ? for update skip locked)`,
        [now, limit],
      );
      return rowCount;
    },
  };
}

export function credentialsRepository(db: Database, companyId: CompanyId) {
  const of = (instanceId: InstanceId) =>
    db<CredentialRow>('instance_credentials').where({ company_id: companyId, instance_id: instanceId });
  return {
    async insert(
      instanceId: InstanceId,
      credential: { id: string; secretHash: string; createdAt: Date },
    ): Promise<void> {
      await db<CredentialRow>('instance_credentials').insert({
        id: credential.id,
        company_id: companyId,
        instance_id: instanceId,
        secret_hash: credential.secretHash,
        created_at: credential.createdAt,
      });
    },

    /** Newest first. */
    async list(instanceId: InstanceId): Promise<MachineCredential[]> {
      return of(instanceId)
        .orderBy([
          { column: 'created_at', order: 'desc' },
          { column: 'id', order: 'desc' },
        ])
        .select({
          id: 'id',
          createdAt: 'created_at',
          lastUsedAt: 'last_used_at',
          endsAt: 'ends_at',
        });
    },

    /** Gives all but one an end; an end that is nearer stays. */
    async endOthers(instanceId: InstanceId, keptId: string, endsAt: Date): Promise<void> {
      await of(instanceId)
        .whereNot('id', keptId)
        .where((later) => later.whereNull('ends_at').orWhere('ends_at', '>', endsAt))
        .update({ ends_at: endsAt });
    },

    async delete(instanceId: InstanceId, id: string): Promise<void> {
      await of(instanceId).where({ id }).delete();
    },
  };
}
