// What people do on the pages, by the words that they read there.
import type { Request, Page as Tab } from 'playwright-core';
import { expect } from 'vitest';
import type { TestApp } from './app.ts';
import { freshCode, type TestPerson } from './people.ts';
import type { StageModule } from './stage.ts';

/** Opens a module and chooses its button "Log In with KaseyaOne". */
export async function chooseKaseyaOne(tab: Tab, module: StageModule): Promise<void> {
  await tab.goto(module.url);
  await tab.getByRole('link', { name: 'Log In with KaseyaOne' }).click();
}

export async function sayWho(tab: Tab, username: string, company: string): Promise<void> {
  await tab.getByLabel('Username').fill(username);
  await tab.getByLabel('Company Name').fill(company);
  await tab.getByRole('button', { name: 'Next' }).click();
}

export async function givePassword(tab: Tab, password: string): Promise<void> {
  await tab.getByLabel('Password', { exact: true }).fill(password);
  await tab.getByRole('button', { name: 'Log In' }).click();
}

/** Typed in full, a code sends itself; where no script runs, or not yet, the button does it. */
export async function giveCode(tab: Tab, code: string): Promise<void> {
  const isPost = (request: Request) => request.method() === 'POST';
  const sent = tab.waitForRequest(isPost, { timeout: 1000 }).catch(() => null);
  await tab.getByLabel('Six-digit code').fill(code);
  if (!(await sent)) await tab.getByRole('button', { name: 'Verify' }).click();
}

/** All three pages, from the first one. */
export async function logIn(tab: Tab, app: TestApp, person: TestPerson): Promise<void> {
  await sayWho(tab, person.user.username, person.company.name);
  await givePassword(tab, person.password);
  await giveCode(tab, await freshCode(app, person));
}

/** From nowhere into a module. */
export async function logInTo(tab: Tab, module: StageModule, app: TestApp, person: TestPerson): Promise<void> {
  await chooseKaseyaOne(tab, module);
  await logIn(tab, app, person);
  await expectInside(tab, module, person);
}

/** The tab shows the module's own page for this person. */
export async function expectInside(tab: Tab, module: StageModule, person: Pick<TestPerson, 'user'>): Promise<void> {
  await tab.getByRole('heading', { level: 1, name: `Welcome, Account of ${person.user.username}` }).waitFor();
  expect(new URL(tab.url()).origin).toBe(module.url);
}

/** Whether whoever opens the module now is let in. */
export async function isInside(tab: Tab, module: StageModule): Promise<boolean> {
  await tab.goto(module.url);
  return (await tab.getByRole('heading', { level: 1 }).textContent())?.startsWith('Welcome') === true;
}

/** Back-channel logout, deactivation and the end of a session are felt in all these modules within this time. */
export async function expectThrownOut(tab: Tab, ...modules: StageModule[]): Promise<void> {
  const stillInside = async () => {
    const names: string[] = [];
    for (const module of modules) if (await isInside(tab, module)) names.push(module.name);
    return names;
  };
  await expect.poll(stillInside, { timeout: 5000, interval: 200 }).toEqual([]);
}
