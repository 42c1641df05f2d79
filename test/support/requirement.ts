// A connected module whose login can be required: what its list of accounts told, and who came in through us.
import type { Company } from '../../src/domain/companies/company.ts';
import { addException } from '../../src/domain/integrations/exception-commands.ts';
import type { SettingsInput } from '../../src/domain/integrations/settings.ts';
import { saveSettings } from '../../src/domain/integrations/settings-commands.ts';
import type { NewInstance } from '../../src/domain/modules/commands.ts';
import { newId } from '../../src/lib/ids.ts';
import { after, days } from '../../src/lib/time.ts';
import type { Work } from '../../src/work.ts';
import { type ConnectedModule, makeConnected } from './api.ts';
import type { TestApp } from './app.ts';
import { answerOf, authorizeAddress, makePerson, redeem, signIn, type TestPerson } from './people.ts';

export const allOff: SettingsInput = {
  enabled: true,
  require: false,
  provisioning: { on: false, values: {} },
  deprovisioning: { on: false, graceDays: 14, removal: 'disable' },
  accessGroups: { on: false, rules: [] },
};

/** The same as a module sends it. */
export const wire = (input: SettingsInput) => ({
  enabled: input.enabled,
  require: input.require,
  provisioning: input.provisioning,
  deprovisioning: {
    on: input.deprovisioning.on,
    grace_days: input.deprovisioning.graceDays,
    removal: input.deprovisioning.removal,
  },
  access_groups: {
    on: input.accessGroups.on,
    rules: input.accessGroups.rules.map(({ groupId, permission }) => ({ group_id: groupId, permission })),
  },
});

export const asPerson = (app: TestApp, { user }: TestPerson): Work =>
  app.runtime.work({ kind: 'user', id: user.id, name: user.username });

export interface GivenAccount {
  isActive?: boolean;
  isAdministrator?: boolean;
  hasLocalLogin?: boolean | null;
  email?: string;
}

/** What a reading of the module's accounts would leave behind. */
export async function accountsWereRead(
  app: TestApp,
  company: Company,
  { instanceId }: Pick<ConnectedModule, 'instanceId'>,
  accounts: Record<string, GivenAccount>,
): Promise<void> {
  const now = app.clock.now();
  const of = { company_id: company.id, instance_id: instanceId };
  await app.runtime.db('drift_reads').insert({
    id: newId(),
    ...of,
    cause: 'page',
    asked_by: 'test',
    state: 'done',
    asked_at: now,
    changed_at: now,
    finished_at: now,
  });
  const rows = Object.entries(accounts).map(([id, account]) => ({
    ...of,
    external_id: id,
    user_name: `${id}@northwind.example`,
    first_name: id,
    email: account.email ?? `${id}@northwind.example`,
    email_key: account.email ?? `${id}@northwind.example`,
    is_active: account.isActive ?? true,
    is_administrator: account.isAdministrator ?? false,
    has_local_login: account.hasLocalLogin === undefined ? true : account.hasLocalLogin,
    confirmed_at: now,
  }));
  if (rows.length > 0) await app.runtime.db('module_accounts').insert(rows);
}

/** A person enters the module through us, as the module's callback would end it. */
export async function enter(app: TestApp, module: ConnectedModule, person: TestPerson): Promise<void> {
  const began = Math.floor(Date.now() / 1000);
  const answer = answerOf(await signIn(app, app.visitor(), person, authorizeAddress(module)));
  const { status } = await redeem(app, module, answer.get('code') ?? '');
  if (status !== 200) throw new Error(`the code was not redeemed (${status})`);
  // The engine has a clock of its own, which no test moves: what it wrote down is moved after it.
  await app.runtime.db.raw(
    `update oidc_records set payload = jsonb_set(payload, '{iat}', to_jsonb(?::bigint))
     where kind = 'AccessToken' and client_id = ? and account_id = ? and (payload ->> 'iat')::bigint >= ?`,
    [Math.floor(app.clock.now().getTime() / 1000), module.clientId, person.user.id, began],
  );
}

export interface Stage {
  company: Company;
  module: ConnectedModule;
  admin: TestPerson;
  /** The administrator of the company, in the console. */
  console(): Work;
}

export async function makeStage(app: TestApp, company: Company, instance: Partial<NewInstance> = {}): Promise<Stage> {
  const admin = await makePerson(app, company, { role: 'Admin' });
  const module = await makeConnected(app, company, {
    product: { product: 'workplace' },
    instance: {
      name: 'Northwind IT',
      scim: { url: 'https://workplace.example/scim/v2', token: 'a-token' },
      localLoginUrl: 'https://workplace.example/login/local',
      ...instance,
    },
  });
  return { company, module, admin, console: () => asPerson(app, admin) };
}

export const exempts = (app: TestApp, { company, module, console }: Stage, accountId: string, more: object = {}) =>
  addException(console(), company.id, module.instanceId, {
    accountId,
    kind: 'person',
    reason: 'On call',
    endsAt: after(app.clock.now(), days(30)),
    noEnd: false,
    ...more,
  });

/** Two administrators exempt, accounts read, the admin has just come in: nothing stands in the way. */
export async function makeReady(app: TestApp, company: Company): Promise<Stage> {
  const stage = await makeStage(app, company);
  await accountsWereRead(app, company, stage.module, {
    ada: { isAdministrator: true },
    ben: { isAdministrator: true },
    carl: {},
    dora: { isActive: false },
  });
  await exempts(app, stage, 'ada');
  await exempts(app, stage, 'ben');
  await enter(app, stage.module, stage.admin);
  return stage;
}

export async function settingsOf(app: TestApp, { company, module }: Stage) {
  const settings = await app.runtime.store.of(company.id).integrations.find(module.instanceId);
  if (!settings) throw new Error('the instance is gone');
  return settings;
}

export async function save(
  app: TestApp,
  stage: Stage,
  settings: Partial<SettingsInput>,
  override: string | null = null,
) {
  const { version } = await settingsOf(app, stage);
  const input = { version, settings: { ...allOff, ...settings }, override };
  return saveSettings(stage.console(), stage.company.id, stage.module.instanceId, input);
}

export async function eventsOf(app: TestApp, { company, module }: Stage, action: string) {
  const rows: { details: Record<string, unknown>; actor: { kind: string; name: string } }[] = await app.runtime
    .db('audit_events')
    .where({ company_id: company.id, action, target_id: module.instanceId })
    .orderBy('id');
  return rows;
}

export async function mailsOf(app: TestApp, { company }: Stage, kind: string): Promise<string[]> {
  return app.runtime.db('mails').where({ company_id: company.id, kind }).orderBy('id').pluck('recipient');
}
