// A.8: an administrator connects a module, requires the login and exempts colleagues, and is saved by the trial from locking everyone
// out; a new person gets their account at the first entry; a leaver is out of two modules within five seconds, and comes back.
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueCredential } from '../../src/domain/integrations/credential-commands.ts';
import { saveSettings } from '../../src/domain/integrations/settings-commands.ts';
import { activateUser, deactivateUser } from '../../src/domain/users/commands.ts';
import { violationsOn } from '../support/axe.ts';
import { useBrowser } from '../support/browser.ts';
import { expectGoodLooks, phone } from '../support/look.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { allOff, asPerson } from '../support/requirement.ts';
import { emailOf, type Stage, type StageModule, setStage, workplaceTeam } from '../support/stage.ts';
import { chooseKaseyaOne, expectThrownOut, isInside, logIn, logInTo } from '../support/steps.ts';

const password = 'correct horse battery';
const account = (username: string, role = 'Team Access') => ({
  email: emailOf(username),
  name: `Account of ${username}`,
  role,
  password,
});

describe('an administrator connects a module', { timeout: 120_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let ada: TestPerson;
  /** Added to the modules' clock. */
  let ahead = 0;

  beforeAll(async () => {
    const users = [account('ada', 'Full Access'), account('alan', 'Full Access'), account('ben'), account('leaver')];
    // The modules know nothing of the provider: connecting is what this story is about.
    const environment = { MODULE_USERS: JSON.stringify(users), INSTANCE_ID: '' };
    stage = await setStage([], {}, environment, { clock: () => Date.now() + ahead });
    ada = await makePerson(stage.app, stage.company, { username: 'ada', role: 'Admin', email: emailOf('ada') });
  });
  afterAll(() => stage?.stop());

  async function logInLocally(at: Tab, username: string, path = '/login/local'): Promise<void> {
    await at.goto(stage.workplace.url + path);
    await at.getByLabel('E-mail').fill(emailOf(username));
    await at.getByLabel('Password').fill(password);
    await at.getByRole('button', { name: 'Log in', exact: true }).click();
  }

  const settingsPage = async (at: Tab) => {
    await at.goto(`${stage.workplace.url}/settings/integration-center/kaseyaone`);
    await at.getByRole('heading', { level: 1, name: 'Integration Settings' }).waitFor();
  };

  it('connects, exempts colleagues, requires the login, and is saved by the trial from locking everyone out', async () => {
    const tab = await browser.open({ reducedMotion: 'reduce' });
    await connects(tab);
    await findsTheSettings(tab);
    await exempts(tab);
    await requires(tab);
    await nobodyConfirms();
  });

  /** A8.3: Integration Center, Explore Integrations, Connect, Save, KaseyaOne, and back. */
  async function connects(tab: Tab): Promise<void> {
    await tab.goto(`${stage.workplace.url}/login`);
    expect(await tab.getByRole('link', { name: 'Log In with KaseyaOne' }).count()).toBe(0);
    await logInLocally(tab, 'ada');
    await tab.getByRole('link', { name: 'Settings' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Integration Center' }).waitFor();
    await tab.getByRole('link', { name: 'Active Integrations' }).click();
    await tab.getByRole('heading', { name: 'Nothing is connected yet' }).waitFor();
    await tab.getByRole('link', { name: 'Explore Integrations' }).first().click();
    await tab.getByRole('link', { name: 'Connect KaseyaOne' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Manage Login with IT Complete' }).waitFor();
    await tab.getByRole('button', { name: 'Save' }).click();
    await tab.getByRole('alert').getByText('Turn on Enable Log In with KaseyaOne').waitFor();
    await tab.getByRole('switch', { name: 'Enable Log In with KaseyaOne' }).check();
    await tab.getByRole('button', { name: 'Save' }).click();
    await logIn(tab, stage.app, ada);
    await tab.getByRole('status').getByText('Connected.').waitFor();
    await tab.getByText('KaseyaOne, connected to Northwind IT.').waitFor();
    await tab.getByRole('link', { name: 'KaseyaOne', exact: true }).waitFor();
  }

  /** A8.4: with a live session nothing is asked; A8.5: the settings are under Active Integrations. */
  async function findsTheSettings(tab: Tab): Promise<void> {
    await chooseKaseyaOneAgain(tab);
    await tab.getByRole('link', { name: 'App Launcher' }).waitFor();
    await tab.goto(`${stage.workplace.url}/settings/integration-center/active`);
    await tab.getByRole('link', { name: 'Integration Settings' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Integration Settings' }).waitFor();
    for (const scheme of ['light', 'dark'] as const) {
      await tab.emulateMedia({ colorScheme: scheme });
      expect(await violationsOn(tab), `settings in the ${scheme}`).toEqual([]);
    }
    await tab.emulateMedia({ colorScheme: 'light' });
  }

  /** Who is in locally goes through KaseyaOne by its sign in the bar. */
  const chooseKaseyaOneAgain = async (at: Tab) => {
    await at.goto(`${stage.workplace.url}/login/start`);
    await at.getByRole('heading', { level: 1, name: 'Welcome, Account of ada' }).waitFor();
  };

  /** A8.6: one at a time, each with a reason and an end. */
  async function exempts(tab: Tab): Promise<void> {
    await settingsPage(tab);
    for (const username of ['ada', 'alan']) {
      await tab.getByLabel('Add a user').fill(emailOf(username));
      await tab.getByRole('button', { name: 'Add', exact: true }).click();
      await tab.getByText('Say why: it is shown to the next administrator.').waitFor();
      await tab.getByLabel('Reason').fill('On call at night');
      await tab.getByLabel('No end date').check();
      await tab.getByRole('button', { name: 'Add', exact: true }).click();
      await tab.getByRole('status').getByText('The exception is in force.').waitFor();
      await tab.getByRole('button', { name: `End the exception of Account of ${username}` }).waitFor();
    }
  }

  /** A8.6: the pre-flight first, then a trial. */
  async function requires(tab: Tab): Promise<void> {
    await chooseKaseyaOneAgain(tab);
    await settingsPage(tab);
    await tab.getByRole('switch', { name: 'Require User Login with KaseyaOne' }).check();
    await tab.getByRole('button', { name: 'Save' }).click();
    await tab.getByRole('heading', { name: 'Before it can be required' }).waitFor();
    await tab.getByRole('heading', { name: 'people lose their Workplace password login' }).waitFor();
    const require = tab.getByRole('button', { name: 'Require it for 30 minutes on trial' });
    // The list of accounts is read in the background.
    for (let i = 0; i < 20 && !(await require.count()); i += 1) {
      await tab.waitForTimeout(500);
      await tab.getByRole('button', { name: 'Check again' }).click();
      await tab.getByRole('heading', { name: 'Before it can be required' }).waitFor();
    }
    await require.click();
    await tab.getByText('On trial until').waitFor();

    const ben = await browser.open();
    await ben.goto(`${stage.workplace.url}/login`);
    await ben.getByRole('link', { name: 'Log In with KaseyaOne' }).waitFor();
    expect(await ben.getByLabel('Password').count()).toBe(0);
    await logInLocally(ben, 'ben');
    await ben.getByRole('alert').getByText('Workplace requires it for your account.').waitFor();
    const alan = await browser.open();
    await logInLocally(alan, 'alan');
    await alan.getByRole('heading', { level: 1, name: 'Welcome, Account of alan' }).waitFor();
  }

  async function nobodyConfirms(): Promise<void> {
    ahead = 31 * 60_000;
    stage.app.clock.advance(31 * 60_000);
    const ben = await browser.open();
    await logInLocally(ben, 'ben', '/login');
    await ben.getByRole('heading', { level: 1, name: 'Welcome, Account of ben' }).waitFor();
    ahead = 0;
  }

  it('A8.7 a new person is provisioned at the first entry with the default permission and time zone', async () => {
    const other = await browser.open({ ...phone, javaScriptEnabled: false });
    await logInLocally(other, 'alan');
    await settingsPage(other);
    await expectGoodLooks(other, 'settings on a phone');
    // The module's clock is not at the end of the trial yet, the provider's is.
    await other.getByRole('switch', { name: 'Require User Login with KaseyaOne' }).uncheck();
    await other.getByRole('switch', { name: 'Enable Automatic User Provisioning' }).check();
    await other.getByRole('button', { name: 'Save' }).click();
    await other.getByText('Choose Permissions: automatic provisioning needs it.').waitFor();
    await other.getByLabel('Permissions', { exact: true }).selectOption('Read only');
    await other.getByLabel('Time-zone').selectOption('Europe/Lisbon');
    await other.getByLabel('Go on without a passed contract test, because').fill('The test tenant comes next week');
    await other.getByRole('button', { name: 'Save' }).click();
    await other.getByRole('status').getByText('Saved.').waitFor();

    const nina = await makePerson(stage.app, stage.company, {
      username: 'nina',
      email: emailOf('nina'),
      groups: [workplaceTeam],
    });
    const first = await browser.open();
    await chooseKaseyaOne(first, stage.workplace);
    await logIn(first, stage.app, nina);
    await first.getByRole('heading', { level: 1, name: 'Welcome, Pat Example' }).waitFor();
    await first.getByText('Read only').waitFor();
    await first.getByText('Europe/Lisbon').waitFor();
  });

  it('a leaver is out of two modules within five seconds, and comes back', async () => {
    const { app, company, workplace, helpdesk } = stage;
    const { secret } = await issueCredential(app.operator(), company.id, helpdesk.instanceId, app.clock.now());
    const scimToken = helpdesk.config.scimToken ?? '';
    await helpdesk.running.integration?.adopt({ instance: helpdesk.instanceId, credential: secret, scimToken });
    await helpdesk.running.integration?.poll();
    for (const module of [workplace, helpdesk]) await deprovision(module);
    const leaver = await makePerson(app, company, {
      username: 'leaver',
      email: emailOf('leaver'),
      groups: ['All Module Access'],
    });
    const inside = await browser.open();
    await logInTo(inside, workplace, app, leaver);
    await chooseKaseyaOne(inside, helpdesk);
    await expect.poll(() => isInside(inside, helpdesk)).toBe(true);
    await deactivateUser(app.operator(), company.id, leaver.user.id);
    await expectThrownOut(inside, workplace, helpdesk);
    const suspended = (module: StageModule) => async () => {
      const answer = await module.running.integration?.enter({ user: visitorOf(leaver) });
      return answer?.enter === false ? answer.reason : 'in';
    };
    for (const module of [workplace, helpdesk])
      await expect.poll(suspended(module), { timeout: 5000 }).toBe('suspended');
    await activateUser(app.operator(), company.id, leaver.user.id);
    for (const module of [workplace, helpdesk]) await expect.poll(suspended(module), { timeout: 10_000 }).toBe('in');
  });

  async function deprovision(module: StageModule): Promise<void> {
    const { app, company } = stage;
    const version = (await app.runtime.store.of(company.id).integrations.find(module.instanceId))?.version ?? 0;
    const settings = { ...allOff, deprovisioning: { on: true, graceDays: 14, removal: 'disable' as const } };
    const input = { version, settings, override: null };
    expect((await saveSettings(asPerson(app, ada), company.id, module.instanceId, input)).outcome).toBe('saved');
  }

  const visitorOf = ({ user }: TestPerson) => ({
    ...{ sub: user.id, email: user.email, emailVerified: true, name: null, givenName: null, familyName: null },
    ...{ preferredUsername: null, zoneinfo: null, companyId: null, companyRole: null, groups: [], amr: [], acr: null },
    ...{ authTime: null, sid: null, access: null },
  });

  it('disconnects, and everybody logs in locally again', async () => {
    const tab = await browser.open();
    await logInLocally(tab, 'ada');
    await settingsPage(tab);
    await tab.getByRole('link', { name: 'Disconnect' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Disconnect Workplace from Northwind IT?' }).waitFor();
    await tab.getByRole('button', { name: 'Disconnect Northwind IT' }).click();
    await tab.getByRole('status').getByText('KaseyaOne is disconnected.').waitFor();
    const anybody = await browser.open();
    await anybody.goto(stage.workplace.url);
    expect(await anybody.getByRole('link', { name: 'Log In with KaseyaOne' }).count()).toBe(0);
  });
});
