// Codes on error pages: as people read them out, and as administrators type them.
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { readSupportCode, supportCode } from '../../../../src/domain/audit/audit-event.ts';

it('a code is known however it is typed', () => {
  for (let i = 0; i < 50; i += 1) {
    const code = supportCode(randomBytes(8));
    for (const typed of [code, code.toLowerCase(), code.replace('-', ''), ` ${code.toLowerCase().replace('-', ' ')} `])
      expect(readSupportCode(typed)).toBe(code);
  }
});

it.each([
  ['', ''],
  ['abcd', 'ABCD'],
  ['abcd-efgh-k', 'ABCD-EFGH-K'],
  ['\0', ''],
  ["'; select 1", "'; SELECT 1"],
])('what is no code stays what it is, so that it finds nothing: %j', (typed, read) => {
  expect(readSupportCode(typed)).toBe(read);
});
