// A.5, B.6: an administrator imports people whom Workplace knows; somebody makes their launcher their own.
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violationsOn } from '../support/axe.ts';
import { useBrowser } from '../support/browser.ts';
import { expectGoodLooks, phone } from '../support/look.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { emailOf, type Stage, setStage, workplaceTeam } from '../support/stage.ts';
import { logIn } from '../support/steps.ts';

describe('an administrator imports from a module', { timeout: 90_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let admin: TestPerson;

  beforeAll(async () => {
    stage = await setStage(['ada', 'grace', 'kim'], {}, { MODULE_CROWD: '300' });
    admin = await makePerson(stage.app, stage.company, { username: 'ada', role: 'Admin', email: emailOf('ada') });
  });
  afterAll(() => stage?.stop());

  async function at(path: string, options: Parameters<typeof browser.open>[0] = {}): Promise<Tab> {
    const tab = await browser.open(options);
    await tab.goto(`${stage.app.url}${path}`);
    await logIn(tab, stage.app, admin);
    await tab.waitForURL(`${stage.app.url}${path}`);
    return tab;
  }
  const count = (tab: Tab, label: string) => tab.locator('.counts div', { hasText: label }).locator('dd').textContent();
  const next = (tab: Tab) => tab.getByRole('button', { name: 'Next', exact: true }).click();

  async function look(tab: Tab, name: string): Promise<void> {
    await expectGoodLooks(tab, name);
    expect(await violationsOn(tab), name).toEqual([]);
    await tab.emulateMedia({ colorScheme: 'dark' });
    expect(await violationsOn(tab), `${name} in the dark`).toEqual([]);
    await tab.emulateMedia({ colorScheme: 'light' });
  }

  it('A5.2 to A5.6 chooses the module and people over pages and searches, gives roles and groups, and reads the counts', async () => {
    const tab = await at('/admin/users');
    await tab.getByText('Add User', { exact: true }).click();
    await tab.getByRole('link', { name: 'Import from Module' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Import Users' }).waitFor();
    await tab.getByRole('radio', { name: 'Workplace' }).check();
    await next(tab);
    await tab.getByRole('heading', { level: 1, name: 'Users of Workplace' }).waitFor();
    await tab.getByText('303 people').first().waitFor();

    await tab.getByLabel('Search names, username and e-mail').fill('example.com');
    await tab.getByText('3 people', { exact: true }).waitFor();
    expect(new URL(tab.url()).searchParams.get('q'), 'the address keeps the search').toBe('example.com');
    await tab.getByText('Already in KaseyaOne as ada, with this e-mail.').waitFor();
    for (const name of ['ada', 'grace', 'kim'])
      await tab.getByRole('checkbox', { name: `Choose Account of ${name}` }).check();
    await tab.getByText('3 chosen').waitFor();
    await tab.getByLabel('Search names, username and e-mail').fill('person.7@');
    await tab.getByText('1 person', { exact: true }).waitFor();
    await tab.getByRole('checkbox').check();
    await tab.getByText('4 chosen').waitFor();
    await tab.goBack();
    await tab.getByRole('checkbox', { name: 'Choose Account of kim' }).waitFor();
    expect(await tab.getByRole('checkbox', { name: 'Choose Account of kim' }).isChecked(), 'Back loses nothing').toBe(
      true,
    );
    await next(tab);

    await tab.getByRole('heading', { level: 1, name: 'Role and groups' }).waitFor();
    expect(await tab.getByLabel('All Module Access').isChecked(), 'A3.6').toBe(true);
    await tab.getByLabel('KaseyaOne Role').selectOption('User');
    await tab.getByLabel('Choose another role or other groups for some of them next').check();
    await next(tab);
    await tab.getByRole('heading', { level: 1, name: 'Assign Individual Users' }).waitFor();
    await tab.getByRole('checkbox', { name: 'Select Account of kim' }).check();
    await tab.getByLabel('KaseyaOne Role').selectOption('Co-Managed User');
    await tab.locator('summary', { hasText: 'Group' }).click();
    await tab.getByLabel(workplaceTeam).check();
    await tab.getByRole('button', { name: 'Assign' }).click();
    await tab.getByRole('cell', { name: workplaceTeam }).waitFor();
    await tab.getByRole('link', { name: 'Go to review' }).click();

    await tab.getByRole('heading', { level: 1, name: 'Review' }).waitFor();
    expect(await count(tab, 'Will be invited')).toBe('3');
    await tab.getByRole('button', { name: 'Import 4 people' }).click();
    await tab.getByText('What was not done, and why').waitFor();
    expect(await count(tab, 'Imported')).toBe('3');
    expect(await count(tab, 'Skipped')).toBe('1');
    expect(await count(tab, 'Failed')).toBe('0');
    const { users } = stage.app.runtime.store.of(stage.company.id);
    expect(await users.findByUsername(emailOf('kim'))).toMatchObject({ role: 'Co-Managed User', source: 'module' });
    await tab.getByRole('link', { name: 'Done' }).click();
    await tab.waitForURL(`${stage.app.url}/admin/users`);
  });

  it('every step without scripts, on a phone', async () => {
    const tab = await at('/admin/users/import-from-module', { ...phone, javaScriptEnabled: false });
    await tab.getByRole('radio', { name: 'Helpdesk' }).check();
    await next(tab);
    while (!(await tab.getByRole('button', { name: 'Choose this page' }).count())) await tab.goto(tab.url());
    await tab.getByRole('button', { name: 'Choose this page' }).click();
    await tab.getByText('50 chosen').waitFor();
    await tab.getByRole('checkbox').first().uncheck();
    await tab.getByRole('button', { name: 'Next page' }).click();
    await tab.getByText('51 to 100 of 303').waitFor();
    await tab.getByText('49 chosen').waitFor();
    await tab.getByRole('checkbox').first().check();
    await tab.getByLabel('Search names, username and e-mail').fill('nobody at all');
    await tab.getByRole('button', { name: 'Search' }).click();
    await tab.getByText('Nobody matches').waitFor();
    await tab.getByText('50 chosen').waitFor();
    await next(tab);
    await tab.getByLabel('KaseyaOne Role').selectOption('User');
    await next(tab);
    await tab.getByRole('heading', { level: 1, name: 'Review' }).waitFor();
    await tab.getByRole('button', { name: 'Import 50 people' }).waitFor();
  });

  it('each page fits a phone, in light and in dark, and axe-core finds nothing', async () => {
    const tab = await at('/admin/users/import-from-module', phone);
    await look(tab, 'module-import-source');
    await tab.getByRole('radio', { name: 'Workplace' }).check();
    await next(tab);
    await tab.getByText('303 people', { exact: true }).waitFor();
    await look(tab, 'module-import-people');
    await tab.getByRole('button', { name: 'Choose all 303 people' }).click();
    await tab.getByText('303 chosen').waitFor();
    await next(tab);
    await look(tab, 'module-import-assign');
    await tab.getByLabel('KaseyaOne Role').selectOption('User');
    await tab.getByLabel('Choose another role or other groups for some of them next').check();
    await next(tab);
    await tab.getByRole('heading', { level: 1, name: 'Assign Individual Users' }).waitFor();
    await tab
      .getByRole('checkbox', { name: /^Select (?!everybody)/ })
      .first()
      .check();
    await look(tab, 'module-import-individual');
    await tab.getByRole('link', { name: 'Go to review' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Review' }).waitFor();
    await look(tab, 'module-import-review');
    await tab.goto(`${stage.app.url}/settings/modules`);
    await look(tab, 'my-modules');
  });

  it('B.6 renames and reorders tiles by drag and by arrow, and they show in the App Launcher', async () => {
    const tab = await at('/');
    await tab.getByRole('link', { name: 'Edit names and order' }).click();
    await tab.getByRole('heading', { level: 1, name: 'My Modules' }).waitFor();
    await tab.getByLabel('Name of Workplace').fill('My desk');
    await tab
      .locator('[data-handle]')
      .nth(1)
      .dragTo(tab.locator('.tile-form').nth(0), { targetPosition: { x: 40, y: 4 } });
    await tab.getByRole('button', { name: 'Save' }).click();
    await tab.getByText('Your modules are saved.').waitFor();
    const names = async () => {
      await tab.goto(`${stage.app.url}/`);
      return tab.locator('.tile-name').allTextContents();
    };
    expect(await names()).toEqual(['My desk', 'Helpdesk']);
    await tab.goto(`${stage.app.url}/settings/modules`);
    await tab.getByRole('button', { name: 'Move Workplace down' }).click();
    await tab.waitForURL(`${stage.app.url}/settings/modules`);
    expect(await names()).toEqual(['Helpdesk', 'My desk']);
    await tab.getByText('App Launcher').click();
    expect(await tab.locator('.launcher-tiles span:last-child').allTextContents()).toEqual(['Helpdesk', 'My desk']);
  });
});
