// Reads a JSON body: 1 MB at most, and nothing that no table can store.
import { bodyParser } from '@koa/bodyparser';
import type { Middleware } from 'koa';
import { AppError, payloadTooLarge } from '../lib/errors.ts';
import type { ApiContext } from './context.ts';

const parse = bodyParser({
  enableTypes: ['json'],
  jsonLimit: '1mb',
  parsedMethods: ['POST', 'PUT', 'DELETE'],
}) as Middleware;

// Escapes that JSON knows and jsonb does not: NUL and halves of surrogate pairs.
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i;

const unreadable = () => new AppError('invalid', 'The body is not JSON that can be read.', { status: 400 });

/** @returns an empty object where nothing was sent. */
export async function readBody(ctx: ApiContext): Promise<unknown> {
  const type = ctx.is('application/json');
  if (type === null) return {};
  if (!type) throw new AppError('unsupported_media_type', 'This address takes application/json.', { status: 415 });
  try {
    await parse(ctx as unknown as Parameters<Middleware>[0], async () => {});
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 413) throw payloadTooLarge('1 MB');
    throw unreadable();
  }
  const body: unknown = ctx.request.body ?? {};
  if (!isStorable(body)) throw unreadable();
  return body;
}

function isStorable(body: unknown): boolean {
  try {
    return !unstorable.test(JSON.stringify(body));
  } catch {
    // Nested deeper than the stack.
    return false;
  }
}
