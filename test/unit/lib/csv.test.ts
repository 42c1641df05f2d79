import { describe, expect, it } from 'vitest';
import { csvFile, csvLines } from '../../../src/lib/csv.ts';

describe('CSV', () => {
  it.each([
    '=1+1',
    '＝1+1',
    '＋1',
    '－1',
    '＠x',
    '+49 89',
    '-1',
    '@SUM(A1)',
    '\tx',
    '\rx',
    '=HYPERLINK("http://x.example","y")',
  ])('C49, D.10 no. 17 the cell %j is words, not a formula', (cell) => {
    const line = csvLines([[cell]]);
    expect(line.replace(/^"/, '').startsWith("'")).toBe(true);
  });

  it('leaves other cells as they are, and quotes what must be quoted (RFC 4180)', () => {
    expect(csvLines([['Ada', 'a,b', 'say "hi"', 'two\nlines', null, 7]])).toBe(
      'Ada,"a,b","say ""hi""","two\nlines",,7\r\n',
    );
  });

  it('a file begins with its byte order mark and heads, and goes on batch by batch', async () => {
    async function* batches() {
      yield [['a'], ['b']];
      yield [];
      yield [['c']];
    }
    const parts: string[] = [];
    for await (const part of csvFile(['Name'], batches())) parts.push(part);
    expect(parts).toEqual(['\ufeffName\r\n', 'a\r\nb\r\n', 'c\r\n']);
  });
});
