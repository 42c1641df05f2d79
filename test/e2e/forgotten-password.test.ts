// The password is gone from memory: a mail, a link, a new one; whoever sat in old sessions is out (A7.6, AUT-13).
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { mailTo } from '../support/mailbox.ts';
import { freshCode, makePerson, type TestPerson } from '../support/people.ts';
import { emailOf, type Stage, setStage } from '../support/stage.ts';
import {
  chooseKaseyaOne,
  expectInside,
  expectThrownOut,
  giveCode,
  givePassword,
  logInTo,
  sayWho,
} from '../support/steps.ts';

describe('a forgotten password', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let flo: TestPerson;

  beforeAll(async () => {
    stage = await setStage(['flo']);
    flo = await makePerson(stage.app, stage.company, { username: 'flo' });
  });
  afterAll(() => stage?.stop());

  async function askForLink(tab: Tab, username: string): Promise<string> {
    await tab.getByRole('link', { name: "Can't log in?" }).click();
    await tab.getByRole('link', { name: 'I forgot my password' }).click();
    await tab.getByLabel('Username').fill(username);
    await tab.getByLabel('Company Name').fill('northwind it');
    await tab.getByRole('button', { name: 'Mail me a link' }).click();
    await tab.getByRole('heading', { name: 'Check your mail' }).waitFor();
    return (await tab.getByRole('main').textContent()) ?? '';
  }

  it('is replaced by a mailed link; old sessions end, and the second factor stays', async () => {
    const old = await browser.open();
    await logInTo(old, stage.workplace, stage.app, flo);

    const tab = await browser.open();
    await chooseKaseyaOne(tab, stage.workplace);
    const answer = await askForLink(tab, 'FLO');
    const mail = await mailTo(stage.app, emailOf('flo'), 'passwordReset');
    await tab.goto(mail.link);
    await tab.getByRole('heading', { name: 'Set a new password' }).waitFor();
    await tab.getByLabel('New password').fill(flo.password);
    await tab.getByRole('button', { name: 'Set' }).click();
    expect(await tab.getByRole('alert').textContent()).toContain('You have used this password before.');
    await tab.getByLabel('New password').fill('Copper-Meadow-77');
    await tab.getByRole('button', { name: 'Set' }).click();
    await tab.getByRole('heading', { name: 'Your password is set' }).waitFor();

    await expectThrownOut(old, stage.workplace);
    await old.goto(stage.app.url);
    await old.getByRole('heading', { name: 'Log in' }).waitFor();
    expect((await mailTo(stage.app, emailOf('flo'), 'passwordChanged')).subject).toContain('password');

    // The login to the module still waits, and knows who comes back.
    await tab.getByRole('link', { name: 'Back to Login' }).click();
    await tab.getByText('to continue to').waitFor();
    await tab.getByRole('button', { name: 'Next' }).click();
    await givePassword(tab, flo.password);
    expect(await tab.getByRole('alert').textContent()).toContain('That did not work.');
    await givePassword(tab, 'Copper-Meadow-77');
    await giveCode(tab, await freshCode(stage.app, flo));
    await expectInside(tab, stage.workplace, flo);

    // Whoever asks for somebody who does not exist reads the same.
    const stranger = await browser.open();
    await stranger.goto(`${stage.app.url}/login`);
    expect(await askForLink(stranger, 'nobody')).toBe(answer);
  });

  it('can be asked for from the page that asks for the password, and leaves the waiting login alone', async () => {
    const tab = await browser.open();
    await chooseKaseyaOne(tab, stage.workplace);
    await sayWho(tab, 'flo', 'Northwind IT');
    const waiting = tab.url();
    await tab.getByRole('link', { name: "Can't log in?" }).click();
    await tab.getByRole('heading', { name: "Can't log in?" }).waitFor();
    await tab.goto(waiting);
    await tab.getByRole('heading', { name: 'Enter your password' }).waitFor();
  });
});
