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
  it('fits at the width of a phone, at 200 % zoom of 1280 pixels, and on a desk, and breaks no rule of the CSP (WEB-05)', {
    timeout: 240_000,
  }, async () => {
    const tooWide: string[] = [];
    for (const sample of samples) {
      await tab.goto(`${server.address}/${sampleName(sample)}`);
      for (const width of [360, 640, 1280]) {
        await tab.setViewportSize({ width, height: 740 });
        const overflow = () => tab.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        let over = await overflow();
        if (over > 0) {
          // A chart follows its frame a moment later.
          await tab.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
          over = await overflow();
        }
        if (over > 0) tooWide.push(`${sampleName(sample)} at ${width}: by ${over} pixels`);
      }
    }
    expect(tooWide).toEqual([]);
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

  it.each([360, 1280])('shows a message above the page, over none of it, at %i pixels', async (width) => {
    await tab.setViewportSize({ width, height: 740 });
    await open('home-index-admin');
    const message = await tab.locator('[data-toast]').boundingBox();
    const heading = await tab.locator('h1').boundingBox();
    const head = await tab.locator('header.top').boundingBox();
    if (!message || !heading || !head) throw new Error('something is not shown');
    expect(message.y).toBeGreaterThanOrEqual(head.y + head.height);
    expect(message.y + message.height).toBeLessThanOrEqual(heading.y);
  });

  it('lets a message be dismissed', async () => {
    await open('home-index-admin');
    await tab.getByRole('button', { name: 'Dismiss this message' }).click();
    expect(await tab.locator('[data-toast]').count()).toBe(0);
  });
});

describe('in the console', () => {
  const listPage = 'admin-users/list-typical';
  const keys = () =>
    tab.$$eval('.column-list li', (items) => items.map((item) => item.getAttribute('data-key') ?? '').join(','));

  beforeEach(() => tab.setViewportSize({ width: 1280, height: 740 }));

  it('moves a column by its arrows, keeps the focus on them, and saves what one sees', async () => {
    await open(listPage);
    await tab.locator('summary', { hasText: 'Columns' }).click();
    const [first = '', second = '', third = ''] = (await keys()).split(',');
    const arrow = (key: string, way: string) => tab.locator(`.column-list button[value="${key}:${way}"]`);
    await arrow(third, 'up').focus();
    await tab.keyboard.press('Enter');
    expect(await keys()).toMatch(new RegExp(`^${first},${third},${second},`));
    expect(await tab.evaluate('document.activeElement.value')).toBe(`${third}:up`);
    await tab.keyboard.press('Enter');
    // At the top there is no further up: the other arrow of the same column has the focus.
    expect(await keys()).toMatch(new RegExp(`^${third},${first},${second},`));
    expect(await tab.evaluate('document.activeElement.value')).toBe(`${third}:down`);
    expect(await arrow(third, 'up').isDisabled()).toBe(true);
    expect(await arrow(first, 'up').isDisabled()).toBe(false);
    expect(server.posts).toHaveLength(0);
    const seen = await keys();
    await tab.getByRole('button', { name: 'Save columns' }).click();
    await tab.waitForSelector('text=Posted');
    const sent = new URLSearchParams(server.posts[0]?.body);
    expect(sent.get('order')).toBe(seen);
    expect(sent.has('move')).toBe(false);
  });

  it('keeps a menu open while its own ground is pressed', async () => {
    await open(listPage);
    await tab.locator('summary', { hasText: 'Columns' }).click();
    await tab.locator('.column-list input').first().focus();
    await tab.locator('.columns-panel .menu-title').click();
    expect(await tab.locator('.columns-panel').isVisible()).toBe(true);
    await tab.locator('h1').click();
    expect(await tab.locator('.columns-panel').isVisible()).toBe(false);
  });

  it('does not go on without an action for those who are selected', async () => {
    await open(listPage);
    await tab.locator('input[name="id"]').first().check();
    await tab.getByRole('button', { name: 'Go on' }).click();
    expect(await tab.evaluate('document.activeElement.id')).toBe('act');
    expect(server.posts).toHaveLength(0);
    await tab.locator('#act').selectOption('deactivate');
    await tab.getByRole('button', { name: 'Go on' }).click();
    await tab.waitForSelector('text=Posted');
    expect(new URLSearchParams(server.posts[0]?.body).get('act')).toBe('deactivate');
  });

  it.each([
    ['admin-users/edit-typical', 1280],
    ['admin-users/edit-typical', 360],
    ['admin-users/list-typical', 1280],
    ['admin-modules/settings-typical', 1280],
    ['admin-modules/access-groups-typical', 360],
  ])('never hides the focus under what sticks: %s at %i (WCAG 2.4.11)', { timeout: 60_000 }, async (page, width) => {
    await tab.setViewportSize({ width, height: 480 });
    await open(page);
    // How many pixels of what has the focus lie under the head or the foot of the page; -1 at the end of the page.
    const hidden = `(() => {
      const focused = document.activeElement;
      if (!focused || focused === document.body) return -1;
      const { top, bottom } = focused.getBoundingClientRect();
      const head = document.querySelector('.top');
      const foot = document.querySelector('.form-end-sticky');
      // These lie over everything themselves.
      if (focused.matches('.skip-link') || head.contains(focused) || foot?.contains(focused)) return 0;
      const under = head.getBoundingClientRect().bottom - top;
      const below = foot && foot.closest('form').contains(focused) ? bottom - foot.getBoundingClientRect().top : bottom - innerHeight;
      // What is higher than the window is never seen whole; positions are fractions of a pixel, and scrolling stops at whole ones.
      return bottom - top > innerHeight / 2 ? 0 : Math.max(0, Math.round(under) - 1, Math.round(below) - 1);
    })()`;
    for (const key of ['Tab', 'Shift+Tab']) {
      let steps = 0;
      for (; steps < 200; steps++) {
        await tab.keyboard.press(key);
        if ((await tab.evaluate(hidden)) === -1) break;
        const what = await tab.evaluate('document.activeElement.outerHTML.slice(0, 120)');
        // Browsers scroll there smoothly.
        await expect.poll(() => tab.evaluate(hidden), { message: `${key}: ${what}`, timeout: 5000 }).toBe(0);
      }
      expect(steps).toBeGreaterThan(10);
    }
  });
});

describe('without script', () => {
  it('a row that is wider than a phone begins where one is, and moves freely from there', async () => {
    const rests = `[...document.querySelectorAll('.side ul, .tabs')].map((row) => {
      const [at, here] = [row, row.querySelector('[aria-current]')].map((one) => one.getBoundingClientRect());
      const isSeen = here.left >= at.left - 1 && here.right <= at.right + 1;
      row.scrollLeft = 0;
      return [isSeen, row.scrollLeft, document.getAnimations().length].join();
    })`;
    await tab.setViewportSize({ width: 360, height: 740 });
    await tab.emulateMedia({ reducedMotion: 'reduce' });
    await tab.route('**/*.js', (route) => route.abort());
    try {
      for (const name of ['admin-sso/log-some', 'admin-sso/overview-saml', 'admin-audit/list-typical']) {
        await tab.goto(`${server.address}/${name}`);
        const rows = await tab.evaluate<string[]>(`new Promise((done) => requestAnimationFrame(() =>
          requestAnimationFrame(() => requestAnimationFrame(() => done(${rests})))))`);
        expect(rows, name).toEqual(rows.map(() => 'true,0,0'));
        expect(rows.length, name).toBeGreaterThan(0);
      }
    } finally {
      await tab.unroute('**/*.js');
      await tab.emulateMedia({ reducedMotion: null });
    }
  });

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
