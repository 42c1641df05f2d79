// The health handshake: the module says that it is there, by which settings it goes, and what time it takes it to be.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authoriseInstance } from '../roles/authority.ts';

export interface Health {
  /** Version of the kit, or of what stands in its place. */
  kit: string;
  settingsVersion: number | null;
  now: Date;
}

/** @returns the settings' version here, and by how many seconds the module's clock is ahead of ours */
export async function noteHealth(
  work: Work,
  companyId: CompanyId,
  { instanceId, health }: { instanceId: InstanceId; health: Health },
): Promise<{ version: number; clockSkewSeconds: number }> {
  await authoriseInstance(work, companyId, instanceId);
  const { instances } = work.store.of(companyId);
  const { kit, settingsVersion, now } = health;
  const clockSkewSeconds = Math.round((now.getTime() - work.now.getTime()) / 1000);
  const version = await instances.noteContact(instanceId, { kit, settingsVersion, clockSkewSeconds }, work.now);
  if (version === null) throw notFound('module');
  return { version, clockSkewSeconds };
}
