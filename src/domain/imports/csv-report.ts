// The failed rows of an import as a file to mend and upload again: the columns as they were, then where and why (C49).
import { csvFile } from '../../lib/csv.ts';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { eachRow, getTask } from '../tasks/queries.ts';
import { csvColumns, reportHeads } from './csv-columns.ts';
import { csvRowOf } from './csv-commands.ts';
import { csvRow } from './csv-template.ts';

const batch = 500;

/** @throws AppError 404 for a task that no file began */
export async function failedRows(work: Work, companyId: CompanyId, taskId: string): Promise<AsyncGenerator<string>> {
  const { task } = await getTask(work, companyId, taskId, 1);
  if (task.kind !== 'csv') throw notFound('file of failed rows');
  const heads = [...csvColumns.map(({ head }) => head), ...reportHeads];
  return csvFile(heads, batches(work, companyId, taskId));
}

async function* batches(work: Work, companyId: CompanyId, taskId: string): AsyncGenerator<string[][]> {
  let rows: string[][] = [];
  for await (const row of eachRow(work, companyId, taskId, ['failed'])) {
    rows.push([...csvRow(csvRowOf(row).cells), String(row.position), row.field ?? '', row.message ?? '']);
    if (rows.length < batch) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}
