import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { withGeneratedParts } from '../docs/generate.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

it('README shows the settings and commands that the code has: run "npm run docs"', () => {
  expect(withGeneratedParts(readme)).toBe(readme);
});

it('README gives a reason for every dependency', async () => {
  const { dependencies } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  const section = readme.slice(readme.indexOf('## Dependencies'));
  for (const name of Object.keys(dependencies))
    expect(section, name).toMatch(new RegExp(`[| ,]${name.replace('/', '\\/')}[ ,]`));
});
