// What axe-core finds wrong with the page that a tab shows (WCAG 2.2 AA and good practice).
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page as Tab } from 'playwright-core';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  nodes: { html: string }[];
}

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export async function violationsOn(tab: Tab): Promise<string[]> {
  // A page that is looked at again, in other colours, has it already.
  if (!(await tab.evaluate<boolean>('"axe" in window'))) await tab.evaluate(axe);
  // From its top: what a sticky head covers in the middle of scrolling is no smaller for it.
  await tab.evaluate('scrollTo({ top: 0, behavior: "instant" })');
  // Colours that are still on their way to others are nobody's to judge.
  await tab.evaluate(
    `Promise.allSettled(document.getAnimations()
      .filter(({ effect }) => Number.isFinite(effect.getComputedTiming().endTime)).map(({ finished }) => finished))`,
  );
  const found = await tab.evaluate<Violation[]>(
    `axe.run(document, { runOnly: ${JSON.stringify(tags)} }).then(({ violations }) => violations)`,
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}
