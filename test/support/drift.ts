// A connected module whose accounts are read from a SCIM service under test, and the job that reads them.
import type { Company } from '../../src/domain/companies/company.ts';
import type { SettingsInput } from '../../src/domain/integrations/settings.ts';
import { connectModule, createModule } from '../../src/domain/modules/commands.ts';
import type { Reading } from '../../src/domain/provisioning/drift.ts';
import { requestReading } from '../../src/domain/provisioning/drift-commands.ts';
import { type AccountLimits, accountLimits, readAccountsJobOf } from '../../src/jobs/read-accounts.ts';
import { type InstanceId, newId } from '../../src/lib/ids.ts';
import { createOutgoing } from '../../src/lib/outgoing.ts';
import type { TestApp } from './app.ts';
import type { ScimServer } from './scim-server.ts';

export const driftProfile = {
  capabilities: ['require', 'provision', 'deprovision', 'accessGroups', 'userImport'],
  fields: [
    {
      name: 'permission',
      label: 'Permission',
      type: 'permission',
      choices: ['Team Access', 'Reports', 'Administrator'],
    },
    { name: 'timeZone', label: 'Time zone', type: 'timeZone' },
  ],
  administrators: ['Administrator'],
  deletion: 'remove',
};

export const quickLimits: AccountLimits = { ...accountLimits, count: 50, pageTimeoutMs: 1000, pauses: [10, 20] };

export async function connectForDrift(
  app: TestApp,
  company: Company,
  scim: ScimServer,
  profile: Record<string, unknown> = {},
): Promise<InstanceId> {
  const { module } = await createModule(
    app.operator(),
    {
      name: 'Workplace',
      profile: { ...driftProfile, ...profile },
      metadata: { redirect_uris: ['https://module.example/cb'] },
    },
    app.runtime.complaint,
  );
  const connected = { clientId: module.clientId, scim: { url: scim.url, token: scim.token } };
  return (await connectModule(app.operator(), company.id, connected)).instanceId;
}

/** All switches that concern accounts are on, unless told. */
export async function setDriftSettings(
  app: TestApp,
  company: Company,
  instanceId: InstanceId,
  change: Partial<Omit<SettingsInput, 'require'>> = {},
): Promise<void> {
  const { integrations } = app.runtime.store.of(company.id);
  await integrations.hold(instanceId);
  await integrations.save(
    instanceId,
    {
      enabled: true,
      provisioning: { on: true, values: { permission: 'Team Access', timeZone: 'Europe/Berlin' } },
      deprovisioning: { on: true, graceDays: 14, removal: 'remove' },
      accessGroups: { on: false, rules: [] },
      ...change,
    },
    'test',
    app.clock.now(),
  );
}

/** As if this account, which is linked, had been made from here with a time zone. */
export async function makeHere(
  app: TestApp,
  company: Company,
  instanceId: InstanceId,
  { externalId, timeZone }: { externalId: string; timeZone: string },
): Promise<void> {
  const { db } = app.runtime;
  const own = { instance_id: instanceId, external_id: externalId };
  const [row] = await db('module_accounts').where(own).update({ linked_by: 'created' }).returning('*');
  await db('deliveries').insert({
    ...own,
    id: newId(),
    company_id: company.id,
    instance_name: 'Workplace',
    user_id: row.user_id,
    person: 'Pat Example',
    channel: 'scim',
    act: 'create',
    reason: 'provisioned',
    wanted: JSON.stringify({ active: true, timeZone }),
    state: 'verified',
    attempts: 1,
    queued_at: app.clock.now(),
  });
}

/** Reads and judges, as the queue would do it. */
export async function readNow(
  app: TestApp,
  company: Company,
  instanceId: InstanceId,
  limits: Partial<AccountLimits> = {},
): Promise<Reading> {
  // A page is asked for later than what was confirmed before.
  app.clock.advance(1000);
  const { id } = await requestReading(app.operator(), company.id, instanceId);
  await runReading(app, company, instanceId, id, limits);
  const reading = await app.runtime.store.of(company.id).drift.findById(id);
  if (!reading) throw new Error('the reading is gone');
  return reading;
}

export async function runReading(
  app: TestApp,
  company: Company,
  instanceId: InstanceId,
  readId: string | undefined,
  limits: Partial<AccountLimits> = {},
): Promise<void> {
  const job = readAccountsJobOf(createOutgoing({ mayReachLoopback: true }), { ...quickLimits, ...limits });
  await job.handle(app.runtime.work({ kind: 'system', name: 'jobs' }), {
    companyId: company.id,
    instanceId,
    trigger: 'page',
    ...(readId === undefined ? {} : { readId }),
  });
}
