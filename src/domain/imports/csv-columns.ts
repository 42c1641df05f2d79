// The columns of the file by which people are invited (A4.2, C17): what it must hold, and what it may.
import { choosableRoles } from '../roles/role.ts';

/** In the order in which we write them; a file may have them in any order. */
export const csvColumns = [
  { field: 'username', head: 'Username' },
  { field: 'email', head: 'Email' },
  { field: 'role', head: 'Role' },
  { field: 'groups', head: 'Groups' },
  { field: 'firstName', head: 'First Name' },
  { field: 'lastName', head: 'Last Name' },
] as const;

export type CsvField = (typeof csvColumns)[number]['field'];
export type CsvCells = Record<CsvField, string>;

/** What our file of failed rows has besides; a mended file may keep them. */
export const reportHeads = ['Line', 'Column', 'Reason'] as const;

export const maxRows = 10_000;
export const maxFileBytes = 10 * 1024 * 1024;
/** Of one row, all cells together. */
export const maxRowLength = 20_000;

export const headOf = (field: string): string => csvColumns.find((column) => column.field === field)?.head ?? field;

/** C17: the letters' case of a role does not matter; what is no role stays as it was written. */
export function roleOf(cell: string): string {
  const wanted = cell.trim().toLowerCase();
  return choosableRoles.find((role) => role.toLowerCase() === wanted) ?? cell.trim();
}

/** C17: several groups are separated by semicolons, which no group name may hold. */
export const groupNamesOf = (cell: string): string[] =>
  cell
    .split(';')
    .map((name) => name.trim())
    .filter((name) => name !== '');

const formula = /^[=+\-@\t\r＝＋－＠]/;
const guarded = /^'+[=+\-@\t\r＝＋－＠]/;

/**
 * C49: a cell that a spreadsheet would run gets an apostrophe in front when it is written. One that looks as if it had one already
 * gets another, so that taking one away gives back every cell as it was.
 */
export const guardCell = (cell: string): string => (formula.test(cell) || guarded.test(cell) ? `'${cell}` : cell);

/** The reverse, for files that we wrote: elsewhere an apostrophe is an apostrophe. */
export const unguardCell = (cell: string): string => (guarded.test(cell) ? cell.slice(1) : cell);
