// An administrator writes the invitation in the company's words, and opens a blocked address again (D.8, A3.9, C50).
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inviteUser } from '../../src/domain/users/commands.ts';
import { minutes } from '../../src/lib/time.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { patience, useBrowser } from '../support/browser.ts';
import { phone } from '../support/look.ts';
import { makeCompany, makePerson, type TestPerson } from '../support/people.ts';
import { startSmtp, type TestSmtp } from '../support/smtp.ts';
import { logIn } from '../support/steps.ts';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('mail that arrives', { timeout: 90_000 }, () => {
  const browser = useBrowser();
  let app: TestApp;
  let smtp: TestSmtp;
  let ada: TestPerson;

  beforeAll(async () => {
    smtp = await startSmtp();
    app = await startApp({ start: true, environment: { SMTP_URL: smtp.url } });
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app, 'Contoso');
    ada = await makePerson(app, company, { username: 'ada', role: 'Admin' });
  });
  afterAll(async () => {
    await app?.stop();
    await smtp?.stop();
  });

  async function open(path: string): Promise<Tab> {
    const tab = await browser.open();
    await tab.goto(`${app.url}${path}`);
    await logIn(tab, app, ada);
    await tab.waitForURL(`**${path}`);
    return tab;
  }

  const invite = (username: string) =>
    inviteUser(app.operator(), ada.company.id, {
      firstName: 'Ben',
      lastName: 'Neu',
      email: `${username}@northwind.example`,
      username,
      role: 'User',
    });

  const mailTo = (username: string) =>
    smtp.mails.find(({ to }) => to === `${username}@northwind.example`)?.source ?? '';

  async function violationsOn(tab: Tab): Promise<unknown[]> {
    await tab.evaluate(axe);
    return tab.evaluate(
      `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], iframes: false })
        .then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))`,
    );
  }

  it('D.8 writes the invitation anew, sees it while writing, and the next one is sent like that', async () => {
    const tab = await open('/admin/mail/texts/invitation');
    const steps = await tab.evaluate('history.length');
    const preview = tab.frameLocator('iframe[name=preview-html]');
    await preview.getByText('Northwind IT invites you to KaseyaOne').waitFor();
    await tab.getByLabel('Subject').fill('Servus {nme}');
    await preview.getByText('There is no placeholder {nme}').waitFor();
    await tab.getByLabel('Subject').fill('Servus {name}');
    await tab.getByLabel('Before the facts').fill('Servus {name},\n\nschön, dass du da bist.');
    await preview.locator('p').getByText('schön, dass du da bist.').waitFor();
    await tab.frameLocator('iframe[name=preview-text]').getByText('Subject: Servus Ada').waitFor();
    expect(await tab.evaluate('history.length'), 'Back still leads back').toBe(steps);
    expect(await violationsOn(tab)).toEqual([]);
    await tab.getByRole('button', { name: 'Save text' }).click();
    await tab.getByText('The text of “Invitation” is saved.').waitFor();
    await invite('ben');
    await expect.poll(() => mailTo('ben'), { timeout: patience }).toContain('Subject: Servus Ben');
    expect(mailTo('ben')).toContain('Sign Up');
  });

  it('A3.9, C50 finds a blocked address, sends a test mail, and opens it once the mail was taken', async () => {
    smtp.answer('gone@', '550 5.1.1 User unknown');
    await invite('gone');
    await expect
      .poll(() => app.runtime.store.mails.isSuppressed('gone@northwind.example'), { timeout: patience })
      .toBe(true);
    const tab = await open('/admin/mail/blocked');
    expect(await violationsOn(tab)).toEqual([]);
    await tab.getByRole('link', { name: 'gone@northwind.example', exact: true }).click();
    await tab.getByText('Possible as soon as the state of a test mail is Sent.').waitFor();
    await tab.getByRole('button', { name: 'Send test mail' }).click();
    // The page looks again by itself.
    await tab.getByRole('list', { name: 'Test mails' }).getByText('Bounced').waitFor();
    smtp.takeAll();
    app.clock.advance(minutes(2));
    await tab.getByRole('button', { name: 'Send test mail' }).click();
    await tab.getByText('A test mail was taken, so mail can go out again.').waitFor();
    expect(await violationsOn(tab)).toEqual([]);
    await tab.getByRole('link', { name: 'Lift the block' }).click();
    await tab.getByRole('button', { name: 'Lift the block of gone@northwind.example' }).click();
    await tab.getByText('Mail to gone@northwind.example goes out again.').waitFor();
    await tab.getByText('No address is blocked').waitFor();
  });

  it('on a phone no page of Mail is wider than the screen', async () => {
    const tab = await open('/admin/mail');
    await tab.setViewportSize(phone.viewport);
    for (const path of ['', '/blocked', '/texts', '/texts/locked', '/settings']) {
      await tab.goto(`${app.url}/admin/mail${path}`);
      expect(await tab.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(360);
      expect(await violationsOn(tab), path).toEqual([]);
    }
  });
});
