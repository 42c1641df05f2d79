// B.7: an administrator reads a module's accounts, sees what differs, makes a plan, and applies it; links one account by hand.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../src/domain/companies/company.ts';
import { deactivateUser } from '../../src/domain/users/commands.ts';
import type { InstanceId } from '../../src/lib/ids.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { violationsOn } from '../support/axe.ts';
import { useBrowser } from '../support/browser.ts';
import { connectForDrift, setDriftSettings } from '../support/drift.ts';
import { expectGoodLooks, phone } from '../support/look.ts';
import { makeCompany, makePerson, type TestPerson } from '../support/people.ts';
import { listOf, ScimServer, scimUser, scimUsers, sendJson } from '../support/scim-server.ts';
import { logIn } from '../support/steps.ts';

describe('an administrator brings the accounts of a module in line', { timeout: 120_000 }, () => {
  const browser = useBrowser();
  const scim = new ScimServer();
  let app: TestApp;
  let company: Company;
  let admin: TestPerson;
  let instanceId: InstanceId;
  let base: string;

  beforeAll(async () => {
    app = await startApp({ start: true });
    await scim.start();
    company = await makeCompany(app, 'Northwind');
    // Of a server with several companies, which asks for the name.
    await makeCompany(app, 'Contoso');
    admin = await makePerson(app, company, { username: 'ada', role: 'Admin', groups: ['No Module Access'] });
    const person = (username: string, groups: string[]) =>
      makePerson(app, company, { username, email: `${username}@here.example`, groups });
    await person('ben', ['All Module Access']);
    const leaver = await person('max', ['All Module Access']);
    await person('grace', ['No Module Access']);
    await deactivateUser(app.operator(), company.id, leaver.user.id);
    instanceId = await connectForDrift(app, company, scim);
    base = `/admin/modules/${instanceId}/accounts`;
    // Nothing happens by itself here: what is done is done by the plan.
    await setDriftSettings(app, company, instanceId, {
      deprovisioning: { on: false, graceDays: 14, removal: 'disable' },
    });
    const account = (id: string, username: string) =>
      scimUser(id, {
        userName: username,
        emails: [{ value: `${username}@here.example` }],
        roles: [{ value: 'Team Access' }],
      });
    scim.users = [account('1', 'ben'), account('2', 'max'), account('3', 'grace.old'), ...scimUsers(597)];
    // Slow enough to be watched.
    scim.answer = (request, response) => {
      void sleep(700).then(() => {
        const from = Number(new URL(request.url ?? '', 'http://x').searchParams.get('startIndex'));
        sendJson(response, listOf(scim.users.slice(from - 1, from + 199), scim.users.length, from));
      });
    };
  });
  afterAll(async () => {
    await scim.stop();
    await app?.stop();
  });

  async function at(path: string, options: Parameters<typeof browser.open>[0] = {}): Promise<Tab> {
    const tab = await browser.open(options);
    await tab.goto(`${app.url}${path}`);
    await logIn(tab, app, admin);
    await tab.waitForURL(`${app.url}${path}`);
    return tab;
  }

  async function look(tab: Tab, name: string): Promise<void> {
    await expectGoodLooks(tab, name);
    expect(await violationsOn(tab), name).toEqual([]);
    await tab.emulateMedia({ colorScheme: 'dark' });
    expect(await violationsOn(tab), `${name} in the dark`).toEqual([]);
    await tab.emulateMedia({ colorScheme: 'light' });
  }

  it('reads, watches, filters, links, plans and applies', async () => {
    const tab = await at(base);
    await tab.getByRole('button', { name: 'Read the accounts' }).click();
    await tab
      .getByText(/\d+ of 600 accounts/)
      .first()
      .waitFor();
    // The page finds the end by itself.
    await tab.getByText('600 accounts, read').waitFor();
    await tab.getByRole('link', { name: /598\s*Orphan in the module/ }).click();
    await tab.getByText('598 lines').waitFor();

    await tab.getByLabel('Search accounts and people').fill('grace.old');
    await tab.getByText('1 line', { exact: true }).waitFor();
    await tab.getByRole('link', { name: 'Link grace.old to a person' }).click();
    await tab.getByLabel('Search people').fill('grace');
    await tab.getByRole('button', { name: 'Search' }).click();
    await tab.getByRole('radio', { name: /grace@here\.example/ }).check();
    await tab.getByRole('button', { name: 'Link grace.old' }).click();
    await tab.getByText('The account is linked.').waitFor();

    await setDriftSettings(app, company, instanceId);
    await tab.getByRole('link', { name: 'Make a plan' }).click();
    await tab.getByRole('checkbox', { name: /^Wrong status/ }).check();
    await tab.getByRole('checkbox', { name: /^Orphan/ }).uncheck();
    await tab.getByRole('button', { name: 'Make the plan' }).click();
    await tab.getByText('Has no access any more. They were deactivated.').waitFor();
    await tab.getByRole('button', { name: 'Apply to 1 account' }).click();
    await tab.getByRole('heading', { name: 'Apply a plan to 1 account' }).waitFor();
    await tab.locator('.counts div', { hasText: 'Queued' }).locator('dd', { hasText: '1' }).waitFor();
    const queued = await app.runtime
      .db('deliveries')
      .where({ instance_id: instanceId, external_id: '2', act: 'suspend' });
    expect(queued.length).toBeGreaterThan(0);
  });

  it('every page on a phone, for the eye and for axe-core', async () => {
    const tab = await at(base, phone);
    await look(tab, 'accounts-report');
    for (const [path, name] of [
      ['/history', 'accounts-history'],
      ['/plans/new', 'accounts-new-plan'],
      ['/link?account=person1', 'accounts-link'],
      ['/unlink?account=1', 'accounts-unlink'],
    ] as const) {
      await tab.goto(`${app.url}${base}${path}`);
      await look(tab, name);
    }
    const [plan] = await app.runtime.store.of(company.id).plans.listLatest(instanceId, 1);
    await tab.goto(`${app.url}${base}/plans/${plan?.id}`);
    await look(tab, 'accounts-plan');
  });
});
