// What every page must look like: narrow enough for a phone, one heading, names, a focus that is seen, contrast, and dark in the dark.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { expect } from 'vitest';

export const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, reducedMotion: 'reduce' } as const;

interface PageReport {
  width: number;
  headings: number;
  landmarks: number;
  isTitled: boolean;
  nameless: string[];
  hiddenFocus: string[];
  paleTexts: string[];
  moving: string[];
  groundLuminance: number;
}

const script = await readFile(join(import.meta.dirname, 'page-report.js'), 'utf8');

/** SCREENSHOTS=folder also keeps pictures of all pages, for the eye. */
const folder = process.env.SCREENSHOTS;

/** Looks at the page that a phone shows now, in light and in dark. */
export async function expectGoodLooks(tab: Tab, name: string): Promise<void> {
  await tab.waitForLoadState('load');
  for (const colorScheme of ['light', 'dark'] as const) {
    await tab.emulateMedia({ colorScheme });
    if (folder) await keepPictures(tab, `${name}-${colorScheme}`);
    await tab.keyboard.press('Tab');
    const { groundLuminance, width, ...report } = await tab.evaluate<PageReport>(script);
    expect({ page: name, colorScheme, ...report }).toEqual({
      page: name,
      colorScheme,
      headings: 1,
      landmarks: 1,
      isTitled: true,
      nameless: [],
      hiddenFocus: [],
      paleTexts: [],
      moving: [],
    });
    expect(width, `width of ${name}`).toBeLessThanOrEqual(360);
    if (colorScheme === 'dark') expect(groundLuminance, `ground of ${name} in the dark`).toBeLessThan(0.05);
    else expect(groundLuminance, `ground of ${name} in the light`).toBeGreaterThan(0.8);
  }
  await tab.emulateMedia({ colorScheme: 'light' });
}

async function keepPictures(tab: Tab, name: string): Promise<void> {
  await mkdir(folder ?? '', { recursive: true });
  for (const width of [360, 1280]) {
    await tab.setViewportSize({ width, height: 740 });
    // What sticks to the top would hang in the middle of a picture of the whole page.
    await tab.evaluate('scrollTo(0, 0)');
    await tab.screenshot({ path: join(folder ?? '', `${name}-${width}.png`), fullPage: true });
  }
  await tab.setViewportSize(phone.viewport);
}
