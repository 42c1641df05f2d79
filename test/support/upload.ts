// A browser that sends a file: the form of a page, in parts.
import { expect } from 'vitest';
import { formsOf, type Page, type Visitor } from './visitor.ts';

export interface SentFile {
  name: string;
  bytes: Buffer | string;
  type?: string;
}

const boundary = 'a-boundary-that-no-file-holds';

export function multipart(fields: Record<string, string>, file: SentFile | null): Buffer {
  const part = (head: string, body: Buffer | string) =>
    Buffer.concat([
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; ${head}\r\n\r\n`),
      Buffer.from(body),
      Buffer.from('\r\n'),
    ]);
  return Buffer.concat([
    ...Object.entries(fields).map(([name, value]) => part(`name="${name}"`, value)),
    file
      ? part(`name="file"; filename="${file.name}"\r\ncontent-type: ${file.type ?? 'text/csv'}`, file.bytes)
      : Buffer.alloc(0),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}

export const multipartType = `multipart/form-data; boundary=${boundary}`;

/** Opens the page and sends its form with a file, as choosing the file does; no redirect followed. */
export async function uploadFile(visitor: Visitor, address: string, file: SentFile | null): Promise<Page> {
  const page = await visitor.open(address);
  expect(page.status).toBe(200);
  const form = formsOf(page).find(({ fields }) => fields.includes('file'));
  if (!form) throw new Error(`no form for a file on ${address}`);
  return visitor.send(new URL(form.action, page.url).href, {
    body: multipart({ csrf: form.values.csrf ?? '' }, file),
    headers: { 'content-type': multipartType, origin: visitor.origin },
  });
}
