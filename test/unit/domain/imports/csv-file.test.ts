// Every bad file of the issue, each with its sentence and its line; and good ones in all the shapes that spreadsheets write (C17).
import fc from 'fast-check';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import {
  csvColumns,
  guardCell,
  maxFileBytes,
  reportHeads,
  unguardCell,
} from '../../../../src/domain/imports/csv-columns.ts';
import { readCsv } from '../../../../src/domain/imports/csv-file.ts';
import { csvRow, templateCsv, templateZip } from '../../../../src/domain/imports/csv-template.ts';
import { csvLines } from '../../../../src/lib/csv.ts';

const head = 'Username,Email,Role,Groups,First Name,Last Name';
const ada = 'ada,ada@example.com,User,All Module Access,Ada,Lovelace';
const bytes = (text: string) => Buffer.from(text, 'utf8');
const read = (text: string) => readCsv(bytes(text));
const file = (...lines: string[]) => [head, ...lines].join('\n');

async function refusal(of: Uint8Array | string): Promise<string> {
  try {
    await readCsv(typeof of === 'string' ? bytes(of) : of);
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid', status: 422, fields: { file: expect.any(String) } });
    return (error as Error).message;
  }
  throw new Error('the file was taken');
}

describe('C17 a file that is right', () => {
  it('gives rows with their lines, whatever the order of columns, the ends of lines, the mark, and blank lines', async () => {
    const shapes = [
      `\ufeff${head}\r\n\r\n${ada}\r\n`,
      `${head}\n\n${ada}`,
      `${head}\r\r${ada}\r`,
      `${head}\n   \n${ada}\n,,,,,\n\n`,
      `"Last Name",First Name,Groups,Role,Email,Username\n\nLovelace,Ada,"All Module Access",User,ada@example.com,ada`,
    ];
    for (const shape of shapes) {
      const rows = await read(shape);
      expect(rows, shape).toEqual([
        {
          line: 3,
          cells: {
            username: 'ada',
            email: 'ada@example.com',
            role: 'User',
            groups: 'All Module Access',
            firstName: 'Ada',
            lastName: 'Lovelace',
          },
          problem: null,
        },
      ]);
    }
  });

  it('counts lines inside quotation marks, and keeps what stands in them', async () => {
    const rows = await read(
      file('a,a@x.example,User,"Sales;\nSupport","An""n, the","first"', ada, '"b\r\n\r\nb",,,,,', 'c'),
    );
    expect(rows.map(({ line }) => line)).toEqual([2, 4, 5, 8]);
    expect(rows[0]?.cells).toMatchObject({ groups: 'Sales;\nSupport', firstName: 'An"n, the', lastName: 'first' });
    expect(rows[3]?.cells).toMatchObject({ username: 'c', email: '', lastName: '' });
  });

  it('C49 takes formulas and apostrophes as they stand', async () => {
    const [row] = await read(file(`=HYPERLINK("x"),'@a,+1,-1,@b,'=c`.replace('"x"', 'x')));
    expect(row?.cells).toMatchObject({
      username: '=HYPERLINK(x)',
      email: "'@a",
      role: '+1',
      groups: '-1',
      lastName: "'=c",
    });
  });

  it('marks the second of two same usernames with the line of the first, and a row with too many cells', async () => {
    const rows = await read(
      file(
        ada,
        'bo,bo@x.example,User,A,Bo,B',
        ` ADA ,${ada.slice(4)}`,
        `${ada.replace('ada,', 'cy,')},more`,
        `${ada.replace('ada,', 'di,')},,,`,
      ),
    );
    expect(rows.map(({ problem }) => problem)).toEqual([
      null,
      null,
      { column: 'Username', message: 'Line 2 has the same username already.' },
      { column: '', message: expect.stringContaining('This row has 7 cells, the head 6.') },
      null,
    ]);
  });

  it('takes our own file of failed rows again, passes over its three columns, and takes its apostrophes off', async () => {
    const cells = { username: '@ada', email: '=1+1', role: '-', groups: "'=G", firstName: '+a', lastName: "''-x" };
    const text = csvLines([
      [...csvColumns.map(({ head }) => head), ...reportHeads],
      [...csvRow(cells), 2, 'Email', '=no'],
    ]);
    expect(text).toContain("'=1+1");
    const [row] = await read(text);
    expect(row?.cells).toEqual(cells);
    const some = `${head},Line\n'@x,a,b,c,d,e,2`;
    expect((await read(some))[0]?.cells.username, 'not our file').toBe("'@x");
  });
});

