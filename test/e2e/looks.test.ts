// Every page on the way, as a phone shows it, in light and dark.
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inviteUser } from '../../src/domain/users/commands.ts';
import { patience, useBrowser } from '../support/browser.ts';
import { expectGoodLooks, phone } from '../support/look.ts';
import { mailTo } from '../support/mailbox.ts';
import { codeOf, freshCode, makePerson, type TestPerson } from '../support/people.ts';
import { emailOf, type Stage, setStage, workplaceTeam } from '../support/stage.ts';
import { chooseKaseyaOne, expectInside, giveCode, givePassword, logIn, sayWho } from '../support/steps.ts';

// Names as long as they come: they must wrap or be cut, not push the page wide.
const username = 'maximiliane.hohenstein-oettingen@northwind.example';

describe('at 360 pixels, in light and dark,', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let max: TestPerson;

  beforeAll(async () => {
    stage = await setStage(['max'], { DEMO: 'true', LINK_UNIVERSITY: 'https://university.example/' });
    max = await makePerson(stage.app, stage.company, { username, email: emailOf('max'), groups: [workplaceTeam] });
  });
  afterAll(() => stage?.stop());

  /** A refused form: the field in question has the focus, the reason is in sight beside it, and all looks good. */
  async function expectRefused(tab: Tab, name: string): Promise<void> {
    const alert = tab.getByRole('alert');
    await alert.waitFor();
    await expect
      .poll(() => tab.evaluate('document.activeElement.getAttribute("aria-invalid")'), {
        message: name,
        timeout: patience,
      })
      .toBe('true');
    const { y = -1, height = 0 } = (await alert.boundingBox()) ?? {};
    expect(y, `top of the reason on ${name}`).toBeGreaterThanOrEqual(0);
    expect(y + height, `end of the reason on ${name}`).toBeLessThanOrEqual(phone.viewport.height);
    await expectGoodLooks(tab, name);
  }

  /** The pages at these addresses, one after the other. */
  async function lookAt(tab: Tab, pages: Record<string, string>): Promise<void> {
    for (const [name, path] of Object.entries(pages)) {
      await tab.goto(new URL(path, stage.app.url).href);
      await expectGoodLooks(tab, name);
    }
  }

  it('signing up', async () => {
    const person = {
      firstName: 'Zoe',
      lastName: 'Invited',
      email: emailOf('zoe'),
      username: 'zoe',
      role: 'User',
    } as const;
    await inviteUser(stage.app.operator(), stage.company.id, person);
    const { link } = await mailTo(stage.app, emailOf('zoe'), 'invitation');
    const tab = await browser.open(phone);
    await lookAt(tab, { invitation: link });
    await tab.getByLabel('New password').fill('zoe');
    await tab.getByRole('button', { name: 'Set' }).click();
    await expectRefused(tab, 'invitation-refused');
    await tab.getByLabel('New password').fill(max.password);
    await tab.getByRole('button', { name: 'Set' }).click();
    await tab.getByRole('heading', { name: 'Your password is set' }).waitFor();
    await expectGoodLooks(tab, 'password-set');
    await tab.getByRole('link', { name: 'Back to Login' }).click();
    await tab.getByLabel('Username').waitFor();
    await expectGoodLooks(tab, 'identify-known-company');
    await tab.getByRole('button', { name: 'Next' }).click();
    await givePassword(tab, max.password);
    await tab.getByRole('heading', { name: 'Your Security Matters' }).waitFor();
    await expectGoodLooks(tab, 'enrol');
    await giveCode(tab, '000000');
    await expectRefused(tab, 'enrol-refused');
    const totpSecret = ((await tab.locator('.secret-groups').textContent()) ?? '').replace(/\s/g, '');
    await giveCode(tab, codeOf(stage.app, { ...max, totpSecret }));
    await tab.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
    await expectGoodLooks(tab, 'recovery-codes');
    await lookAt(tab, { 'invitation-dead': link });
  });

  it('signing in', async () => {
    const tab = await browser.open(phone);
    await tab.goto(stage.workplace.url);
    await expectGoodLooks(tab, 'module-login');
    await tab.getByRole('link', { name: 'Log In with KaseyaOne' }).click();
    await tab.getByLabel('Username').waitFor();
    await expectGoodLooks(tab, 'identify');
    await sayWho(tab, ' ', 'Northwind IT');
    await expectRefused(tab, 'identify-refused');
    await sayWho(tab, username, 'Northwind IT');
    await tab.getByLabel('Password', { exact: true }).waitFor();
    await expectGoodLooks(tab, 'password');
    await givePassword(tab, 'wrong');
    await expectRefused(tab, 'password-refused');
    await givePassword(tab, max.password);
    await tab.getByLabel('Six-digit code').waitFor();
    await expectGoodLooks(tab, 'code');
    await giveCode(tab, '000000');
    await expectRefused(tab, 'code-refused');
    await tab.getByRole('button', { name: 'Use a recovery code instead' }).click();
    await tab.getByLabel('Recovery code').waitFor();
    await expectGoodLooks(tab, 'recovery-code');
    await tab.getByRole('button', { name: 'Use your authenticator app instead' }).click();
    await giveCode(tab, await freshCode(stage.app, max));
    await expectInside(tab, stage.workplace, { user: { ...max.user, username: 'max' } });
    await expectGoodLooks(tab, 'module-home');
    await chooseKaseyaOne(tab, stage.helpdesk);
    await tab.getByRole('heading', { name: "You can't enter Helpdesk" }).waitFor();
    await expectGoodLooks(tab, 'no-access');
    await lookAt(tab, { 'logout-asked': '/session/end' });
    await tab.getByRole('button', { name: 'Log out' }).click();
    await tab.getByRole('heading', { name: 'You are logged out' }).waitFor();
    await expectGoodLooks(tab, 'logged-out');
  });

  it('a password that was given', async () => {
    const given = await makePerson(stage.app, stage.company, { mustChangePassword: true });
    const tab = await browser.open(phone);
    await tab.goto(`${stage.app.url}/login`);
    await sayWho(tab, given.user.username, 'Northwind IT');
    await givePassword(tab, given.password);
    await tab.getByRole('heading', { name: 'Choose a new password' }).waitFor();
    await expectGoodLooks(tab, 'set-password');
  });

  it('being stuck', async () => {
    const tab = await browser.open(phone);
    await lookAt(tab, {
      forgot: '/forgot',
      'forgot-company': '/forgot/company',
      'forgot-password': '/forgot/password',
    });
    await tab.getByLabel('Username').fill('nobody');
    await tab.getByLabel('Company Name').fill('Northwind IT');
    await tab.getByRole('button', { name: 'Mail me a link' }).click();
    await tab.getByRole('heading', { name: 'Check your mail' }).waitFor();
    await expectGoodLooks(tab, 'check-mail');
    await lookAt(tab, {
      'link-dead': '/reset-password/nonsense',
      expired: '/interaction/nonsense',
      'not-found': '/nowhere',
      'unknown-module': '/auth?client_id=nonsense',
      'signed-out': '/signed-out',
    });
  });

  it('signed in', async () => {
    const tab = await browser.open(phone);
    await tab.goto(stage.app.url);
    await logIn(tab, stage.app, max);
    await tab.getByRole('heading', { name: 'Welcome, Pat' }).waitFor();
    await expectGoodLooks(tab, 'home');
    await tab.locator('summary', { hasText: 'Menu of' }).click();
    await expectGoodLooks(tab, 'home-menu');
    await lookAt(tab, {
      profile: '/settings/profile',
      sessions: '/settings/sessions',
      support: '/support',
      security: '/settings/security',
    });
    await tab.getByLabel('Current password').fill('wrong');
    await tab.getByLabel('New password').fill('wrong');
    await tab.getByRole('button', { name: 'Change password' }).click();
    await expectRefused(tab, 'security-refused');
    await tab.getByRole('button', { name: 'Reset second factor' }).click();
    await tab.getByRole('heading', { name: 'Reset second factor' }).waitFor();
    await expectGoodLooks(tab, 'confirm');
    await tab.getByRole('link', { name: 'Cancel' }).click();
    await tab.getByRole('button', { name: 'Make new recovery codes' }).click();
    await tab.getByText('stop working at once').waitFor();
    await tab.getByRole('button', { name: 'Make new recovery codes' }).click();
    await tab.getByRole('heading', { name: 'Save your new recovery codes' }).waitFor();
    await expectGoodLooks(tab, 'new-recovery-codes');
  });

  it('the mailbox and the authenticator of the demo', async () => {
    const tab = await browser.open(phone);
    await lookAt(tab, { mailbox: '/dev/mailbox', authenticator: '/dev/authenticator' });
    expect(await tab.getByText(username).count()).toBeGreaterThan(0);
  });
});
