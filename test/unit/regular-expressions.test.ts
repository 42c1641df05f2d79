// DOS-04: every regular expression of the sources, found by itself, against long strings made to hurt it.
import { describe, expect, it } from 'vitest';
import { companyKey, companyNameSchema, policySchema, slugOf } from '../../src/domain/companies/company.ts';
import { passwordProblems } from '../../src/domain/credentials/password.ts';
import { codeDigits, matchTotp, recoveryCodeHash } from '../../src/domain/credentials/totp.ts';
import { groupNameSchema } from '../../src/domain/groups/group.ts';
import { moduleAddressSchema } from '../../src/domain/modules/module.ts';
import { deviceName } from '../../src/domain/sessions/session.ts';
import {
  emailSchema,
  firstNameSchema,
  phoneSchema,
  timeZoneSchema,
  usernameKey,
  usernameSchema,
} from '../../src/domain/users/user.ts';
import { addressKey } from '../../src/lib/addresses.ts';
import { isId } from '../../src/lib/ids.ts';
import { oneLine } from '../../src/mail/one-line.ts';
import { clientAddress } from '../../src/web/middleware/door.ts';
import { localPath } from '../../src/web/public/sign-in-routes.ts';
import { escapeHtml } from '../../src/web/views.ts';
import { readSources } from '../support/sources.ts';

const length = 50_000;
const budget = 50;

/** Runs of what expressions repeat over, with an end that makes them try again. */
const pieces = [
  'a',
  'A',
  '0',
  ' ',
  '-',
  '_',
  '.',
  '/',
  '\\',
  '\\\\',
  '=',
  '@',
  ',',
  ';',
  '"',
  "'",
  '<',
  '&',
  '%20',
  '::',
  'a.',
  'a@',
  'a-',
  '-a',
  '1a',
  '\\u',
  'é',
  '\u0301',
  '\t',
  '\n',
  '((',
  '[[',
  '{a',
];
const ends = ['', '!', '\0', '>', 'x\u2028', '\\u0000'];
const hostile = pieces.flatMap((piece) =>
  ends.flatMap((end) => [['', piece, end] as const, ['x', piece, end] as const]),
);

const build = ([start, piece, end]: readonly [string, string, string], size: number) =>
  `${start}${piece.repeat(Math.ceil(size / piece.length)).slice(0, size)}${end}`;

function time(act: (text: string) => unknown, text: string): number {
  const startedAt = performance.now();
  act(text);
  return performance.now() - startedAt;
}

/**
 * The slowest of the strings, in milliseconds. A tenth of the length first: whoever grows with the square shows it there.
 * The best of three tries counts, since other tests run on the same machine.
 */
function slowest(act: (text: string) => unknown): { ms: number; text: string } {
  let worst = { ms: 0, text: '' };
  for (const recipe of hostile) {
    const short = build(recipe, length / 10);
    if (time(act, short) < 0.5 || Math.min(time(act, short), time(act, short)) < 0.5) continue;
    const long = build(recipe, length);
    let ms = time(act, long);
    for (let i = 0; i < 2 && ms > budget && ms < 4 * budget; i += 1) ms = Math.min(ms, time(act, long));
    if (ms > worst.ms) worst = { ms, text: JSON.stringify(build(recipe, 20)) };
    if (ms > 4 * budget) break;
  }
  return worst;
}

const literal =
  /(?<=(?:[(,=:[!&|?{};+]|=>|\breturn)\s*)\/(?![/*])((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g;

/** Files that read only what we have written ourselves, once at the start. */
const ourOwnFiles = /^src\/(demo\/|db\/embedded|web\/(assets|css-subset)\.ts$)/;

const found = [
  ...new Map(
    readSources('src')
      .filter(({ path }) => !ourOwnFiles.test(path))
      .flatMap(({ path, code }) =>
        [...code.matchAll(literal)].map(([all, source = '', flags = '']) => [all, { path, source, flags }] as const),
      ),
  ).values(),
];

describe('regular expressions', () => {
  it('DOS-04 are found', () => {
    expect(found.length).toBeGreaterThan(40);
    for (const { source } of found) expect(() => new RegExp(source, 'u'), source).not.toThrow(/unterminated/i);
  });

  it('DOS-04 none takes longer than 50 ms for 50,000 characters', () => {
    const slow = found.flatMap(({ path, source, flags }) => {
      const expression = new RegExp(source, flags.replace(/[gy]/g, ''));
      const replacing = new RegExp(source, `${flags.replace(/[gy]/g, '')}g`);
      const { ms, text } = slowest((value) => {
        expression.test(value);
        value.replace(replacing, '');
      });
      return ms > budget ? [`${path}: /${source}/${flags} takes ${Math.round(ms)} ms for ${text}`] : [];
    });
    expect(slow).toEqual([]);
  }, 60_000);

  const context = { words: ['northwind', 'pat'], common: new Set(['password']) };
  const password = policySchema.parse({}).password;
  const now = new Date();

  it.each([
    ['names', (text: string) => firstNameSchema.safeParse(text)],
    ['usernames', (text: string) => usernameSchema.safeParse(text)],
    ['keys of usernames', usernameKey],
    ['e-mail addresses', (text: string) => emailSchema.safeParse(text)],
    ['phone numbers', (text: string) => phoneSchema.safeParse(text)],
    ['time zones', (text: string) => timeZoneSchema.safeParse(text)],
    ['companies', (text: string) => companyNameSchema.safeParse(text)],
    ['keys of companies', companyKey],
    ['slugs', slugOf],
    ['groups', (text: string) => groupNameSchema.safeParse(text)],
    ['addresses of modules', (text: string) => moduleAddressSchema.safeParse(text)],
    ['passwords', (text: string) => passwordProblems(text, password, context)],
    ['passwords of the longest kind', (text: string) => passwordProblems(text.slice(0, 256), password, context)],
    ['codes', codeDigits],
    ['codes to compare', (text: string) => matchTotp('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', text, now, 0)],
    ['recovery codes', recoveryCodeHash],
    ['user-agents', (text: string) => deviceName(text.slice(0, 16_000))],
    ['network addresses', (text: string) => addressKey(text)],
    ['forwarded addresses', (text: string) => clientAddress('127.0.0.1', text, 1)],
    ['ids', isId],
    ['paths to return to', localPath],
    ['lines of mails', oneLine],
    ['text of pages', escapeHtml],
  ])('DOS-04 %s are read in time', (_what, act) => {
    const { ms, text } = slowest(act);
    expect(ms, text).toBeLessThan(budget);
  });
});
