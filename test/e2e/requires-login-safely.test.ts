// A8.6, C30: an administrator requires the login, exempts a colleague, and is saved by the trial from locking everybody out.
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes } from '../../src/lib/time.ts';
import { useBrowser } from '../support/browser.ts';
import { expectGoodLooks, phone } from '../support/look.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { emailOf, type Stage, type StageModule, setStage } from '../support/stage.ts';
import { isInside, logInTo } from '../support/steps.ts';

const localPassword = 'correct horse battery';

describe('requiring the login safely', { timeout: 120_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let ada: TestPerson;
  let ahead = 0;

  beforeAll(async () => {
    const account = (username: string, role: string) => ({
      email: emailOf(username),
      name: `Account of ${username}`,
      role,
      password: localPassword,
    });
    const users = [account('ada', 'Full Access'), account('grace', 'Full Access'), account('ben', 'Team Access')];
    const moduleEnvironment = { MODULE_USERS: JSON.stringify(users) };
    stage = await setStage([], {}, moduleEnvironment, { clock: () => Date.now() + ahead });
    ada = await makePerson(stage.app, stage.company, { username: 'ada', role: 'Admin' });
  });
  afterAll(() => stage?.stop());

  async function exempt(tab: Tab, username: string): Promise<void> {
    await tab.getByLabel('Search the accounts of the module').fill(username);
    await tab.getByRole('link', { name: `Exempt Account of ${username}` }).click();
    await tab.getByLabel('Reason').fill('Keeps the module running when nothing else does');
    await expectGoodLooks(tab, 'exception');
    await tab.getByRole('button', { name: `Exempt ${emailOf(username)}` }).click();
    await tab.getByText(`${emailOf(username)} may log in to Workplace either way.`).waitFor();
  }

  /** Whether somebody can get into the module with the password that they have there. */
  async function logsInLocally(tab: Tab, { url }: StageModule, username: string): Promise<boolean> {
    await tab.context().clearCookies();
    await tab.goto(`${url}/login/local`);
    await tab.getByLabel('E-mail').fill(emailOf(username));
    await tab.getByLabel('Password').fill(localPassword);
    await tab.getByRole('button', { name: 'Log in' }).click();
    await tab.waitForLoadState('load');
    return isInside(tab, stage.workplace);
  }

  it('looks first, begins as a trial, and lets everybody in again when nobody confirms it', async () => {
    const { app, workplace } = stage;
    const tab = await browser.open(phone);
    await logInTo(tab, workplace, app, ada);

    await tab.goto(`${app.url}/admin/modules`);
    await expectGoodLooks(tab, 'modules');
    await tab.getByRole('link', { name: 'Workplace', exact: true }).click();
    await tab.getByRole('heading', { name: 'What is on' }).waitFor();
    await expectGoodLooks(tab, 'module');
    await tab.getByRole('link', { name: 'Settings', exact: true }).click();
    await expectGoodLooks(tab, 'module-settings');
    await tab.getByRole('link', { name: 'See what requiring it would mean' }).click();
    // The module is asked for its accounts; the page looks again by itself.
    await tab.getByText('It is known who is there: passed').waitFor();
    await tab.getByText('No administrator could get in without KaseyaOne.', { exact: false }).first().waitFor();
    expect(await tab.getByRole('button', { name: /Start the trial/ }).count()).toBe(0);
    await expectGoodLooks(tab, 'require-not-yet');

    await tab.getByRole('link', { name: 'Change exceptions' }).click();
    await exempt(tab, 'ada');
    await exempt(tab, 'grace');
    await expectGoodLooks(tab, 'exceptions');

    await tab.getByRole('link', { name: 'Settings', exact: true }).click();
    await tab.getByLabel('Require Log In with KaseyaOne').check();
    await tab.getByRole('button', { name: 'Save' }).click();
    await tab.getByText('1 account of 3 active loses the local login.').waitFor();
    await expectGoodLooks(tab, 'require-ready');
    await tab.getByRole('button', { name: 'Start the trial of 30 minutes' }).click();
    await tab.getByText('The trial has begun: 30 minutes.').waitFor();
    await expectGoodLooks(tab, 'require-trial');

    const elsewhere = await browser.open();
    await expect.poll(() => logsInLocally(elsewhere, workplace, 'ben'), { timeout: 10_000 }).toBe(false);
    expect(await logsInLocally(elsewhere, workplace, 'grace')).toBe(true);

    // Nobody confirms it. The administrator looks in now and then, so that their session does not end.
    for (const passing of [minutes(20), minutes(11)]) {
      app.clock.advance(passing);
      ahead += passing;
      await tab.goto(`${app.url}/admin/modules/${workplace.instanceId}/settings`);
    }
    expect(await logsInLocally(elsewhere, workplace, 'ben')).toBe(true);
    await tab.getByText('Not required').waitFor();
    expect(await tab.getByLabel('Require Log In with KaseyaOne').isChecked()).toBe(false);
    await tab.getByText('2 exceptions').waitFor();
  });
});
