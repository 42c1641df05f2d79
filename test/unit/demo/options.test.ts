// What was typed behind `npm run demo --` is answered in words, before anything starts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { demoHelp, readOptions } from '../../../src/demo/options.ts';

const folder = mkdtempSync(join(tmpdir(), 'demo-options-'));
afterAll(() => rmSync(folder, { recursive: true }));

const demo = (...args: string[]) =>
  spawnSync(process.execPath, ['src/demo/run.ts', ...args], {
    env: { PATH: process.env.PATH, DATA_DIR: folder },
    encoding: 'utf8',
    timeout: 20_000,
  });

describe('options of the demo', () => {
  it('--help prints them', () => {
    expect(demo('--help')).toMatchObject({ status: 0, stdout: demoHelp, stderr: '' });
    for (const option of ['--reset', '--json', '--module-people']) expect(demoHelp).toContain(option);
  });

  it.each([['--rest'], ['--module-people=many'], ['--module-people'], ['now']])(
    '%s: says what is wrong, and prints them, too',
    (wrong) => {
      const { status, stdout, stderr } = demo(wrong);
      expect(status).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toContain(demoHelp);
      expect(stderr).toContain(wrong.split('=')[0]);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(readdirSync(folder), 'nothing was started').toEqual([]);
    },
  );

  it('the right ones are read', () => {
    expect(readOptions([])).toEqual({ json: false, reset: false, modulePeople: '0' });
    expect(readOptions(['--reset', '--json', '--module-people', '3000'])).toEqual({
      json: true,
      reset: true,
      modulePeople: '3000',
    });
  });
});
