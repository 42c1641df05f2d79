// Reads the form that an upstream lets the browser post to us: another site's form by design, so it is read apart from ours, bounded.
import type { IncomingMessage } from 'node:http';
import { AppError, payloadTooLarge, unsupportedMediaType } from '../../lib/errors.ts';
import type { Context } from '../context.ts';

/** Base64, and escaped once more. */
const maxBytes = 524_288;
const patience = 10_000;

export async function readForeignForm(ctx: Context): Promise<URLSearchParams> {
  if (!ctx.is('application/x-www-form-urlencoded')) throw unsupportedMediaType();
  if (Number(ctx.get('content-length')) > maxBytes) throw payloadTooLarge('512 KB');
  return new URLSearchParams(await readAll(ctx.req));
}

function readAll(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => reject(new AppError('expired', 'That took too long.', { status: 408 })), patience);
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        reject(payloadTooLarge('512 KB'));
        request.pause();
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
    request.on('error', reject);
    request.on('close', () => clearTimeout(timer));
  });
}

/** RFC 4648 with line breaks, and nothing else. @returns null when it is none, or not UTF-8 */
export function decodeMessage(value: string | null): string | null {
  const packed = value?.replace(/[\r\n\t ]+/g, '') ?? '';
  if (packed === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(packed, 'base64'));
  } catch {
    return null;
  }
}
