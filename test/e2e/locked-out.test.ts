// Somebody guesses: the lock comes, says nothing, spares the browsers that the person uses, and ends (A2.4, AUT-05, AUT-07).
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unlockUser } from '../../src/domain/users/commands.ts';
import { minutes } from '../../src/lib/time.ts';
import { patience, useBrowser } from '../support/browser.ts';
import { mailTo } from '../support/mailbox.ts';
import { freshCode, makePerson, type TestPerson } from '../support/people.ts';
import { emailOf, type Stage, setStage } from '../support/stage.ts';
import { chooseKaseyaOne, expectInside, giveCode, givePassword, logInTo, sayWho } from '../support/steps.ts';

describe('a person who is locked out', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;

  beforeAll(async () => {
    stage = await setStage(['lou', 'max', 'kim']);
  });
  afterAll(() => stage?.stop());

  const person = (username: string) => makePerson(stage.app, stage.company, { username });

  /** Gives a password that is refused. @returns what the page says, without the code that an administrator looks up */
  async function refused(tab: Tab, password: string): Promise<string> {
    const code = () => tab.evaluate("document.querySelector('.problem-code code')?.textContent");
    const before = await code();
    await givePassword(tab, password);
    // The page before this one said the same: only the code tells them apart.
    await tab.getByRole('alert').waitFor();
    if (before) await expect.poll(code, { timeout: patience }).not.toBe(before);
    const words = (await tab.getByRole('alert').textContent()) ?? '';
    return words
      .replace(/Code\s+\S+/, '')
      .replace(/\s+/g, ' ')
      .trim();
  }

  /** A browser that nobody knows, on the password page, after five wrong passwords. */
  async function lockOut(someone: TestPerson): Promise<{ tab: Tab; words: string }> {
    const tab = await browser.open();
    await chooseKaseyaOne(tab, stage.workplace);
    await sayWho(tab, someone.user.username, 'Northwind IT');
    const said = new Set<string>();
    for (const attempt of [1, 2, 3, 4, 5]) said.add(await refused(tab, `Wrong-Guess-${attempt}`));
    expect(said.size).toBe(1);
    return { tab, words: [...said][0] ?? '' };
  }

  async function finish(tab: Tab, someone: TestPerson): Promise<void> {
    await givePassword(tab, someone.password);
    await giveCode(tab, await freshCode(stage.app, someone));
    await expectInside(tab, stage.workplace, someone);
  }

  it('is refused with the same words, hears of it by mail, and gets in when the time is over', async () => {
    const lou = await person('lou');
    const { tab, words } = await lockOut(lou);
    expect(words).toContain('That did not work.');
    expect(await refused(tab, lou.password)).toBe(words);
    expect((await mailTo(stage.app, emailOf('lou'), 'locked')).text).toContain('Northwind IT');

    stage.app.clock.advance(minutes(9));
    expect(await refused(tab, lou.password)).toBe(words);
    stage.app.clock.advance(minutes(1) + 1000);
    await finish(tab, lou);
  });

  it('still gets in from the browser of every day', async () => {
    const max = await person('max');
    const own = await browser.open();
    await logInTo(own, stage.workplace, stage.app, max);
    await own.getByRole('button', { name: 'Log out' }).click();
    await own.getByText('You are logged out of Workplace.').waitFor();

    const { tab, words } = await lockOut(max);
    expect(await refused(tab, max.password)).toBe(words);
    await logInTo(own, stage.workplace, stage.app, max);
  });

  it('gets in at once when an administrator lifts the lock', async () => {
    const kim = await person('kim');
    const { tab, words } = await lockOut(kim);
    expect(await refused(tab, kim.password)).toBe(words);
    await unlockUser(stage.app.operator(), stage.company.id, kim.user.id);
    await finish(tab, kim);
  });
});