describe('bad input: a file that is refused as a whole, with what to do', () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(file(ada), 'utf16le')]);
  const utf16Be = Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(file(ada), 'utf16le').swap16()]);
  const workbook = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.from('....[Content_Types].xml')]);
  const bomb = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(1_000_000, 7)]);
  const tries: [what: string, file: Uint8Array | string, sentence: RegExp][] = [
    ['nothing', '', /empty/],
    ['only a mark', '\ufeff', /empty/],
    ['blank lines', '\n\n  \n', /empty/],
    ['only a head', head, /names nobody/],
    ['no head', ada, /columns are missing: "Username".*unknown: "ada".*first line/],
    ['other letters', file(ada).replace('First Name', 'First name'), /missing: "First Name".*unknown: "First name"/],
    ['a column too few', 'Username,Email,Role,First Name,Last Name\na,b,c,d,e', /missing: "Groups"\./],
    ['a column too many', `${head},Phone\n${ada},1`, /unknown: "Phone"\./],
    ['a column without a name', `${head},\n${ada},`, /unknown: one without a name/],
    ['a column twice', `${head},Email\n${ada},x`, /twice: "Email"/],
    ['semicolons', file(ada).replaceAll(',', ';'), /separated by commas/],
    ['tabs', file(ada).replaceAll(',', '\t'), /separated by commas/],
    ['UTF-16', utf16, /UTF-16.*CSV UTF-8/],
    ['UTF-16, the other way round', utf16Be, /UTF-16/],
    ['UTF-16 without a mark', Buffer.from(file(ada), 'utf16le'), /UTF-16/],
    ['Windows-1252', Buffer.from(file(ada, 'zo,z@x.example,User,A,Zo\u00eb,B'), 'latin1'), /^Line 3 .*Windows-1252/],
    ['NUL', file(`a\0${ada}`), /no text/],
    ['an Excel workbook', workbook, /Excel workbook/],
    ['an old Excel workbook', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 1]), /Excel workbook/],
    ['a ZIP bomb', bomb, /ZIP archive.*Unpack/],
    ['a PDF', '%PDF-1.7', /PDF/],
    ['a quote that never closes', file(ada, '"bo,b@x.example,User,A,Bo,B', ada), /^Line 3: .*never closes/],
    ['one that never closes in a long file', file(ada, `"${`${ada}\n`.repeat(5000)}`), /^Line 3 .*never closes/],
    ['a quote inside a cell', file(ada, 'b"o,b@x.example,User,A,Bo,B'), /^Line 3: a quotation mark stands inside/],
    ['words behind a quote', file(ada, '"bo"b,b@x.example,User,A,Bo,B'), /^Line 3: a quotation mark stands inside/],
    ['a cell of 1 MB', file(ada, `${'x'.repeat(1_000_000)},b`), /^Line 3 is longer than 20,000/],
    ['a quoted cell of 1 MB', file(ada, `"${'x\n'.repeat(500_000)}",b`), /^Line 3 is longer/],
    ['a million columns', file(ada, ','.repeat(1_000_000)), /^Line 3 is longer/],
    ['a million columns in the head', `${head}${',x'.repeat(1_000_000)}\n${ada}`, /^Line 1 is longer/],
    [
      '10,001 people',
      file(...Array.from({ length: 10_001 }, (_, i) => `p${i},p@x.example,User,A,B,C`)),
      /more than 10,000 people/,
    ],
    ['more than 10 MB', Buffer.alloc(maxFileBytes + 1, 65), /larger than 10 MB/],
  ];
  it.each(tries)('%s', async (_what, input, sentence) => {
    const startedAt = performance.now();
    const before = process.memoryUsage().rss;
    const words = await refusal(input);
    expect(words).toMatch(sentence);
    expect(words.length).toBeLessThan(800);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  it('10 MB of nothing but commas: bounded', async () => {
    const startedAt = performance.now();
    expect(await refusal(','.repeat(maxFileBytes))).toMatch(/^Line 1 is longer/);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  it('exactly 10,000 people are taken', async () => {
    expect(await read(file(...Array.from({ length: 10_000 }, (_, i) => `p${i},p@x.example,User,A,B,C`)))).toHaveLength(
      10_000,
    );
  });
});

describe('what we write, we read', () => {
  const cell = fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => !text.includes('\0'));
  const cells = fc.record({ username: cell, email: cell, role: cell, groups: cell, firstName: cell, lastName: cell });

  it('a written file gives back every cell, whatever stands in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(cells, { minLength: 1, maxLength: 8 }), async (people) => {
        const some = people.filter((one) => Object.values(one).some((text) => text.trim() !== ''));
        fc.pre(some.length > 0);
        const heads = [...csvColumns.map(({ head }) => head), ...reportHeads];
        const text = csvLines([heads, ...some.map((one) => [...csvRow(one), 1, 'x', 'y'])]);
        const rows = await read(text);
        expect(rows.map((row) => row.cells)).toEqual(some);
      }),
      { numRuns: 300 },
    );
  });

  it('the template is a file with a head and nobody in it, and takes lines below', async () => {
    expect(await refusal(templateCsv())).toMatch(/names nobody/);
    expect(await read(`${templateCsv()}${ada}`)).toHaveLength(1);
  });

  it('C49 guarding is undone by unguarding, and nothing guarded begins like a formula', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^'{0,3}[=+@\t-]?a?$/)), (text) => {
        expect(unguardCell(guardCell(text))).toBe(text);
        expect(guardCell(text)).not.toMatch(/^[=+\-@\t\r]/);
      }),
    );
  });
});

describe('the template', () => {
  it('A4.1 is a ZIP with a spreadsheet and a README on format and validation', () => {
    const files = unzipSync(templateZip(new Date('2026-11-22T10:00:00Z')));
    expect(Object.keys(files).sort()).toEqual(['README.txt', 'users.csv']);
    expect(Buffer.from(files['users.csv'] ?? []).toString()).toBe(`\ufeff${head}\r\n`);
    const readme = strFromU8(files['README.txt'] ?? new Uint8Array());
    for (const words of ['10,000', 'Sales;Support', 'Admin, Billing and Purchasing, User, Co-Managed User', '14 days'])
      expect(readme).toContain(words);
    for (const line of readme.split('\r\n')) expect(line.length, line).toBeLessThan(140);
  });

  it('the example of its README is a file that is taken', async () => {
    const readme = strFromU8(unzipSync(templateZip(new Date()))['README.txt'] ?? new Uint8Array());
    const example = readme.split('AN EXAMPLE\r\n')[1]?.split('\r\n\r\n')[0] ?? '';
    expect(await read(example)).toHaveLength(2);
  });
});
