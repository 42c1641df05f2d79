// The day begins: a person opens a module, proves who they are, and is in.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patience, useBrowser } from '../support/browser.ts';
import { freshCode, makePerson, type TestPerson } from '../support/people.ts';
import { type Stage, setStage } from '../support/stage.ts';
import { chooseKaseyaOne, expectInside, giveCode, givePassword, sayWho } from '../support/steps.ts';

describe('the daily login', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let pat: TestPerson;

  beforeAll(async () => {
    stage = await setStage(['pat']);
    pat = await makePerson(stage.app, stage.company, { username: 'pat' });
  });
  afterAll(() => stage?.stop());

  it('asks for company, password and code, and ends in Workplace', async () => {
    const tab = await browser.open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await chooseKaseyaOne(tab, stage.workplace);
    expect(await tab.getByText('to continue to').textContent()).toMatch(/Workplace/);
    await sayWho(tab, 'PAT', 'northwind it');

    const password = tab.getByLabel('Password', { exact: true });
    await password.fill(pat.password);
    await tab.getByRole('button', { name: 'Show password' }).click();
    expect(await password.getAttribute('type')).toBe('text');
    await tab.getByRole('button', { name: 'Hide password' }).click();
    expect(await password.getAttribute('type')).toBe('password');
    await tab.getByRole('button', { name: 'Log In' }).click();

    const code = await freshCode(stage.app, pat);
    await tab.getByLabel('Six-digit code').focus();
    // The script that sends a full code is loaded after the page.
    await tab.waitForLoadState('networkidle');
    await tab.evaluate(`navigator.clipboard.writeText(' ${code.slice(0, 3)} ${code.slice(3)} ')`);
    await tab.keyboard.press('Control+V');
    await expectInside(tab, stage.workplace, pat);
    expect(await tab.getByText('App Launcher').isVisible()).toBe(true);
  });

  it('needs no mouse', async () => {
    const tab = await browser.open();
    await tab.goto(stage.workplace.url);
    const focused = () =>
      tab.evaluate('(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()');
    for (let presses = 0; presses < 5 && (await focused()) !== 'Log In with KaseyaOne'; presses++)
      await tab.keyboard.press('Tab');
    await tab.keyboard.press('Enter');

    await expect.poll(focused, { timeout: patience }).toBe('Username');
    await tab.keyboard.type('pat');
    await tab.keyboard.press('Tab');
    expect(await focused()).toBe('Company Name');
    await tab.keyboard.type('Northwind IT');
    await tab.keyboard.press('Enter');
    await expect.poll(focused, { timeout: patience }).toBe('Password');
    await tab.keyboard.type(pat.password);
    await tab.keyboard.press('Enter');
    await expect.poll(focused, { timeout: patience }).toBe('Six-digit code');
    await tab.waitForLoadState('networkidle');
    await tab.keyboard.type(await freshCode(stage.app, pat));
    await expectInside(tab, stage.workplace, pat);
  });

  it('needs no script', async () => {
    const tab = await browser.open({ javaScriptEnabled: false });
    await chooseKaseyaOne(tab, stage.workplace);
    await sayWho(tab, 'pat', 'Northwind IT');
    expect(await tab.getByRole('button', { name: 'Show password' }).count()).toBe(0);
    await givePassword(tab, pat.password);
    const code = await freshCode(stage.app, pat);
    await giveCode(tab, `${code.slice(0, 3)} ${code.slice(3)}`);
    await expectInside(tab, stage.workplace, pat);
  });

  it('remembers the company for the next day, and not the person', async () => {
    const tab = await browser.open();
    await chooseKaseyaOne(tab, stage.workplace);
    expect(await tab.getByLabel('Company Name').inputValue()).toBe('');
    await sayWho(tab, 'pat', 'Northwind IT');
    await givePassword(tab, pat.password);
    await giveCode(tab, await freshCode(stage.app, pat));
    await expectInside(tab, stage.workplace, pat);
    await tab.getByRole('button', { name: 'Log out' }).click();
    await tab.getByText('You are logged out of Workplace.').waitFor();
    await chooseKaseyaOne(tab, stage.workplace);
    expect(await tab.getByLabel('Company Name').inputValue()).toBe('Northwind IT');
    expect(await tab.getByLabel('Username').inputValue()).toBe('');
  });
});
