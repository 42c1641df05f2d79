// What a person does at the demo's modules and at the provider, in a browser without scripts.
import type { ModuleAccount } from '../../../src/sdk/module.ts';
import type { TestApp } from '../../support/app.ts';
import { freshCode, type TestPerson } from '../../support/people.ts';
import type { StageModule } from '../../support/stage.ts';
import type { Browser, Page } from '../sdk/browser.ts';

export const localPassword = 'correct horse battery';

/** The three pages of the provider, as far as they come; ends wherever the browser is led. */
export async function logInThere(app: TestApp, browser: Browser, start: Page, person: TestPerson): Promise<Page> {
  let page = start;
  if (page.text.includes('name="username"'))
    page = await browser.submit(page, { username: person.user.username, company: person.company.name }, 'identify');
  if (page.text.includes('name="password"') && page.url.startsWith(app.url))
    page = await browser.submit(page, { password: person.password }, 'password');
  if (page.text.includes('name="code"'))
    page = await browser.submit(page, { code: await freshCode(app, person) }, 'code');
  return page;
}

/** From the module's login page through the button, as this person. */
export async function enterBy(app: TestApp, browser: Browser, module: StageModule, person: TestPerson): Promise<Page> {
  const start = await browser.open(`${module.url}/login/start`);
  return start.url.startsWith(app.url) ? logInThere(app, browser, start, person) : start;
}

/** A page that shows no local form still has a browser that may send one: the token is that of the local page. */
export async function logInLocally(
  browser: Browser,
  module: StageModule,
  email: string,
  path = '/login',
  password = localPassword,
): Promise<Page> {
  const page = await browser.open(`${module.url}/login/local`);
  const form = { ...page, text: page.text.replace('action="/login/local"', `action="${path}"`) };
  return browser.submit(form, { email, password }, path);
}

/** Sends the form of the Integration Settings as it stands, with these differences; null takes a field away. */
export async function saveSettings(
  browser: Browser,
  page: Page,
  changes: Record<string, string | null>,
  action = '/settings/integration-center/kaseyaone',
  rules: [string, string][] | null = null,
): Promise<Page> {
  const body = fieldsOf(page, action);
  if (rules) for (const name of ['rule_group', 'rule_permission']) body.delete(name);
  for (const [name, value] of rules ?? []) body.append(name, value);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) body.delete(name);
    else body.set(name, value);
  }
  const { origin } = new URL(page.url);
  return browser.open(origin + action, { method: 'POST', body, headers: { origin } });
}

/** What a browser would send of the form with this action: checked boxes, chosen options, hidden and typed values. */
function fieldsOf(page: Page, action: string): URLSearchParams {
  const [, body = ''] =
    [...page.text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)]
      .map(([, head = '', inner = '']) => [head, inner])
      .find(([head]) => head?.includes(`action="${action}"`)) ?? [];
  const fields = new URLSearchParams();
  for (const [tag] of body.matchAll(/<input[^>]*>/g)) {
    const name = /\bname="([^"]*)"/.exec(tag)?.[1];
    const isOff = /type="(checkbox|radio)"/.test(tag) && !/\bchecked\b/.test(tag);
    if (name && !isOff && !tag.includes('form='))
      fields.append(name, decoded(/\bvalue="([^"]*)"/.exec(tag)?.[1] ?? ''));
  }
  for (const [, name = '', options = ''] of body.matchAll(/<select[^>]*name="([^"]*)"[^>]*>([\s\S]*?)<\/select>/g))
    fields.append(
      name,
      /<option value="([^"]*)" selected/.exec(options)?.[1] ?? /<option value="([^"]*)"/.exec(options)?.[1] ?? '',
    );
  return fields;
}

const decoded = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

export type StoredAccount = Pick<ModuleAccount, 'id'> & {
  email: string;
  name: string;
  permissions: string[];
  status: string;
  suspendedBy: string | null;
  timeZone: string;
  link: { subject: string } | null;
  values: Record<string, string>;
};
