// An Admin looks at the dashboard and into the audit log: charts and their tables, by mouse, by keyboard, without script.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealEvents } from '../../src/domain/audit/sealing.ts';
import type { Company } from '../../src/domain/companies/company.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { useBrowser } from '../support/browser.ts';
import { givePassword, makeCompany, makePerson, type TestPerson } from '../support/people.ts';
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

describe('an Admin looks into what happened', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let app: TestApp;
  let company: Company;
  let ada: TestPerson;
  let code = '';

  beforeAll(async () => {
    app = await startApp();
    company = await makeCompany(app, 'Northwind');
    await makeCompany(app, 'Contoso');
    ada = await makePerson(app, company, { username: 'ada', role: 'Admin' });
    const ben = await makePerson(app, company, { username: 'ben' });
    const visitor = app.visitor();
    const refused = await givePassword(visitor, await visitor.open('/login'), ben, 'wrong');
    code = /<code>([A-Z2-9]{4}-[A-Z2-9]{4})<\/code>/.exec(refused.body)?.[1] ?? '';
    await app.runtime
      .db('users')
      .where({ id: ben.user.id })
      .update({ locked_until: new Date(app.clock.now().getTime() + 600_000) });
    await sealEvents(app.operator());
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

  const ink = (tab: Tab) =>
    tab.evaluate(`(() => {
      const canvas = document.querySelector('#sign-ins-title').parentElement.querySelector('canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const seen = {};
      for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) { const key = [data[at], data[at + 1], data[at + 2]].join(); seen[key] = (seen[key] ?? 0) + 1; }
      return Object.entries(seen).sort((a, b) => b[1] - a[1]).slice(0, 20).map(([key]) => key);
    })()`) as Promise<string[]>;

  const swatch = (tab: Tab, tone: string) =>
    tab.evaluate(
      `getComputedStyle(document.querySelector('.swatch-${tone}')).color.match(/\\d+/g).join()`,
    ) as Promise<string>;

  it('WEB-05 charts are drawn from the tables, in the colours of the scheme, with nothing that the CSP refuses', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const tab = await enter('/admin', { colorScheme });
      await expect.poll(() => tab.locator('canvas').count()).toBe(3);
      const [accent, drawn] = [await swatch(tab, 'accent'), await ink(tab)];
      expect(drawn, colorScheme).toContain(accent);
      // Switched while it is open: drawn anew.
      const next = colorScheme === 'light' ? 'dark' : 'light';
      await tab.emulateMedia({ colorScheme: next });
      await expect
        .poll(
          async () =>
            (await swatch(tab, 'accent')) !== accent && (await ink(tab)).includes(await swatch(tab, 'accent')),
        )
        .toBe(true);
      expect(await violationsOn(tab)).toEqual([]);
    }
  });

  it('the numbers are there by keyboard, and for ears', async () => {
    const tab = await enter('/admin?days=7');
    const summary = tab.getByText('Show the numbers as a table').first();
    await summary.focus();
    await tab.keyboard.press('Enter');
    const table = tab.locator('#sign-ins-numbers table');
    await table.waitFor({ state: 'visible' });
    expect(await table.getByRole('row').count()).toBe(8);
    expect(await table.getByRole('row').last().getByRole('cell').last().textContent()).toBe('1');
    const name = await tab.locator('canvas').first().getAttribute('aria-label');
    expect(name).toMatch(/^\d+ logins and 1 refused ones in 7 days/);
    expect(await violationsOn(tab)).toEqual([]);
  });

  it('without script there is no empty space where a chart would be, and the table opens all the same', async () => {
    const tab = await enter('/admin', { javaScriptEnabled: false });
    expect(await tab.locator('.chart-space:visible').count()).toBe(0);
    await tab.getByText('Show the numbers as a table').first().click();
    await tab.locator('#sign-ins-numbers table').waitFor({ state: 'visible' });
    await tab.getByRole('link', { name: 'Unlock' }).waitFor();
  });

  it('the library of the charts comes to the dashboard alone, and scripts stay below 120 KB', async () => {
    const weigh = async (tab: Tab, path: string) => {
      const seen: { url: string; bytes: number }[] = [];
      tab.on('requestfinished', async (request) => {
        if (request.resourceType() !== 'script') return;
        const { responseBodySize } = await request.sizes();
        seen.push({ url: request.url(), bytes: responseBodySize });
      });
      await tab.goto(`${app.url}${path}`, { waitUntil: 'networkidle' });
      return {
        bytes: seen.reduce((sum, { bytes }) => sum + bytes, 0),
        names: seen.map(({ url }) => url.split('/').at(-1)),
      };
    };
    const list = await weigh(await enter('/'), '/admin/audit');
    expect(list.names).toContain('htmx.js');
    expect(list.names).not.toContain('chart-library.js');
    const board = await weigh(await enter('/'), '/admin');
    expect(board.names).toContain('chart-library.js');
    for (const { bytes } of [list, board]) expect(bytes).toBeLessThan(120_000);
  });

  it('API-13 somebody reads out a code: the Admin finds the reason; the list answers while one types', async () => {
    const tab = await enter('/admin/audit');
    await tab.getByText('More filters').click();
    await tab.getByLabel('Code from an error page').fill(code.toLowerCase());
    await tab.keyboard.press('Enter');
    await tab.getByText(`Code ${code}`).waitFor();
    expect(new URL(tab.url()).searchParams.get('code')).toBe(code.toLowerCase());
    expect(await violationsOn(tab)).toEqual([]);
    await tab.getByRole('link', { name: /was refused/ }).click();
    await tab.getByText('The login was refused: the password was wrong.').waitFor();
    expect(await violationsOn(tab)).toEqual([]);
    await tab.goBack();
    await tab.getByText(`Code ${code}`).waitFor();
    await tab.getByRole('link', { name: /remove this filter/ }).click();
    await tab.getByRole('link', { name: 'Ada' }).or(tab.getByText('logged in').first()).first().waitFor();
    // The field for people completes itself.
    await tab.getByLabel(/^Person/).pressSequentially('be');
    await expect
      .poll(() => tab.evaluate(`[...document.querySelectorAll('#people-found option')].map((one) => one.value)`))
      .toContain('ben');
  });

  it('API-13 the export is a download that honours the filter chosen a moment ago', async () => {
    const tab = await enter('/admin/audit');
    await tab.getByLabel('Action').selectOption('login.fail');
    await tab.getByRole('link', { name: /remove this filter/ }).waitFor();
    await tab.locator('summary', { hasText: 'Export' }).click();
    const coming = tab.waitForEvent('download');
    await tab.getByRole('button', { name: /JSON Lines/ }).click();
    const file = await (await coming).path();
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ action }) => action)).toEqual(['login.fail']);
  });
});
