// What "download our template and instructions" gives (A4.1): a ZIP named `users` with the spreadsheet and how to fill it in.
import { strToU8, zipSync } from 'fflate';
import { csvLines } from '../../lib/csv.ts';
import { allModuleAccess } from '../groups/group.ts';
import { choosableRoles } from '../roles/role.ts';
import { type CsvCells, csvColumns, guardCell, maxFileBytes, maxRows, reportHeads } from './csv-columns.ts';

const byteOrderMark = '\ufeff';
const number = new Intl.NumberFormat('en');

/** Lines of a file that can be uploaded again: the six columns, and whatever stands behind them. */
export const csvRow = (cells: CsvCells): string[] => csvColumns.map(({ field }) => guarded(cells[field]));

/** The writer guards cells that begin like a formula by itself; here those that look as if they had been guarded before. */
const guarded = (cell: string) => (cell.startsWith("'") ? guardCell(cell) : cell);

export const templateCsv = (): string => byteOrderMark + csvLines([csvColumns.map(({ head }) => head)]);

export function templateZip(now: Date): Uint8Array {
  const files = { 'users.csv': strToU8(templateCsv()), 'README.txt': strToU8(instructions()) };
  return zipSync(files, { mtime: now });
}

/** Lines as Windows ends them: that is where most of these are read. */
const instructions = (): string => `${paragraphs.join('\n')}\n`.replaceAll('\n', '\r\n');

const paragraphs = [
  'BULK INVITE USERS',
  '',
  'Fill in users.csv, one line for each person, and upload it under Users > Add User > Bulk Invite CSV.',
  'Everybody in it gets an invitation by mail, valid for 14 days.',
  '',
  'THE FILE',
  '- CSV in UTF-8, with or without a byte order mark. In Excel: Save As, "CSV UTF-8 (comma delimited)".',
  '- Cells are separated by commas. A cell that holds a comma, a quotation mark or a line break stands in quotation marks;',
  '  a quotation mark inside it is written twice: "Ada ""the first"" Root".',
  '- The first line names the columns, written to the letter. Their order does not matter. All six are required:',
  `  ${csvColumns.map(({ head }) => head).join(', ')}`,
  `- Up to ${number.format(maxRows)} people and ${maxFileBytes / 1024 / 1024} MB a file. Blank lines are passed over.`,
  '- Cells are taken as they stand. Nothing is calculated: a cell such as =A1 is the text =A1.',
  '',
  'THE COLUMNS',
  'Username    Up to 50 characters, without # / ? and \\. Nobody else in your company has it. It cannot be changed later.',
  'Email       A valid address of up to 100 characters. The invitation goes there.',
  `Role        One of: ${choosableRoles.join(', ')}. Capital letters do not matter.`,
  'Groups      One access group or several, separated by semicolons: Sales;Support. Names must match to the letter,',
  `            capital letters included. "${allModuleAccess}" opens every module; "No Module Access" stands alone and opens none.`,
  'First Name  Up to 48 characters: letters, digits, spaces, dashes and apostrophes.',
  'Last Name   As First Name.',
  '',
  'AN EXAMPLE',
  csvColumns.map(({ head }) => head).join(','),
  `ada,ada@example.com,User,${allModuleAccess},Ada,Lovelace`,
  'grace,grace@example.com,Admin,Sales;Support,Grace,Hopper',
  '',
  'WHAT HAPPENS',
  '- Each line stands alone. Lines that are right are invited; the others are reported with line, column and reason.',
  '- A username that exists already is skipped: that person stays as they are.',
  '- A username that stands in the file twice: the first line counts, the second is reported.',
  `- The report offers the failed lines as a file with three more columns: ${reportHeads.join(', ')}. Mend it and upload it again; these`,
  '  three are passed over. Cells that begin with = + - or @ carry an apostrophe in that file, so that no spreadsheet calculates',
  '  them; it is taken off again when the file is uploaded with its three columns.',
  '- For 14 days the whole import can be taken back. People who have logged in since are kept.',
  '- An e-mail that somebody else has, too, is no error, but is remarked upon: modules that know people by it may mix them up.',
];
