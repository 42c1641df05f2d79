// OAU-24: a person takes back what a module may do for them, and goes on with everything else.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { expectGoodLooks, phone } from '../support/look.ts';
import { makePerson } from '../support/people.ts';
import { type Stage, setStage } from '../support/stage.ts';
import { chooseKaseyaOne, expectInside, expectThrownOut, isInside, logInTo } from '../support/steps.ts';

describe('revoking the access of a module', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;

  beforeAll(async () => {
    stage = await setStage(['rea', 'tom']);
  });
  afterAll(() => stage?.stop());

  it.each([
    ['with script', true],
    ['without script', false],
  ])('throws its owner out of Workplace alone, on a phone (%s)', async (_, javaScriptEnabled) => {
    const username = javaScriptEnabled ? 'rea' : 'tom';
    const person = await makePerson(stage.app, stage.company, { username });
    const tab = await browser.open({ ...phone, javaScriptEnabled });
    await logInTo(tab, stage.workplace, stage.app, person);
    await chooseKaseyaOne(tab, stage.helpdesk);
    await expectInside(tab, stage.helpdesk, person);

    await tab.goto(`${stage.app.url}/settings/profile`);
    await tab.getByRole('link', { name: 'Module access' }).first().click();
    await tab.getByRole('heading', { name: 'Module access' }).waitFor();
    if (javaScriptEnabled) await expectGoodLooks(tab, 'access');
    await tab.getByRole('link', { name: 'Revoke the access of Workplace' }).click();
    await tab.getByRole('heading', { name: 'Revoke the access of Workplace?' }).waitFor();
    if (javaScriptEnabled) await expectGoodLooks(tab, 'access-revoke');
    await tab.getByRole('button', { name: 'Revoke the access of Workplace' }).click();
    await tab.getByText('Workplace has no access to your account any more.').waitFor();
    expect(await tab.getByRole('heading', { level: 2 }).allTextContents()).toEqual(['Helpdesk']);

    await expectThrownOut(tab, stage.workplace);
    expect(await isInside(tab, stage.helpdesk)).toBe(true);
    // The session at KaseyaOne goes on: a new entry asks for nothing, and is listed anew.
    await chooseKaseyaOne(tab, stage.workplace);
    await expectInside(tab, stage.workplace, person);
    await tab.goto(`${stage.app.url}/settings/access`);
    expect(await tab.getByRole('heading', { level: 2 }).allTextContents()).toEqual(['Helpdesk', 'Workplace']);
  });
});
