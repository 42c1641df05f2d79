// From an uploaded file to rows, each with its line (C17). Nothing is evaluated; what is wrong with the file as a whole is said at once,
// what is wrong with a row stays with the row.
import { setImmediate } from 'node:timers/promises';
import { CsvError, type Parser, parse } from 'csv-parse';
import { usernameKey } from '../users/user.ts';
import {
  type CsvCells,
  csvColumns,
  headOf,
  maxFileBytes,
  maxRowLength,
  maxRows,
  reportHeads,
  unguardCell,
} from './csv-columns.ts';
import { refuseFile, textOf } from './csv-text.ts';

export interface CsvRow {
  /** Where it begins in the file, from 1. */
  line: number;
  cells: CsvCells;
  /** What can be told before any rule is asked. */
  problem: { column: string; message: string } | null;
}

const number = new Intl.NumberFormat('en');

/** @throws AppError 422 with the line, when this file cannot be read as a list of people */
export async function readCsv(bytes: Uint8Array): Promise<CsvRow[]> {
  if (bytes.length > maxFileBytes) throw refuseFile(tooLarge);
  const [head, ...records] = await readRecords(textOf(bytes));
  if (!head) throw refuseFile('This file is empty.');
  const columns = columnsOf(head.cells);
  const rows = records.map((record) => toRow(record, columns, head.cells.length));
  if (rows.length > maxRows)
    throw refuseFile(`This file has more than ${number.format(maxRows)} people. Split it into several files.`);
  if (rows.length === 0) throw refuseFile('This file names nobody: below its head it has no line with a person.');
  markDuplicates(rows);
  return rows;
}

export const tooLarge = `This file is larger than ${maxFileBytes / 1024 / 1024} MB. Split it: ${number.format(maxRows)} people fit into far less.`;

interface Record {
  line: number;
  cells: string[];
}

const isBlank = (cells: string[]) => cells.every((cell) => cell.trim() === '');

/** Piece by piece, so that others have their turn, and so that a row without an end is noticed before it has eaten the memory. */
const pieceLength = 16_384;

async function readRecords(text: string): Promise<Record[]> {
  const records: Record[] = [];
  let nextLine = 1;
  const parser = parse({
    delimiter: ',',
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: maxRowLength,
    relax_column_count: true,
    // Kept here, so that nothing waits in the stream. Blank lines count as lines, too.
    on_record(cells: string[]) {
      if (!isBlank(cells)) records.push({ line: nextLine, cells });
      // The parser's own count takes CR LF inside quotation marks for two lines.
      nextLine += 1 + cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
      return null;
    },
  });
  parser.resume();
  // It comes to whoever writes, too; an event that nobody hears would end the process.
  parser.on('error', () => {});
  try {
    for (let at = 0, seen = 0, since = 0; at < text.length; at += pieceLength) {
      await feed(parser, text.slice(at, at + pieceLength));
      if (records.length > maxRows + 1) return records;
      since = parser.info.records === seen ? since + pieceLength : 0;
      seen = parser.info.records;
      // An endless row of empty cells has no length for the parser.
      if (since > 2 * maxRowLength) throw refuseFile(tooLong(nextLine));
      await setImmediate();
    }
    await finish(parser);
  } catch (error) {
    if (error instanceof CsvError) throw refuseFile(wordsFor(error, nextLine));
    throw error;
  } finally {
    parser.destroy();
  }
  return records;
}

function feed(parser: Parser, piece: string): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

function finish(parser: Parser): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.once('error', reject);
    parser.once('end', resolve);
    parser.end();
  });
}

const tooLong = (line: number) =>
  `Line ${line} is longer than ${number.format(maxRowLength)} characters. A quotation mark that opens and never closes has this effect, too.`;

function wordsFor({ code }: CsvError, nextLine: number): string {
  switch (code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return `Line ${nextLine}: a quotation mark opens in this row and never closes.`;
    case 'CSV_MAX_RECORD_SIZE':
      return tooLong(nextLine);
    default:
      return `Line ${nextLine}: a quotation mark stands inside a cell. Put the whole cell into quotation marks, and write "" for each one inside.`;
  }
}

/** Places of the columns. @throws AppError 422 naming what is missing or unknown */
function columnsOf(heads: string[]): { at: { [field in keyof CsvCells]: number }; isOurs: boolean } {
  const known: readonly string[] = [...csvColumns.map(({ head }) => head), ...reportHeads];
  const list = (names: string[]) =>
    names.map((name) => (name === '' ? 'one without a name' : `"${name.slice(0, 60)}"`)).join(', ');
  const unknown = heads.filter((head) => !known.includes(head));
  const missing = csvColumns.map(({ head }) => head).filter((head) => !heads.includes(head));
  const twice = [...new Set(heads.filter((head, i) => heads.indexOf(head) !== i))];
  const problems = [
    missing.length > 0 ? `These columns are missing: ${list(missing)}.` : '',
    unknown.length > 0 ? `These columns are unknown: ${list(unknown.slice(0, 10))}.` : '',
    twice.length > 0 ? `These columns stand there twice: ${list(twice.slice(0, 10))}.` : '',
  ].filter((sentence) => sentence !== '');
  if (problems.length > 0) {
    const isOtherCharacter = heads.length === 1 && /[;\t]/.test(heads[0] ?? '');
    const hint = isOtherCharacter
      ? 'Columns must be separated by commas.'
      : 'The first line must hold the names of the columns, written to the letter.';
    throw refuseFile([...problems, hint].join(' '));
  }
  const at = Object.fromEntries(csvColumns.map(({ field, head }) => [field, heads.indexOf(head)]));
  // Each field has its column, or we would not be here.
  return { at: at as { [field in keyof CsvCells]: number }, isOurs: reportHeads.every((head) => heads.includes(head)) };
}

function toRow({ line, cells }: Record, { at, isOurs }: ReturnType<typeof columnsOf>, width: number): CsvRow {
  const cell = (field: keyof CsvCells) => {
    const text = cells[at[field]] ?? '';
    return isOurs ? unguardCell(text) : text;
  };
  const row: CsvRow = {
    line,
    cells: {
      username: cell('username'),
      email: cell('email'),
      role: cell('role'),
      groups: cell('groups'),
      firstName: cell('firstName'),
      lastName: cell('lastName'),
    },
    problem: null,
  };
  // Rows that end early come from spreadsheets that leave out empty cells at the end; the rules say what is missing.
  if (!isBlank(cells.slice(width)))
    row.problem = {
      column: '',
      message: `This row has ${cells.length} cells, the head ${width}. A cell that holds a comma must stand in quotation marks.`,
    };
  return row;
}

/** The second of two is the one that fails, by name of the first (C18 is for people who exist already). */
function markDuplicates(rows: CsvRow[]): void {
  const lines = new Map<string, number>();
  for (const row of rows) {
    const key = usernameKey(row.cells.username);
    if (key === '') continue;
    const first = lines.get(key);
    if (first === undefined) lines.set(key, row.line);
    else row.problem ??= { column: headOf('username'), message: `Line ${first} has the same username already.` };
  }
}
