// A connected module whose accounts have been read, for the console's pages, and forms with fields that repeat.
import type { Company } from '../../src/domain/companies/company.ts';
import type { Settings, SettingsInput } from '../../src/domain/integrations/settings.ts';
import { saveSettings } from '../../src/domain/integrations/settings-commands.ts';
import type { InstanceId, UserId } from '../../src/lib/ids.ts';
import { newId } from '../../src/lib/ids.ts';
import type { TestApp } from './app.ts';
import { authorizeAddress, redeem, type TestModule } from './people.ts';
import { type Page, type Visitor, wordsOf } from './visitor.ts';

export interface AccountOptions {
  id: string;
  userName?: string;
  userId?: UserId | null;
  isAdministrator?: boolean;
  isActive?: boolean;
  hasLocalLogin?: boolean | null;
}

/** As if the module had told of it. */
export async function tellAccount(
  app: TestApp,
  company: Company,
  instanceId: InstanceId,
  { id, userName = `${id}@module.example`, userId = null, ...rest }: AccountOptions,
): Promise<void> {
  await app.runtime.db('module_accounts').insert({
    company_id: company.id,
    instance_id: instanceId,
    external_id: id,
    user_name: userName,
    email: userName,
    email_key: userName,
    is_active: rest.isActive ?? true,
    has_local_login: rest.hasLocalLogin === undefined ? true : rest.hasLocalLogin,
    is_administrator: rest.isAdministrator ?? false,
    confirmed_at: app.clock.now(),
    user_id: userId,
    linked_by: userId && 'entry',
    linked_at: userId && app.clock.now(),
  });
}

/** As if all accounts had been read just now. */
export async function tellReading(app: TestApp, company: Company, instanceId: InstanceId): Promise<void> {
  await app.runtime.db('drift_reads').insert({
    id: newId(),
    company_id: company.id,
    instance_id: instanceId,
    cause: 'page',
    asked_by: 'test',
    state: 'done',
    asked_at: app.clock.now(),
    changed_at: app.clock.now(),
    finished_at: app.clock.now(),
  });
}

export const settingsOf = async (app: TestApp, company: Company, instanceId: InstanceId): Promise<Settings> => {
  const settings = await app.runtime.store.of(company.id).integrations.find(instanceId);
  if (!settings) throw new Error('not connected');
  return settings;
};

/** Saves as the operator; what is not named stays. Provisioning goes on by an override, since nothing was tested. */
export async function change(
  app: TestApp,
  company: Company,
  instanceId: InstanceId,
  settings: Partial<SettingsInput>,
): Promise<void> {
  const now = await settingsOf(app, company, instanceId);
  const saved = await saveSettings(app.operator(), company.id, instanceId, {
    version: now.version,
    override: 'Under test',
    settings: {
      enabled: now.enabled,
      require: now.require.state !== 'off',
      provisioning: now.provisioning,
      deprovisioning: now.deprovisioning,
      accessGroups: {
        on: now.accessGroups.on,
        rules: now.accessGroups.rules.map(({ groupId, permission }) => ({ groupId, permission })),
      },
      ...settings,
    },
  });
  if (saved.outcome !== 'saved') throw new Error(`settings: ${saved.outcome}`);
}

/** Goes through the module's login with a session that is there already. */
export async function enter(app: TestApp, visitor: Visitor, module: TestModule): Promise<void> {
  const page = await visitor.open(authorizeAddress(module));
  const code = new URL(page.headers.location ?? '', 'https://none.example').searchParams.get('code');
  if (code === null) throw new Error(`not let in: ${page.status} ${page.headers.location ?? page.url}`);
  const { status } = await redeem(app, module, code);
  if (status !== 200) throw new Error(`the code was not redeemed: ${status}`);
}

/** Sends these fields, some of which may repeat, with the token of our own page. */
export async function post(visitor: Visitor, path: string, fields: [string, string][]): Promise<Page> {
  const { body } = await visitor.open('/settings/profile');
  const csrf = /name="csrf" value="([^"]+)"/.exec(body)?.[1] ?? '';
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: visitor.origin };
  const sent = new URLSearchParams([['csrf', csrf], ...fields]).toString();
  return visitor.send(path, { method: 'POST', body: sent, headers });
}

/** What a form would send as it stands: hidden and text fields, chosen options, ticked boxes. */
export function filled(page: Page, action: string): [string, string][] {
  const form = [...page.body.matchAll(/<form\b[\s\S]*?<\/form>/g)]
    .map(([text]) => text)
    .find((text) => text.includes(`action="${action}"`) && text.includes('method="post"'));
  if (form === undefined) throw new Error(`no form to ${action} on ${page.url} (${page.status})`);
  const fields: [string, string][] = [];
  for (const [whole, tag = '', rest = ''] of form.matchAll(/<(input|select)\b([^>]*)>/g)) {
    const name = / name="([^"]*)"/.exec(` ${rest}`)?.[1];
    const type = / type="([^"]*)"/.exec(` ${rest}`)?.[1] ?? '';
    if (name === undefined || name === 'csrf') continue;
    if (['checkbox', 'radio'].includes(type) && !/ checked/.test(rest)) continue;
    const options = tag === 'select' ? form.slice(form.indexOf(whole)).split('</select>')[0] : '';
    const value =
      tag === 'select'
        ? /<option value="([^"]*)" selected/.exec(options ?? '')?.[1]
        : / value="([^"]*)"/.exec(` ${rest}`)?.[1];
    fields.push([name, value ?? '']);
  }
  return fields;
}

/** The same with some of them changed; null takes one away. */
export const but = (fields: [string, string][], changes: Record<string, string | null>): [string, string][] => [
  ...fields.filter(([name]) => !(name in changes)),
  ...Object.entries(changes).flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]])),
];

/** Words of the page itself, without those of header, launcher and navigation. */
export const mainWords = (page: Page): string =>
  wordsOf({ ...page, body: page.body.slice(page.body.indexOf('<main')) });
