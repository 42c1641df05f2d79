// Two tabs, or two people at one computer: each gets what they asked for, and nobody is taken for somebody else (WEB-02, WEB-03).
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { type Stage, setStage } from '../support/stage.ts';
import { chooseKaseyaOne, expectInside, expectThrownOut, isInside, logIn, logInTo } from '../support/steps.ts';

describe('in one browser', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let ann: TestPerson;
  let bob: TestPerson;

  beforeAll(async () => {
    stage = await setStage(['ann', 'bob']);
    ann = await makePerson(stage.app, stage.company, { username: 'ann' });
    bob = await makePerson(stage.app, stage.company, { username: 'bob' });
  });
  afterAll(() => stage?.stop());

  /** Two tabs, each on the first page of a login: one to Workplace, one to Helpdesk. */
  async function twoLogins(): Promise<[Tab, Tab]> {
    const one = await browser.open();
    const two = await one.context().newPage();
    await chooseKaseyaOne(one, stage.workplace);
    await chooseKaseyaOne(two, stage.helpdesk);
    return [one, two];
  }

  async function whoIsAtKaseyaOne(tab: Tab): Promise<string> {
    await tab.goto(stage.app.url);
    return (await tab.locator('.person-menu-who').textContent()) ?? '';
  }

  it('logins in two tabs both come to their end', async () => {
    const [one, two] = await twoLogins();
    await logIn(two, stage.app, ann);
    await expectInside(two, stage.helpdesk, ann);
    await logIn(one, stage.app, ann);
    await expectInside(one, stage.workplace, ann);
    expect(await isInside(two, stage.helpdesk)).toBe(true);
  });

  it('whoever logs in later takes over; the first one is out of everything', async () => {
    const [one, two] = await twoLogins();
    await logIn(two, stage.app, ann);
    await expectInside(two, stage.helpdesk, ann);
    await logIn(one, stage.app, bob);
    await expectInside(one, stage.workplace, bob);
    expect(await whoIsAtKaseyaOne(one)).toContain('bob');
    await expectThrownOut(two, stage.helpdesk);
    await chooseKaseyaOne(two, stage.helpdesk);
    await expectInside(two, stage.helpdesk, bob);
  });

  it('"Not you?" hands the login over to another person', async () => {
    const tab = await browser.open();
    await logInTo(tab, stage.workplace, stage.app, ann);
    const again = await tab.context().newPage();
    await again.goto(`${stage.app.url}/auth?${await questionOf(again)}&prompt=login`);
    await again.getByRole('heading', { name: 'Enter your password' }).waitFor();
    expect(await again.locator('.chip-name').textContent()).toBe('ann');
    await again.getByRole('button', { name: 'Not you?' }).click();
    await logIn(again, stage.app, bob);
    await expectInside(again, stage.helpdesk, bob);
    expect(await whoIsAtKaseyaOne(again)).toContain('bob');
    await expectThrownOut(tab, stage.workplace);
  });

  /** What Helpdesk asks KaseyaOne, taken before the browser follows it. */
  async function questionOf(tab: Tab): Promise<string> {
    await tab.goto(`${stage.helpdesk.url}/login`);
    const answer = await tab.context().request.get(`${stage.helpdesk.url}/login/start`, { maxRedirects: 0 });
    return new URL(answer.headers().location ?? '').searchParams.toString();
  }

  it('Back after a login shows no form that could be sent once more', async () => {
    const tab = await browser.open();
    await logInTo(tab, stage.workplace, stage.app, ann);
    await tab.goBack();
    await tab.getByRole('heading', { name: 'This login has run out' }).waitFor();
    await tab.getByRole('link', { name: 'Start again' }).click();
    await tab.getByRole('heading', { name: 'Welcome, Pat' }).waitFor();
  });
});
