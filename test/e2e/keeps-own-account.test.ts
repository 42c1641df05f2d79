// My Settings, one's own hands: name, picture, looks, password, and a new phone.
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patience, useBrowser } from '../support/browser.ts';
import { codeOf, freshCode, makePerson, type TestPerson } from '../support/people.ts';
import { type Stage, setStage } from '../support/stage.ts';
import { giveCode, givePassword, logIn, sayWho } from '../support/steps.ts';

// One pixel is a picture.
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('My Settings', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;

  beforeAll(async () => {
    stage = await setStage([]);
  });
  afterAll(() => stage?.stop());

  /** Signed in, on the page that was asked for before. */
  async function open(path: string): Promise<{ tab: Tab; person: TestPerson }> {
    const person = await makePerson(stage.app, stage.company);
    const tab = await browser.open();
    await tab.goto(stage.app.url + path);
    await logIn(tab, stage.app, person);
    await tab.waitForURL(stage.app.url + path);
    return { tab, person };
  }

  it('keep name and time zone, and show them everywhere', async () => {
    const { tab } = await open('/settings/profile');
    await tab.getByLabel('First name').fill('Zoë <b>');
    await tab.getByRole('button', { name: 'Save' }).click();
    await tab.getByRole('alert').waitFor();
    expect(await tab.getByLabel('First name').inputValue()).toBe('Zoë <b>');
    await tab.getByLabel('First name').fill('Zoë');
    await tab.getByLabel('Time zone').selectOption('Europe/Berlin');
    await tab.getByRole('button', { name: 'Save' }).click();
    await tab.getByText('Your profile is saved.').waitFor();
    await tab.getByRole('link', { name: 'Home' }).click();
    await tab.getByRole('heading', { name: 'Welcome, Zoë' }).waitFor();
  });

  it('keep a picture, and say what is none', async () => {
    const { tab } = await open('/settings/profile');
    const upload = async (name: string, mimeType: string, buffer: Buffer) => {
      await tab.getByLabel('Picture').setInputFiles({ name, mimeType, buffer });
      await tab.getByRole('button', { name: 'Upload' }).click();
    };
    await upload('me.png', 'image/png', png);
    await tab.getByText('Your picture is saved.').waitFor();
    const picture = tab.getByRole('img', { name: 'Your picture' });
    const width = () => tab.evaluate(`document.querySelector('img[alt="Your picture"]').naturalWidth`);
    await expect.poll(width, { timeout: patience }).toBe(1);
    await upload('me.png', 'image/png', Buffer.from('<svg onload="alert(1)"/>'));
    expect(await tab.getByRole('alert').textContent()).toContain('Choose a PNG, JPEG or WebP picture.');
    await upload('photo.png', 'image/png', Buffer.concat([png, Buffer.alloc(5_000_000)]));
    await tab.getByText('That picture is larger than 1 MB. Choose a smaller one.').waitFor();
    expect(await tab.getByLabel('First name').inputValue()).not.toBe('');
    await tab.getByRole('button', { name: 'Remove picture' }).click();
    await tab.getByText('Your picture is removed.').waitFor();
    expect(await picture.count()).toBe(0);
  });

  it('keep the dark look on every page', async () => {
    const { tab } = await open('/settings/profile');
    const [kept] = await Promise.all([
      tab.waitForResponse((response) => response.url().endsWith('/settings/theme')),
      tab.getByLabel('Dark').check(),
    ]);
    expect(kept.status()).toBe(303);
    await tab.goto(stage.app.url);
    expect(await tab.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(14, 16, 20)');
  });

  it('change the password, and reset the second factor for a new phone', async () => {
    const { tab, person } = await open('/settings/security');
    await tab.getByLabel('Current password').fill(person.password);
    await tab.getByLabel('New password').fill('Copper-Meadow-77');
    await tab.getByRole('button', { name: 'Change password' }).click();
    await tab.getByText('Your password is changed.').waitFor();

    await tab.getByRole('button', { name: 'Reset second factor' }).click();
    await tab.getByLabel('Password', { exact: true }).fill('Copper-Meadow-77');
    await tab.getByLabel('Six-digit code').fill(await freshCode(stage.app, person));
    await tab.getByRole('button', { name: 'Reset second factor' }).click();
    await tab.getByText('Your second factor is reset.').waitFor();

    const next = await browser.open();
    await next.goto(`${stage.app.url}/login`);
    await sayWho(next, person.user.username, 'Northwind IT');
    await givePassword(next, 'Copper-Meadow-77');
    await next.getByText('Your second factor was reset.').waitFor();
    const totpSecret = ((await next.locator('.secret-groups').textContent()) ?? '').replace(/\s/g, '');
    expect(totpSecret).not.toBe(person.totpSecret);
    await giveCode(next, codeOf(stage.app, { ...person, totpSecret }));
    await next.getByRole('button', { name: 'I have saved them, continue' }).click();
    await next.getByRole('heading', { name: 'Welcome, Pat' }).waitFor();
  });

  it('make new recovery codes, one of which lets the person in without the phone', async () => {
    const { tab, person } = await open('/settings/security');
    await tab.getByRole('button', { name: 'Make new recovery codes' }).click();
    await tab.getByText('stop working at once').waitFor();
    await tab.getByRole('button', { name: 'Make new recovery codes' }).click();
    await tab.getByRole('heading', { name: 'Save your new recovery codes' }).waitFor();
    const [recoveryCode = ''] = await tab.locator('.code-list code').allTextContents();
    await tab.getByRole('link', { name: 'I have saved them, continue' }).click();
    await tab.getByText('10 of 10 left').waitFor();

    const next = await browser.open();
    await next.goto(`${stage.app.url}/login`);
    await sayWho(next, person.user.username, 'Northwind IT');
    await givePassword(next, person.password);
    await next.getByRole('button', { name: 'Use a recovery code instead' }).click();
    await next.getByLabel('Recovery code').fill(` ${recoveryCode.toUpperCase()} `);
    await next.getByRole('button', { name: 'Verify' }).click();
    await next.getByRole('heading', { name: 'Welcome, Pat' }).waitFor();
    await tab.reload();
    await tab.getByText('9 of 10 left').waitFor();
  });
});
