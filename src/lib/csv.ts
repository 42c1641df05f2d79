// Writing CSV that spreadsheets open safely: RFC 4180, UTF-8 with a byte order mark, and no cell that a spreadsheet would run (C49).
import { stringify } from 'csv-stringify/sync';

const byteOrderMark = '\ufeff';

type Cell = string | number | null;

/** Lines for some rows. Cells that begin like a formula (= + - @ tab CR) get an apostrophe in front. */
export function csvLines(rows: Cell[][]): string {
  return stringify(rows, { escape_formulas: true, record_delimiter: 'windows', quoted_match: /[\r\n]/ });
}

/** A whole file, batch by batch, so that its length costs no memory. */
export async function* csvFile(heads: string[], batches: AsyncIterable<Cell[][]>): AsyncGenerator<string> {
  yield byteOrderMark + csvLines([heads]);
  for await (const rows of batches) if (rows.length > 0) yield csvLines(rows);
}
