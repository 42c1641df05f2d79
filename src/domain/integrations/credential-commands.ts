import { notFound, standsInTheWay } from '../../lib/errors.ts';
import { type CompanyId, type InstanceId, newId } from '../../lib/ids.ts';
import { after } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authoriseInstance } from '../roles/authority.ts';
import { hashOf, newSecret, overlap } from './credential.ts';
import type { Machine } from './credential-repository.ts';

export interface NewCredential {
  id: string;
  /** In clear, this once. */
  secret: string;
}

/** Which instance a secret speaks for; null when for none. */
export async function findMachine(work: Work, secret: string): Promise<Machine | null> {
  const secretHash = hashOf(secret);
  return secretHash === null ? null : work.store.machines.findBySecret(secretHash, work.now);
}

/** A new credential beside the ones there are; they end at `othersEndAt`. The caller has authorised, and holds the instance. */
export async function issueCredential(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  othersEndAt: Date,
): Promise<NewCredential> {
  const { machines } = work.store.of(companyId);
  const { secret, secretHash } = newSecret();
  const id = newId();
  await machines.insert(instanceId, { id, secretHash, createdAt: work.now });
  await machines.endOthers(instanceId, id, othersEndAt);
  return { id, secret };
}

/** The module changes its key without a pause: the older ones go on for a day. */
export async function rotateCredential(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
): Promise<NewCredential & { othersEndAt: Date }> {
  await authoriseInstance(work, companyId, instanceId);
  return transaction(work, async (work) => {
    const instance = await work.store.of(companyId).instances.hold(instanceId);
    if (!instance) throw notFound('module');
    const othersEndAt = after(work.now, overlap);
    const credential = await issueCredential(work, companyId, instanceId, othersEndAt);
    await record(work, {
      action: 'module.credential.new',
      companyId,
      target: { kind: 'module', id: instance.moduleId },
      details: { name: instance.name, instanceId, credentialId: credential.id, othersEndAt },
    });
    return { ...credential, othersEndAt };
  });
}

/**
 * Ends one at once.
 * @throws AppError 409 for the last one: without a key the module could not even disconnect
 */
export async function endCredential(
  work: Work,
  companyId: CompanyId,
  { instanceId, id }: { instanceId: InstanceId; id: string },
): Promise<void> {
  await authoriseInstance(work, companyId, instanceId);
  await transaction(work, async (work) => {
    const { instances, machines } = work.store.of(companyId);
    const instance = await instances.hold(instanceId);
    if (!instance) throw notFound('module');
    const known = await machines.list(instanceId);
    if (!known.some((credential) => credential.id === id)) throw notFound('credential');
    // One that ends by itself is no way in to rely on, so it must not be what is left.
    const staying = known.filter(({ id: other, endsAt }) => other !== id && endsAt === null);
    if (staying.length === 0)
      throw standsInTheWay('last_credential', 'This is the last credential that stays. Make a new one first.');
    await machines.delete(instanceId, id);
    await record(work, {
      action: 'module.credential.end',
      companyId,
      target: { kind: 'module', id: instance.moduleId },
      details: { name: instance.name, instanceId, credentialId: id },
    });
  });
}
