// Signed in once, a person is asked nothing at the next module.
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { type Stage, setStage } from '../support/stage.ts';
import { chooseKaseyaOne, expectInside, isInside, logIn, logInTo } from '../support/steps.ts';

describe('a second module', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let sam: TestPerson;

  beforeAll(async () => {
    stage = await setStage(['sam']);
    sam = await makePerson(stage.app, stage.company, { username: 'sam' });
  });
  afterAll(() => stage?.stop());

  /** Addresses of KaseyaOne that this tab shows from now on: where it stops, not where it is only sent on. */
  function pagesOfKaseyaOne(tab: Tab): string[] {
    const pages: string[] = [];
    tab.on('framenavigated', (frame) => {
      const { origin, pathname } = new URL(frame.url());
      if (origin === stage.app.url) pages.push(pathname);
    });
    return pages;
  }

  it('asks for nothing', async () => {
    const tab = await browser.open();
    await logInTo(tab, stage.workplace, stage.app, sam);
    expect(await isInside(tab, stage.helpdesk)).toBe(false);
    const shown = pagesOfKaseyaOne(tab);
    await chooseKaseyaOne(tab, stage.helpdesk);
    await expectInside(tab, stage.helpdesk, sam);
    expect(shown).toEqual([]);
    expect(await isInside(tab, stage.workplace)).toBe(true);
  });

  it('opens from its tile on the home page, and from the App Launcher of every other page', async () => {
    const tab = await browser.open();
    await tab.goto(stage.app.url);
    await logIn(tab, stage.app, sam);
    await tab.getByRole('heading', { name: 'Welcome, Pat' }).waitFor();
    const shown = pagesOfKaseyaOne(tab);
    // An instance that is named like its module says so once.
    await tab.getByRole('main').getByRole('link', { name: 'Helpdesk', exact: true }).click();
    await expectInside(tab, stage.helpdesk, sam);
    expect(shown).toEqual([]);

    // The module's own button leads back to all modules.
    await tab.getByRole('link', { name: 'App Launcher' }).click();
    await tab.getByRole('heading', { name: 'Welcome, Pat' }).waitFor();
    await tab.getByRole('link', { name: 'Support' }).click();
    await tab.getByRole('heading', { name: 'Support' }).waitFor();
    await tab.getByText('App Launcher').click();
    await tab.getByRole('banner').getByRole('link', { name: 'Workplace' }).click();
    await expectInside(tab, stage.workplace, sam);
  });
});
