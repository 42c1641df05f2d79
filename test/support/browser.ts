// A real browser for stories: one for each file, fresh cookies for each story, and pictures of what a failed one last saw.
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page as Tab } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { packagedChromium } from './chromium.ts';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** Enough for a machine that does other things too; a page that takes longer is broken. */
export const patience = 15_000;

export interface StoryBrowser {
  /** The first tab of a browser that nobody has used yet: no cookies, no storage. It ends with its story. */
  open(options?: BrowserContextOptions): Promise<Tab>;
  /** Complaints of pages that the story expects: takes them, so that they do not fail it. */
  takeComplaints(about: RegExp): string[];
}

/** Call it in a `describe`: launches before its stories, and closes after them. */
export function useBrowser(): StoryBrowser {
  let browser: Browser;
  let tabs: Tab[] = [];
  let complaints: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ ...(await packagedChromium()), args });
  });
  afterAll(() => browser?.close());

  afterEach(async ({ task }) => {
    const [seen, heard] = [tabs, complaints];
    [tabs, complaints] = [[], []];
    if (task.result?.state === 'fail') await keepPictures(task.name, seen);
    await Promise.all(seen.map((tab) => tab.context().close()));
    expect(heard, 'what pages complained of').toEqual([]);
  });

  return {
    takeComplaints(about) {
      const taken = complaints.filter((complaint) => about.test(complaint));
      complaints = complaints.filter((complaint) => !about.test(complaint));
      return taken;
    },
    async open(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      context.setDefaultTimeout(patience);
      const tab = await context.newPage();
      tabs.push(tab);
      tab.on('pageerror', (error) => complaints.push(`${tab.url()}: ${error.message}`));
      tab.on('console', (message) => {
        // Browsers note each answer of 4xx; for a refused form it is the right one, for what a page is made of it is not.
        const isRefusal = message.text().startsWith('Failed to load resource');
        const isPart = /\.(css|js|png|svg|woff2)$/.test(URL.parse(message.location().url)?.pathname ?? '');
        if (message.type() === 'error' && (!isRefusal || isPart)) complaints.push(`${tab.url()}: ${message.text()}`);
      });
      return tab;
    },
  };
}

async function keepPictures(story: string, tabs: Tab[]): Promise<void> {
  const folder = join(tmpdir(), 'unified-login-failures');
  await mkdir(folder, { recursive: true });
  const name = story.replace(/\W+/g, '-').slice(0, 80);
  for (const [at, tab] of tabs.entries()) {
    const path = join(folder, `${name}-${at + 1}.png`);
    const isKept = await tab.screenshot({ path, fullPage: true }).then(
      () => true,
      () => false,
    );
    const { origin, pathname } = new URL(tab.url());
    if (isKept) process.stderr.write(`Browser ${at + 1} was at ${origin}${pathname}; picture: ${path}\n`);
  }
}
