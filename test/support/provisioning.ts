// A connected module with everything switched on, and accounts that are linked to people, for tests of provisioning.
import type { Company } from '../../src/domain/companies/company.ts';
import type { SettingsInput } from '../../src/domain/integrations/settings.ts';
import { connectModule, createModule } from '../../src/domain/modules/commands.ts';
import { type Profile, profileSchema } from '../../src/domain/modules/profile.ts';
import type { Delivery, LinkedBy } from '../../src/domain/provisioning/account.ts';
import { type DeliveryRow, toDelivery } from '../../src/domain/provisioning/delivery-repository.ts';
import type { InstanceId, UserId } from '../../src/lib/ids.ts';
import { transaction } from '../../src/work.ts';
import type { TestApp } from './app.ts';
import { type FakeAccount, fakeAccount, type ScimModule } from './scim-module.ts';

export const workplace = {
  capabilities: ['require', 'provision', 'deprovision', 'accessGroups', 'events'],
  fields: [
    { name: 'permission', label: 'Permissions', type: 'permission', choices: ['Read only', 'Team', 'Full'] },
    { name: 'timeZone', label: 'Time-zone', type: 'timeZone' },
  ],
  administrators: ['Full'],
} as const;

export interface Connected {
  company: Company;
  instanceId: InstanceId;
  clientId: string;
  profile: Profile;
}

let counter = 0;

export async function connectFake(
  app: TestApp,
  company: Company,
  fake: ScimModule,
  more: {
    profile?: object;
    metadata?: object;
    events?: boolean;
    scim?: boolean;
    settings?: Partial<Omit<SettingsInput, 'require'>>;
  } = {},
): Promise<Connected> {
  const profile = profileSchema.parse({ ...workplace, ...more.profile });
  const { module } = await createModule(
    app.operator(),
    {
      name: `Workplace ${++counter}`,
      metadata: { redirect_uris: [`${fake.origin}/callback`], ...more.metadata },
      profile,
    },
    app.runtime.complaint,
  );
  const { instanceId } = await connectModule(app.operator(), company.id, {
    clientId: module.clientId,
    ...(more.scim === false ? {} : { scim: fake.scim }),
    ...(more.events === false ? {} : { eventsUrl: fake.eventsUrl }),
  });
  await setSettings(app, company, instanceId, more.settings);
  return { company, instanceId, clientId: module.clientId, profile };
}

/** As Save would, but without its hint. */
export async function setSettings(
  app: TestApp,
  company: Company,
  instanceId: InstanceId,
  settings: Partial<Omit<SettingsInput, 'require'>> = {},
): Promise<void> {
  await transaction(app.operator(), async (work) => {
    const { integrations } = work.store.of(company.id);
    await integrations.hold(instanceId);
    await integrations.save(
      instanceId,
      {
        enabled: true,
        provisioning: { on: false, values: { permission: 'Read only', timeZone: 'UTC' } },
        deprovisioning: { on: true, graceDays: 14, removal: 'remove' },
        accessGroups: { on: false, rules: [] },
        ...settings,
      },
      'test',
      app.clock.now(),
    );
  });
}

/** An account that the module has, and that is this person's. */
export async function giveAccount(
  app: TestApp,
  { company, instanceId }: Pick<Connected, 'company' | 'instanceId'>,
  fake: ScimModule,
  account: FakeAccount,
  userId: UserId | null,
  by: LinkedBy = 'entry',
): Promise<FakeAccount> {
  fake.add(account);
  await transaction(app.operator(), async ({ store, now }) => {
    const { accounts } = store.of(company.id);
    await accounts.confirm(
      instanceId,
      {
        externalId: account.id,
        username: account.userName,
        email: account.emails[0]?.value ?? '',
        firstName: account.name.givenName,
        lastName: account.name.familyName,
        isActive: account.active,
        permissions: (account.roles ?? []).map(({ value }) => value),
        timeZone: account.timezone ?? null,
        knownAs: account.externalId ?? null,
        hasLocalLogin: true,
        isAdministrator: (account.roles ?? []).some(({ value }) => value === 'Full'),
        etag: null,
      },
      now,
    );
    if (userId) await accounts.link(instanceId, account.id, { userId, by, now });
  });
  return account;
}

export async function deliveriesOf(app: TestApp, instanceId: InstanceId, userId?: UserId): Promise<Delivery[]> {
  const query = app.runtime.db<DeliveryRow>('deliveries').where({ instance_id: instanceId }).orderBy('seq');
  if (userId) query.where({ user_id: userId });
  return (await query).map(toDelivery);
}

/** Many people at once, all of them active with an account of their own; made in a few statements. */
export async function makeCrowd(
  app: TestApp,
  { company, instanceId }: Connected,
  fake: ScimModule,
  count: number,
  prefix: string,
): Promise<UserId[]> {
  const { db } = app.runtime;
  const all = await app.runtime.store.of(company.id).groups.getSystem('system-all');
  const { rows }: { rows: { id: UserId; email: string }[] } = await db.raw(
    `insert into users (id, company_id, username, username_key, email, email_key, email_verified_at, first_name, last_name, role,
       base_status, source, created_at)
     select gen_random_uuid(), :companyId, name, name, name || '@example.com', name || '@example.com', now(), 'Crowd', 'Person', 'User',
       'Active', 'api', now()
     from (select :prefix || n as name from generate_series(1, :count) as n) names returning id, email`,
    { companyId: company.id, prefix, count },
  );
  await db.raw(`insert into group_members (company_id, group_id, user_id) select ?, ?, unnest(?::uuid[])`, [
    company.id,
    all.id,
    rows.map(({ id }) => id),
  ]);
  for (const { id, email } of rows) fake.add(fakeAccount(email, { id: `acc-${id}` }));
  await db.raw(
    `insert into module_accounts (company_id, instance_id, external_id, user_name, email, email_key, first_name, last_name, is_active,
       permissions, confirmed_at, user_id, linked_by, linked_at, life)
     select company_id, :instanceId, 'acc-' || id, email, email, email_key, 'Crowd', 'Person', true, '{Team}', now(), id, 'entry', now(), 'live'
     from users where company_id = :companyId and id = any(:ids)`,
    { companyId: company.id, instanceId, ids: rows.map(({ id }) => id) },
  );
  return rows.map(({ id }) => id);
}
