// Reads posted forms: url-encoded for all, multipart for the pages that take a file (WEB-13).
import { bodyParser } from '@koa/bodyparser';
import busboy from 'busboy';
import type { Middleware, Next } from 'koa';
import { payloadTooLarge, unsupportedMediaType } from '../../lib/errors.ts';
import type { Context } from '../context.ts';
import { beginUpload, unreadable } from './upload.ts';

const parse = bodyParser({ enableTypes: ['form'], formLimit: '100kb' }) as Middleware;
const maxFields = 100;
/** Of one name: check boxes of a long list. */
const maxValues = 1000;

/** Pages that read a large file themselves, once they know who sends it. */
const uploadPages = new Set(['/admin/users/import', '/admin/sso/metadata']);

/** Values by name, in their order, as the URL standard reads a form; none may hold NUL, which no table can store. */
function toLists(entries: Iterable<[string, string]>): Record<string, string[]> {
  const lists: Record<string, string[]> = Object.create(null);
  let names = 0;
  for (const [name, value] of entries) {
    if (value.includes('\0')) throw unreadable();
    const list = lists[name];
    if (list) list.push(value);
    else {
      names += 1;
      lists[name] = [value];
    }
    if (names > maxFields || (list?.length ?? 0) > maxValues) throw payloadTooLarge(`${maxFields} fields`);
  }
  return lists;
}

/** Fields by name; the first of several wins. */
function toFields(lists: Record<string, string[]>): Record<string, string> {
  const fields: Record<string, string> = Object.create(null);
  for (const [name, [first = '']] of Object.entries(lists)) fields[name] = first;
  return fields;
}

export async function form(ctx: Context, next: Next): Promise<void> {
  ctx.state.form = {};
  ctx.state.formLists = {};
  if (ctx.method !== 'POST') return next();
  if (ctx.is('multipart/form-data') && uploadPages.has(ctx.path)) {
    const { fields, upload, drop } = await beginUpload(ctx);
    ctx.state.form = toFields(toLists(fields));
    ctx.state.upload = upload;
    return next().finally(drop);
  }
  if (ctx.is('multipart/form-data')) {
    await readMultipart(ctx, ctx.path === filePage);
    return next();
  }
  if (!ctx.is('application/x-www-form-urlencoded')) throw unsupportedMediaType();
  try {
    await parse(ctx as unknown as Parameters<Middleware>[0], async () => {});
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 413) throw payloadTooLarge('100 KB');
    throw unreadable();
  }
  ctx.state.formLists = toLists(new URLSearchParams(String(ctx.request.rawBody ?? '')));
  ctx.state.form = toFields(ctx.state.formLists);
  return next();
}

const maxFileBytes = 1_048_576;

/** The page that takes a file says at its field that one is too large, and so has to see the rest of the form. */
const filePage = '/settings/picture';

/** @throws AppError 400 when the content type names no boundary */
function createParser(ctx: Context) {
  // The parser calls a file cut off that just reaches its limit.
  const limits = { files: 1, fileSize: maxFileBytes + 1, fields: 20, fieldSize: 4096, parts: 25 };
  try {
    return busboy({ headers: ctx.req.headers, limits });
  } catch {
    throw unreadable();
  }
}

/**
 * One file of 1 MB at most, kept in memory as `ctx.state.file`.
 * @param isForgiving a larger one is read to its end and thrown away, and `ctx.state.isFileTooLarge` says so.
 */
function readMultipart(ctx: Context, isForgiving: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const fields: Record<string, string> = {};
    const parser = createParser(ctx);
    parser.on('field', (name, value) => {
      fields[name] ??= value;
    });
    parser.on('file', (_name, stream) => {
      // A body that breaks off inside a file is an error of the file, too, and one that nobody hears would end the process.
      stream.on('error', () => reject(unreadable()));
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('limit', () => {
        if (!isForgiving) return reject(payloadTooLarge('1 MB'));
        ctx.state.isFileTooLarge = true;
      });
      stream.on('end', () => {
        if (!ctx.state.isFileTooLarge) ctx.state.file = Buffer.concat(chunks);
      });
    });
    parser.on('error', () => reject(unreadable()));
    parser.on('close', () => {
      try {
        ctx.state.form = toFields(toLists(Object.entries(fields)));
        resolve();
      } catch (error) {
        reject(error);
      }
    });
    ctx.req.pipe(parser);
  });
}
