// The settings of one instance as its module and its pages read them. No rules here.

import { notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authoriseInstance } from '../roles/authority.ts';
import { type Connected, getConnected } from './requirement-queries.ts';
import type { Exception, Settings } from './settings.ts';
import { isInForce } from './ways-in.ts';

export interface SettingsView {
  connected: Connected;
  settings: Settings;
  /** Those in force: what has ended exempts nobody, and is nothing for a module to keep. */
  exceptions: Exception[];
}

/** @throws AppError 404 */
export async function readSettingsView(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
): Promise<SettingsView> {
  await authoriseInstance(work, companyId, instanceId);
  const { integrations, exceptions } = work.store.of(companyId);
  // The version first: whatever changes behind it is told by the next one.
  const settings = await integrations.find(instanceId);
  if (!settings) throw notFound('module');
  const connected = await getConnected(work, companyId, instanceId);
  const all = await exceptions.list(instanceId);
  return { connected, settings, exceptions: all.filter((one) => isInForce(one, work.now)) };
}

/** The version alone, for whoever asks whether anything is new. */
export async function readVersion(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<number> {
  await authoriseInstance(work, companyId, instanceId);
  const row = await work.store.of(companyId).instances.findById(instanceId);
  if (!row) throw notFound('module');
  return row.version;
}
