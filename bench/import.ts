// Bulk Invite CSV as an administrator does it: a file is uploaded, and the page of its task is asked until it is done.
// Mails are made and queued on the way, and sent beside it.

import type { Browser } from './client.ts';
import { readForms, wordsOf } from './forms.ts';
import { importGoalRows } from './goals.ts';
import { header } from './http.ts';

export const importRows = 10_000;

export interface ImportResult {
  rows: number;
  seconds: number;
}

const boundary = 'the-boundary-of-the-benchmark';
const patienceMs = 120_000;

export async function measureImport(desk: Browser, issuer: string): Promise<ImportResult> {
  const url = `${issuer}/admin/users/import`;
  const form = readForms((await desk.get(url)).body).find(({ fields }) => fields.has('file'));
  if (!form) throw new Error('the page of the import has no form for a file');
  const body = parts({ csrf: form.given.get('csrf') ?? '' }, file(importRows));
  const startedAt = performance.now();
  const answer = await desk.send(url, { type: `multipart/form-data; boundary=${boundary}`, body });
  const [location] = header(answer, 'location');
  if (!location) throw new Error(`the file was not taken (${answer.status}): ${wordsOf(answer.body)}`);
  for (const until = startedAt + patienceMs; performance.now() < until; ) {
    const page = await desk.get(new URL(location, url).href);
    if (!page.body.includes('<progress')) {
      const seconds = (performance.now() - startedAt) / 1000;
      const counts = wordsOf(page.body.slice(page.body.indexOf('class="counts"')));
      if (!counts.includes('Imported 10,000')) throw new Error(`not everybody was invited: ${counts}`);
      return { rows: importRows, seconds };
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`the import was not done within ${patienceMs} ms`);
}

export const reportImport = ({ rows, seconds }: ImportResult): string =>
  `import of ${rows} rows from CSV, mails queued: ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows/s  >= ${importGoalRows}\n`;

function file(rows: number): string {
  const lines = Array.from(
    { length: rows },
    (_, n) => `csv${n},csv${n}@mail.example,User,All Module Access,Mira,Voss ${n}`,
  );
  return ['Username,Email,Role,Groups,First Name,Last Name', ...lines, ''].join('\r\n');
}

function parts(fields: Record<string, string>, csv: string): string {
  const part = (head: string, body: string) =>
    `--${boundary}\r\ncontent-disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
  const given = Object.entries(fields).map(([name, value]) => part(`name="${name}"`, value));
  return `${given.join('')}${part('name="file"; filename="users.csv"', csv)}--${boundary}--\r\n`;
}
