// An Admin keeps the access groups: makes one, adds people by typing, sees who loses what before taking a module away.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../src/domain/companies/company.ts';
import { createGroup } from '../../src/domain/groups/commands.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { useBrowser } from '../support/browser.ts';
import { makeCompany, makeModule, makePerson, type TestPerson } from '../support/people.ts';
import { logIn } from '../support/steps.ts';

const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2 AA, as far as a machine can tell. */
async function violationsOn(tab: Tab): Promise<string[]> {
  await tab.evaluate(axe);
  const found: { violations: { id: string; nodes: { html: string }[] }[] } = await tab.evaluate(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  );
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

describe('an Admin keeps the groups', { timeout: 90_000 }, () => {
  const browser = useBrowser();
  let app: TestApp;
  let company: Company;
  let ada: TestPerson;
  let techId: string;

  beforeAll(async () => {
    app = await startApp();
    company = await makeCompany(app, 'Northwind');
    await makeCompany(app, 'Contoso');
    for (const name of ['Workplace', 'RMM']) await makeModule(app, [company], {}, { name });
    const instances: { id: never }[] = await app.runtime.db('module_instances').select('id');
    const instanceIds = instances.map(({ id }) => id);
    const tech = await createGroup(app.operator(), company.id, { name: 'Technicians', isActive: true, instanceIds });
    techId = tech.id;
    await createGroup(app.operator(), company.id, { name: 'Night shift', isActive: false, instanceIds });
    ada = await makePerson(app, company, { username: 'ada', role: 'Admin' });
    for (const username of ['ben.user', 'bea.user', 'carl'])
      await makePerson(app, company, { username, totpSecret: null, groups: ['Technicians'] });
    await makePerson(app, company, { username: 'dora', totpSecret: null });
  });
  afterAll(() => app?.stop());

  async function enter(path: string, options = {}): Promise<Tab> {
    const tab = await browser.open(options);
    await tab.goto(`${app.url}/`);
    await logIn(tab, app, ada);
    await tab.getByRole('heading', { level: 1 }).waitFor();
    await tab.goto(`${app.url}${path}`);
    return tab;
  }

  it('makes a group, adds people by typing a few letters, and removes many after seeing who loses what', async () => {
    const tab = await enter('/admin/groups');
    await tab.getByLabel('State').selectOption('inactive');
    await tab.getByText('1 group', { exact: true }).waitFor();
    expect(await tab.getByText('Inactive Group').isVisible()).toBe(true);
    await tab.getByRole('link', { name: 'New group' }).click();
    await tab.getByLabel('Name', { exact: true }).fill('Field service');
    await tab.getByRole('checkbox', { name: /Workplace/ }).check();
    await tab.getByRole('button', { name: 'Create group' }).click();
    await tab.getByRole('heading', { name: 'Field service' }).waitFor();
    await tab.getByRole('main').getByRole('link', { name: 'Add members' }).first().click();
    await tab.getByLabel('Search people').pressSequentially('.user');
    await tab.getByText('2 people').waitFor();
    expect(new URL(tab.url()).searchParams.get('q')).toBe('.user');
    for (const box of await tab.getByRole('checkbox').all()) await box.check();
    await tab.getByRole('button', { name: 'Add to Field service' }).click();
    await tab.getByText('are in Field service now.').waitFor();
    await tab.getByRole('link', { name: 'Done' }).click();
    await tab.getByText('2 members', { exact: true }).last().waitFor();
    await tab.getByLabel('Select everybody on this page').check();
    await tab.getByText('2 selected').waitFor();
    await tab.getByRole('button', { name: 'Remove from the group' }).click();
    await tab.getByText('Still open: 2 people through “Technicians”').waitFor();
    await tab.getByRole('button', { name: /^Remove .+ from Field service$/ }).click();
    await tab.getByText('Nobody is in this group').waitFor();
  });

  it('takes a module from a group only after seeing who loses it', async () => {
    const tab = await enter(`/admin/groups/${techId}/modules`);
    await tab.getByRole('checkbox', { name: /RMM/ }).uncheck();
    await tab.getByRole('button', { name: 'Save modules' }).click();
    await tab.getByRole('heading', { name: 'Save the modules of Technicians?' }).waitFor();
    await tab.getByText('3 people lose access', { exact: true }).waitFor();
    await tab.getByRole('button', { name: 'Save the modules of Technicians' }).click();
    await tab.getByText('The modules of Technicians are saved.').waitFor();
    expect(await tab.getByRole('checkbox', { name: /RMM/ }).isChecked()).toBe(false);
  });

  it('WCAG 2.2 AA holds on every page, light and dark, and nothing scrolls sideways on a phone', async () => {
    const base = `/admin/groups/${techId}`;
    const pages = ['/admin/groups', '/admin/groups/new', base, `${base}/add`, `${base}/modules`, `${base}/settings`];
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 360],
    ] as const) {
      const tab = await enter('/admin/groups', { colorScheme, viewport: { width, height: 800 } });
      for (const path of [...pages, `${base}/deactivate`, `${base}/delete`]) {
        await tab.goto(`${app.url}${path}`);
        expect(await violationsOn(tab), path).toEqual([]);
        expect(await tab.evaluate('document.documentElement.scrollWidth - innerWidth'), path).toBeLessThanOrEqual(0);
      }
    }
  });
});
