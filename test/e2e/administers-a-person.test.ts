// A7.1, A7.5, A7.7: what an administrator does to one person, and what that person notices.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namesOf, tryWrong } from '../support/attempts.ts';
import { useBrowser } from '../support/browser.ts';
import { expectGoodLooks, phone } from '../support/look.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { type Stage, setStage } from '../support/stage.ts';
import { expectThrownOut, givePassword, logIn, logInTo, sayWho } from '../support/steps.ts';

describe('an administrator', { timeout: 90_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let admin: TestPerson;
  let ben: TestPerson;

  beforeAll(async () => {
    stage = await setStage(['ben'], { FAILURES_PER_ADDRESS: '100000' });
    admin = await makePerson(stage.app, stage.company, { username: 'ada', role: 'Admin' });
    ben = await makePerson(stage.app, stage.company, { username: 'ben' });
  });
  afterAll(() => stage?.stop());

  async function atTheConsole(options: Parameters<typeof browser.open>[0] = {}) {
    const tab = await browser.open(options);
    await tab.goto(`${stage.app.url}/admin/users?q=ben`);
    await logIn(tab, stage.app, admin);
    await tab.waitForURL((url) => url.origin === stage.app.url && !url.pathname.startsWith('/interaction'));
    await tab.goto(`${stage.app.url}/admin/users?q=ben`);
    await tab.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
    return tab;
  }

  it('A7.1, A2.3, D.10 no. 6 deactivates someone who is signed in to Workplace: thrown out within 5 s', async () => {
    const work = await browser.open();
    await logInTo(work, stage.workplace, stage.app, ben);
    const tab = await atTheConsole();
    await tab.getByRole('link', { name: 'ben', exact: true }).first().click();
    await tab.getByRole('heading', { level: 1, name: 'Pat Example' }).waitFor();
    await tab.getByText('More', { exact: true }).click();
    await tab.getByRole('link', { name: 'Deactivate' }).click();
    await tab.getByText('The session ends at once, also in Workplace.').waitFor();
    await tab.getByRole('button', { name: 'Deactivate Pat Example' }).click();
    await expectThrownOut(work, stage.workplace);
    await tab.getByText('Pat Example is deactivated and logged out everywhere.').waitFor();
    await tab.getByRole('link', { name: 'Activate' }).click();
    await tab.getByRole('button', { name: 'Activate Pat Example' }).click();
    await tab.getByText('A link to set a password went to').waitFor();
  });

  it('A7.5 unlocks: the person logs in at once', async () => {
    const lou = await makePerson(stage.app, stage.company, { username: 'benlocked' });
    await tryWrong(stage.app, namesOf(lou), 5);
    const tab = await atTheConsole();
    await tab.getByRole('link', { name: 'Unlock Pat Example' }).click();
    await tab.getByRole('button', { name: 'Unlock Pat Example' }).click();
    await tab.getByText('Pat Example is unlocked and can log in.').waitFor();
    const theirs = await browser.open();
    await theirs.goto(stage.app.url);
    await logIn(theirs, stage.app, lou);
    await theirs.getByRole('heading', { name: 'My Modules' }).waitFor();
  });

  it('A7.7 resets 2FA: thrown out, and asked to set up a second factor at the next login', async () => {
    const rea = await makePerson(stage.app, stage.company, { username: 'benrea' });
    const theirs = await browser.open();
    await theirs.goto(stage.app.url);
    await logIn(theirs, stage.app, rea);
    await theirs.getByRole('heading', { name: 'My Modules' }).waitFor();
    const tab = await atTheConsole();
    await tab.goto(`${stage.app.url}/admin/users/${rea.user.id}/security`);
    await tab.getByText('More', { exact: true }).click();
    await tab.getByRole('link', { name: 'Reset 2FA' }).click();
    await tab.getByRole('button', { name: 'Reset 2FA of Pat Example' }).click();
    await tab.getByText('2FA of Pat Example is reset: Not Enrolled.').waitFor();
    await theirs.goto(stage.app.url);
    await sayWho(theirs, 'benrea', stage.company.name);
    await givePassword(theirs, rea.password);
    await theirs.getByRole('heading', { name: 'Your Security Matters' }).waitFor();
    expect(new URL(theirs.url()).pathname).toContain('/interaction/');
  });

  it('A6.3, A6.4 edits on a phone, where each page looks right', async () => {
    const bella = await makePerson(stage.app, stage.company, { username: 'bella' });
    await tryWrong(stage.app, namesOf(bella), 2);
    const theirs = await browser.open();
    await theirs.goto(stage.app.url);
    await logIn(theirs, stage.app, bella);
    await theirs.getByRole('heading', { name: 'My Modules' }).waitFor();
    const tab = await atTheConsole(phone);
    const own = `${stage.app.url}/admin/users/${bella.user.id}`;
    await tab.goto(`${own}/edit`);
    await tab.getByLabel('Last Name').fill('Examplesson');
    await tab.getByLabel('Email').fill('bella.new@example.com');
    await tab.getByRole('button', { name: 'Save' }).click();
    await tab.getByText('A link went to bella.new@example.com').waitFor();
    for (const [path, name] of [
      ['', 'overview'],
      ['/security', 'security'],
      ['/activity', 'activity'],
      ['/mail', 'mail'],
      ['/edit', 'edit'],
      ['/delete', 'delete'],
    ] as const) {
      await tab.goto(`${own}${path}`);
      await expectGoodLooks(tab, `person-${name}`);
    }
  });
});
