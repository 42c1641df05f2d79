// One log-out, one ended session or one deactivation, and every module hears of it within seconds (Back-Channel Logout 1.0).
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deactivateUser } from '../../src/domain/users/commands.ts';
import { useBrowser } from '../support/browser.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { type Stage, setStage } from '../support/stage.ts';
import {
  chooseKaseyaOne,
  expectInside,
  expectThrownOut,
  givePassword,
  isInside,
  logInTo,
  sayWho,
} from '../support/steps.ts';

describe('logging out', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;

  beforeAll(async () => {
    stage = await setStage(['ron', 'eve', 'kai', 'fin', 'dan', 'una']);
  });
  afterAll(() => stage?.stop());

  const person = (username: string) => makePerson(stage.app, stage.company, { username });

  async function enterBoth(someone: TestPerson): Promise<Tab> {
    const tab = await browser.open();
    await logInTo(tab, stage.workplace, stage.app, someone);
    await chooseKaseyaOne(tab, stage.helpdesk);
    await expectInside(tab, stage.helpdesk, someone);
    return tab;
  }

  async function expectLoggedOutOfKaseyaOne(tab: Tab): Promise<void> {
    await tab.goto(stage.app.url);
    await tab.getByRole('heading', { name: 'Log in' }).waitFor();
  }

  it.each([
    ['with script, at one press', true],
    ['without script, at two', false],
  ])('of Workplace ends KaseyaOne and Helpdesk too, and comes back to Workplace (%s)', async (_, javaScriptEnabled) => {
    const ron = await person(javaScriptEnabled ? 'ron' : 'eve');
    const both = await enterBoth(ron);
    // The same cookies in a browser that may or may not run scripts.
    const tab = await browser.open({ javaScriptEnabled, storageState: await both.context().storageState() });
    expect(await isInside(tab, stage.workplace)).toBe(true);
    await tab.getByRole('button', { name: 'Log out' }).click();
    if (!javaScriptEnabled) {
      await tab.getByRole('heading', { name: 'Log out?' }).waitFor();
      await tab.getByRole('button', { name: 'Log out' }).click();
    }
    await tab.getByText('You are logged out of Workplace.').waitFor();
    expect(new URL(tab.url()).origin).toBe(stage.workplace.url);
    await expectThrownOut(tab, stage.helpdesk);
    await tab.getByText('You were signed out of KaseyaOne.').waitFor();
    await expectLoggedOutOfKaseyaOne(tab);
  });

  it('of KaseyaOne itself ends both modules', async () => {
    const tab = await enterBoth(await person('kai'));
    await tab.goto(stage.app.url);
    await tab.locator('summary', { hasText: 'Menu of Pat Example' }).click();
    await tab.getByRole('button', { name: 'Log out' }).click();
    await tab.getByRole('heading', { name: 'You are logged out' }).waitFor();
    await expectThrownOut(tab, stage.workplace, stage.helpdesk);
    await expectLoggedOutOfKaseyaOne(tab);
  });

  it('of a module after the session at KaseyaOne is over comes back to the module just the same', async () => {
    const tab = await enterBoth(await person('fin'));
    await tab.context().clearCookies({ name: /^(?!helpdesk)/ });
    await tab.getByRole('button', { name: 'Log out' }).click();
    await tab.getByText('You are logged out of Helpdesk.').waitFor();
  });

  it('of another browser, under My Settings, throws that browser out of Workplace', async () => {
    const dan = await person('dan');
    const lost = await browser.open({
      userAgent:
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    });
    await logInTo(lost, stage.workplace, stage.app, dan);
    const own = await enterBoth(dan);

    await own.goto(stage.app.url);
    await own.locator('summary', { hasText: 'Menu of Pat Example' }).click();
    await own.getByRole('link', { name: 'Sessions' }).click();
    const row = own.getByRole('listitem').filter({ hasText: 'Safari on iPhone' });
    expect(await row.textContent()).toContain('Workplace');
    await row.getByRole('button', { name: /^End/ }).click();
    await own.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
    await own.getByText('That session has ended.').waitFor();
    expect(await own.getByText('Safari on iPhone').count()).toBe(0);

    await expectThrownOut(lost, stage.workplace);
    await expectLoggedOutOfKaseyaOne(lost);
    expect(await isInside(own, stage.workplace)).toBe(true);
    expect(await isInside(own, stage.helpdesk)).toBe(true);
  });

  it('is not asked of whoever is deactivated: both modules are closed at once, and so is the way in', async () => {
    const una = await person('una');
    const tab = await enterBoth(una);
    await deactivateUser(stage.app.operator(), stage.company.id, una.user.id);
    await expectThrownOut(tab, stage.workplace, stage.helpdesk);
    await chooseKaseyaOne(tab, stage.workplace);
    await sayWho(tab, 'una', 'Northwind IT');
    await givePassword(tab, una.password);
    expect(await tab.getByRole('alert').textContent()).toContain('That did not work.');
  });
});
