// No access group opens the module: the person reads why in plain words, and an administrator finds the reason by the code (D.5 step 6).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { type Stage, setStage, workplaceTeam } from '../support/stage.ts';
import { chooseKaseyaOne, expectInside, logIn } from '../support/steps.ts';

describe('a module that is not open to a person', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let noa: TestPerson;

  beforeAll(async () => {
    stage = await setStage(['noa']);
    noa = await makePerson(stage.app, stage.company, { username: 'noa', groups: [workplaceTeam] });
  });
  afterAll(() => stage?.stop());

  it('says so, with a code that leads to the reason', async () => {
    const tab = await browser.open();
    await chooseKaseyaOne(tab, stage.helpdesk);
    await logIn(tab, stage.app, noa);
    await tab.getByRole('heading', { name: "You can't enter Helpdesk" }).waitFor();
    const words = (await tab.getByRole('main').textContent()) ?? '';
    expect(words).toContain('because none of your access groups includes it');
    expect(words).toContain('Ask your KaseyaOne administrator');
    const code = (await tab.locator('.reference code').textContent()) ?? '';
    const [event, ...more] = await stage.app.runtime.store.audit.listRecent(5, { code });
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      action: 'entry.refuse',
      company_id: stage.company.id,
      target_id: noa.user.id,
      details: { clientId: stage.helpdesk.clientId, reason: 'no-group' },
    });

    // What is open to the person stays open, and only that has a tile.
    await tab.getByRole('link', { name: 'Go to My Modules' }).click();
    await tab.getByRole('heading', { name: 'My Modules' }).waitFor();
    expect(await tab.locator('.tile-name').allTextContents()).toEqual(['Workplace']);
    await tab.getByRole('main').getByRole('link', { name: 'Workplace' }).click();
    await expectInside(tab, stage.workplace, noa);
  });

  it('lets the person leave', async () => {
    const tab = await browser.open();
    await chooseKaseyaOne(tab, stage.helpdesk);
    await logIn(tab, stage.app, noa);
    await tab.getByRole('button', { name: 'Log out' }).click();
    await tab.getByRole('heading', { name: 'You are logged out' }).waitFor();
    await tab.getByRole('link', { name: 'Log in again' }).click();
    await tab.getByLabel('Username').waitFor();
  });
});
