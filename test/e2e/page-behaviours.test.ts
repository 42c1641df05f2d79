// The pages in a real browser: what the scripts add, that nothing needs them, that no page is too wide, and the keyboard.
import type { Browser, Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser, type SampleServer, sampleName, startSampleServer } from '../support/sample-server.ts';
import { samples } from '../support/view-samples.ts';

let server: SampleServer;
let browser: Browser;
let tab: Tab;
const complaints: string[] = [];
const open = (name: string) => tab.goto(`${server.address}/${name}`, { waitUntil: 'networkidle' });

beforeAll(async () => {
  server = await startSampleServer();
  browser = await launchBrowser();
  tab = await browser.newPage();
  tab.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${tab.url()}: ${message.text()}`);
  });
  tab.on('pageerror', (error) => complaints.push(`${tab.url()}: ${error}`));
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

beforeEach(() => {
  server.posts.length = 0;
  complaints.length = 0;
});

describe('every page', () => {
  it.each([
    [360, 'at the width of a phone'],
    [640, 'at 200 % zoom of 1280 pixels'],
  ])('fits into %i pixels (%s) and breaks no rule of the CSP (WEB-05)', { timeout: 60_000 }, async (width) => {
    await tab.setViewportSize({ width, height: 740 });
    for (const sample of samples) {
      await tab.goto(`${server.address}/${sampleName(sample)}`);
      const tooWide = await tab.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(tooWide, sampleName(sample)).toBeLessThanOrEqual(0);
    }
    expect(complaints).toEqual([]);
  });
});

describe('signing in', () => {
  it('has the focus in the field that matters, and Enter goes on', async () => {
    await open('interaction-identify-first');
    await expect.poll(() => tab.evaluate('document.activeElement.id')).toBe('username');
    await tab.keyboard.type('ada.root');
    await tab.keyboard.press('Tab');
    await tab.keyboard.type('Contoso Ltd');
    await tab.keyboard.press('Enter');
    await tab.waitForSelector('text=Posted');
    expect(Object.fromEntries(new URLSearchParams(server.posts[0]?.body))).toEqual({
      csrf: 'csrf-token-of-the-sample',
      username: 'ada.root',
      company: 'Contoso Ltd',
    });
  });

  it('shows and hides the password, and sends it as a password', async () => {
    await open('interaction-password-first');
    const input = tab.locator('#password');
    await input.fill('secret');
    const toggle = tab.getByRole('button', { name: 'Show password' });
    await toggle.click();
    expect(await input.getAttribute('type')).toBe('text');
    await tab.getByRole('button', { name: 'Hide password', pressed: true }).click();
    expect(await input.getAttribute('type')).toBe('password');
  });

  it('sends a form once, however often the button is pressed, and shows progress', async () => {
    await open('interaction-password-first');
    await tab.locator('#password').fill('secret');
    // Three presses before the browser can leave the page.
    const busy = await tab.evaluate(`(() => {
      const button = document.querySelector('.btn-primary');
      for (let press = 0; press < 3; press++) button.click();
      return button.getAttribute('aria-busy');
    })()`);
    expect(busy).toBe('true');
    await tab.waitForSelector('text=Posted');
    expect(server.posts).toHaveLength(1);
  });

  it('takes a pasted code with a space, and sends itself when it is full', async () => {
    await open('interaction-code-first');
    await expect.poll(() => tab.evaluate('document.activeElement.id')).toBe('code');
    await tab.keyboard.insertText('123 456');
    await tab.waitForSelector('text=Posted');
    expect(new URLSearchParams(server.posts[0]?.body).get('code')).toBe('123456');
    expect(server.posts).toHaveLength(1);
  });

  it('takes letters where a recovery code is asked, and sends nothing by itself', async () => {
    await open('interaction-code-recovery');
    await expect.poll(() => tab.evaluate('document.activeElement.id')).toBe('code');
    await tab.keyboard.type('7F3K-K3F7');
    expect(await tab.locator('#code').inputValue()).toBe('7F3K-K3F7');
    expect(server.posts).toHaveLength(0);
  });

  it('after a refusal has the focus in the marked field', async () => {
    await open('interaction-identify-refused');
    await expect.poll(() => tab.evaluate('document.activeElement.name')).toBe('company');
    expect(await tab.locator('#username').inputValue()).toContain('<script>');
    await open('interaction-password-markup');
    await expect.poll(() => tab.evaluate('document.activeElement.id')).toBe('problem');
  });
});

describe('signed in', () => {
  it('opens the menus by keyboard, and closes them by Escape and by a press elsewhere', async () => {
    await open('home-index-admin');
    await tab.locator('summary', { hasText: 'App Launcher' }).focus();
    await tab.keyboard.press('Enter');
    expect(await tab.locator('.launcher').isVisible()).toBe(true);
    await tab.keyboard.press('Tab');
    expect(await tab.evaluate('document.activeElement.getAttribute("href")')).toBe('/launch/workplace');
    await tab.keyboard.press('Escape');
    expect(await tab.locator('.launcher').isVisible()).toBe(false);
    expect(await tab.evaluate('document.activeElement.tagName')).toBe('SUMMARY');
    await tab.locator('.top-person').click();
    expect(await tab.locator('.person-menu').isVisible()).toBe(true);
    await tab.locator('h1').click();
    expect(await tab.locator('.person-menu').isVisible()).toBe(false);
  });

  it('asks before a session ends; Cancel ends none', async () => {
    await open('home-sessions-first');
    await tab.getByRole('button', { name: 'End the session of Safari on iPhone' }).click();
    await tab.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(await tab.getByRole('dialog').count()).toBe(0);
    expect(server.posts).toHaveLength(0);
    await tab.getByRole('button', { name: 'End the session of Safari on iPhone' }).click();
    await tab.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
    await tab.waitForSelector('text=Posted');
    expect(new URLSearchParams(server.posts[0]?.body).get('session')).toBe('s2');
  });

  it('keeps the appearance without leaving the page', async () => {
    await open('home-profile-first');
    await tab.getByLabel('Dark').check();
    expect(await tab.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    expect(await tab.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(14, 16, 20)');
    await expect.poll(() => server.posts).toHaveLength(1);
    expect(server.posts[0]).toMatchObject({ path: '/settings/theme', body: expect.stringContaining('theme=dark') });
    expect(tab.url()).toContain('home-profile-first');
  });

  it('warns before typed changes are lost, and not after they are saved', async () => {
    await open('home-profile-first');
    await tab.locator('#firstName').fill('Adele');
    const asked: string[] = [];
    tab.once('dialog', (dialog) => {
      asked.push(dialog.type());
      void dialog.accept();
    });
    await tab.goto(`${server.address}/home-support-links`);
    expect(asked).toEqual(['beforeunload']);
    await open('home-profile-first');
    await tab.locator('#firstName').fill('Adele');
    await tab.getByRole('button', { name: 'Save' }).click();
    await tab.waitForSelector('text=Posted');
    expect(new URLSearchParams(server.posts[0]?.body).get('firstName')).toBe('Adele');
  });

  it('lets a message be dismissed', async () => {
    await open('home-index-admin');
    await tab.getByRole('button', { name: 'Dismiss this message' }).click();
    expect(await tab.locator('[data-toast]').count()).toBe(0);
  });
});

describe('without script', () => {
  it('shows no button that needs one, and still sends its forms', async () => {
    // Other contexts would end the single-process browser, so scripts are blocked on the way instead.
    await tab.route('**/*.js', (route) => route.abort());
    try {
      for (const name of [
        'interaction-password-first',
        'interaction-enrol-first',
        'home-profile-first',
        'home-index-admin',
      ]) {
        await tab.goto(`${server.address}/${name}`);
        for (const word of ['Show', 'Copy', 'Dismiss this message']) {
          expect(await tab.getByRole('button', { name: word }).count(), `${name}: ${word}`).toBe(0);
        }
      }
      await tab.goto(`${server.address}/interaction-code-first`);
      // Browsers give the focus once the page has been painted.
      await expect.poll(() => tab.evaluate('document.activeElement.id')).toBe('code');
      await tab.keyboard.type('123456');
      expect(server.posts).toHaveLength(0);
      await tab.keyboard.press('Enter');
      await tab.waitForSelector('text=Posted');
      await tab.goto(`${server.address}/home-sessions-first`);
      await tab.getByRole('button', { name: 'End all others' }).click();
      await tab.waitForSelector('text=Posted');
      expect(server.posts.map(({ path }) => path)).toEqual(['/interaction/k3l', '/settings/sessions/end-others']);
    } finally {
      await tab.unroute('**/*.js');
    }
  });
});
