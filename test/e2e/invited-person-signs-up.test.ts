// From the invitation in the mailbox to the first minute in a module (C1, A5.7).
import { readFile } from 'node:fs/promises';
import { generateSync } from 'otplib';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inviteUser } from '../../src/domain/users/commands.ts';
import type { User } from '../../src/domain/users/user.ts';
import { useBrowser } from '../support/browser.ts';
import { mailTo } from '../support/mailbox.ts';
import { emailOf, type Stage, setStage } from '../support/stage.ts';
import { expectInside, giveCode, givePassword } from '../support/steps.ts';

describe('an invited person', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let ivy: User;

  beforeAll(async () => {
    stage = await setStage(['ivy']);
    const person = {
      firstName: 'Ivy',
      lastName: 'Invited',
      email: emailOf('ivy'),
      username: 'ivy',
      role: 'User',
    } as const;
    ({ user: ivy } = await inviteUser(stage.app.operator(), stage.company.id, person));
  });
  afterAll(() => stage?.stop());

  const status = async () => (await stage.app.runtime.store.of(stage.company.id).users.findById(ivy.id))?.baseStatus;
  const codeAt = (secret: string, milliseconds: number) =>
    generateSync({ secret, epoch: Math.floor(milliseconds / 1000) });
  const problem = (tab: Tab) => tab.getByRole('alert');

  it('signs up: link, password, second factor, recovery codes, Workplace', async () => {
    const mail = await mailTo(stage.app, emailOf('ivy'), 'invitation');
    expect(mail.text).toContain('Northwind IT');
    const tab = await browser.open();
    await tab.goto(mail.link);
    await tab.getByRole('heading', { name: 'Welcome, Ivy' }).waitFor();

    // A bad password: every reason is said, and the page is otherwise as it was.
    await tab.getByLabel('New password').fill('ivy');
    await tab.getByRole('button', { name: 'Set' }).click();
    await problem(tab).waitFor();
    for (const reason of ['at least 8 characters', 'an upper-case letter', 'a digit', 'a symbol'])
      expect(await problem(tab).textContent()).toContain(reason);
    expect(await tab.getByLabel('New password').inputValue()).toBe('');
    expect(await tab.getByRole('definition').allTextContents()).toEqual(['ivy', 'Northwind IT']);
    const password = 'Violet-Harbour-42';
    await tab.getByLabel('New password').fill(password);
    await tab.getByRole('button', { name: 'Set' }).click();
    await tab.getByRole('heading', { name: 'Your password is set' }).waitFor();
    expect(await status()).toBe('Invited');

    await tab.getByRole('link', { name: 'Back to Login' }).click();
    // The way here has said who and where.
    expect(await tab.getByLabel('Username').inputValue()).toBe('ivy');
    expect(await tab.getByLabel('Company Name').count()).toBe(0);
    await tab.getByRole('button', { name: 'Next' }).click();
    await givePassword(tab, password);

    await tab.getByRole('heading', { name: 'Your Security Matters' }).waitFor();
    const secret = ((await tab.locator('.secret-groups').textContent()) ?? '').replace(/\s/g, '');
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    await giveCode(tab, codeAt(secret, stage.app.clock.now().getTime() + 600_000));
    await problem(tab).waitFor();
    expect(await problem(tab).textContent()).toContain('That code did not work');
    expect(((await tab.locator('.secret-groups').textContent()) ?? '').replace(/\s/g, '')).toBe(secret);
    expect(await status()).toBe('Invited');
    await giveCode(tab, codeAt(secret, stage.app.clock.now().getTime()));

    await tab.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
    const codes = await tab.getByRole('listitem').allTextContents();
    expect(new Set(codes).size).toBe(10);
    const [download] = await Promise.all([
      tab.waitForEvent('download'),
      tab.getByRole('link', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('kaseyaone-recovery-codes.txt');
    const kept = await readFile(await download.path(), 'utf8');
    expect(kept.split('\r\n').filter((line) => codes.includes(line))).toEqual(codes);
    await tab.getByRole('button', { name: 'I have saved them, continue' }).click();

    await tab.getByRole('heading', { name: 'Welcome, Ivy' }).waitFor();
    expect(await status()).toBe('Active');
    expect((await mailTo(stage.app, emailOf('ivy'), 'secondFactorEnrolled')).subject).toBeTruthy();
    await tab.getByRole('main').getByRole('link', { name: 'Workplace' }).click();
    await expectInside(tab, stage.workplace, { user: ivy });

    await tab.goto(mail.link);
    await tab.getByRole('heading', { name: 'This link no longer works' }).waitFor();
  });
});
