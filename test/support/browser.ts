// A real browser for stories: one for each file, fresh cookies for each story, and pictures of what a failed one last saw.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, chromium as playwright, type Page as Tab } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

const root = join(import.meta.dirname, '../..');

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** Enough for a machine that does other things too; a page that takes longer is broken. */
const patience = 15_000;

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
    browser = await playwright.launch({ executablePath: await chromiumPath(), args });
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
        // A refused form is a page with a status of 4xx, which browsers note as a resource that failed.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
          complaints.push(`${tab.url()}: ${message.text()}`);
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
    if (isKept) process.stderr.write(`Browser ${at + 1} was at ${tab.url()}; picture: ${path}\n`);
  }
}

/**
 * Where the packaged browser lies unpacked.
 * The package unpacks into the temporary folder and takes whatever lies there for whole, so two workers at the same moment,
 * or one that was killed, would leave half a browser: ours unpacks aside, and moves into place when it is whole.
 */
export async function chromiumPath(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'node_modules/@sparticuz/chromium/package.json'), 'utf8'));
  const folder = join(tmpdir(), `unified-login-chromium-${version}-${userInfo().username}`);
  const path = join(folder, 'chromium');
  if (existsSync(path)) return path;
  const aside = await mkdtemp(`${folder}-`);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = aside;
  try {
    await chromium.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  // Refused when another worker was faster; its copy is as good.
  await rename(aside, folder).catch(() => rm(aside, { recursive: true, force: true }));
  return path;
}
