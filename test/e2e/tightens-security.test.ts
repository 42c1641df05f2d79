// An Admin tightens the policy after seeing whom it would have met, and turns the IP access list on without locking themselves out.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../src/domain/companies/company.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { namesOf, tryWrong } from '../support/attempts.ts';
import { useBrowser } from '../support/browser.ts';
import { phone } from '../support/look.ts';
import { makeCompany, makePerson, type TestPerson } from '../support/people.ts';
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

describe('an Admin tightens security', { timeout: 90_000 }, () => {
  const browser = useBrowser();
  let app: TestApp;
  let company: Company;
  let ada: TestPerson;
  let ben: TestPerson;

  beforeAll(async () => {
    app = await startApp();
    company = await makeCompany(app, 'Northwind', { lock: { threshold: 20 } });
    await makeCompany(app, 'Contoso');
    ada = await makePerson(app, company, { username: 'ada', role: 'Admin' });
    ben = await makePerson(app, company, { username: 'ben' });
    await tryWrong(app, namesOf(ben), 6);
  });
  afterAll(() => app?.stop());

  async function enter(options = {}): Promise<Tab> {
    const tab = await browser.open(options);
    await tab.goto(`${app.url}/`);
    await logIn(tab, app, ada);
    await tab.getByRole('heading', { level: 1 }).waitFor();
    return tab;
  }

  const policy = async () => (await app.runtime.store.companies.findById(company.id))?.policy;

  it('B.3 lowers the threshold: first sees who would have been locked, then updates anyway', async () => {
    const tab = await enter();
    await tab.goto(`${app.url}/admin/security`);
    await tab.getByLabel('Consecutive failed logins before the account is locked').fill('5');
    await tab.getByLabel('Length of the lock: minutes').fill('30');
    await tab.getByRole('button', { name: 'Update' }).click();
    await tab.getByRole('heading', { name: 'Before the policy is updated' }).waitFor();
    await tab.getByText('person would have been locked').waitFor();
    expect(await tab.getByRole('cell', { name: 'ben', exact: true }).isVisible()).toBe(true);
    expect(
      await tab.getByRole('row', { name: /Failed logins before the lock 20 failures 5 failures/ }).isVisible(),
    ).toBe(true);
    expect((await policy())?.lock.threshold).toBe(20);
    await tab.getByRole('button', { name: 'Update anyway' }).click();
    await tab.getByText('The security policy is updated.').waitFor();
    expect((await policy())?.lock).toEqual({ threshold: 5, minutes: 30 });
  });

  it('D.2 cannot turn the list on before the own address is on it', async () => {
    const tab = await enter();
    await tab.goto(`${app.url}/admin/security`);
    await tab.getByRole('link', { name: 'Open the IP access list' }).click();
    await tab.getByRole('link', { name: 'Turn on' }).click();
    await tab.getByText(/which no entry covers/).waitFor();
    expect(await tab.getByRole('button', { name: /Turn on/ }).count()).toBe(0);
    await tab.getByRole('link', { name: 'Back' }).click();
    for (const own of ['127.0.0.1', '::1']) {
      await tab.getByLabel('Address or network').fill(own);
      await tab.getByRole('button', { name: 'Add', exact: true }).click();
      await tab.getByText('is on the list.').first().waitFor();
    }
    await tab.getByRole('link', { name: 'Turn on' }).click();
    await tab.getByRole('button', { name: 'Turn on the IP access list' }).click();
    await tab.getByText('The IP access list is on.').waitFor();
    expect((await policy())?.ipList.enabled).toBe(true);
    // Still able to log in.
    await enter();
  });

  it.each(['light', 'dark'] as const)(
    'has no violation that axe-core finds, in %s, and fits a phone',
    async (colorScheme) => {
      const tab = await enter({ ...phone, colorScheme });
      const preview = '/admin/security/preview?password.maxAgeDays=0&lock.threshold=5&lock.minutes.hours=20';
      const entries = await app.runtime.store.of(company.id).ipEntries.list();
      for (const address of [
        '/admin/security',
        `${preview}&password.minLength=8&password.history=5&session.idleMinutes=30&session.absoluteMinutes.hours=12&reactivate=immediate`,
        '/admin/security/addresses',
        '/admin/security/addresses/switch',
        ...entries.map(({ id }) => `/admin/security/addresses/${id}/remove`),
      ]) {
        const answer = await tab.goto(`${app.url}${address}`);
        expect(answer?.status(), address).toBe(200);
        expect(await violationsOn(tab), address).toEqual([]);
        expect(await tab.evaluate('document.documentElement.scrollWidth - innerWidth'), address).toBeLessThanOrEqual(0);
      }
    },
  );
});
