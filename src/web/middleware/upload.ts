// A form with a large file, read up to the file and no further: the token is judged and the person is known before anything of the
// file is taken, and what nobody reads costs nothing (WEB-13, DOS-01).
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { AppError } from '../../lib/errors.ts';
import type { Context } from '../context.ts';

export interface Upload {
  /** As the browser tells it; empty when nothing was chosen. */
  name: string;
  /** @returns null as soon as it is known to be larger than `limit` bytes: the rest is not waited for */
  read(limit: number): Promise<Buffer | null>;
}

export interface BegunUpload {
  /** Fields that stand before the file. */
  fields: [name: string, value: string][];
  upload: Upload | null;
  /** Lets go of what has not been read, so that the connection can be used again. */
  drop(): void;
}

export const unreadable = () => new AppError('invalid', 'The form could not be read.', { status: 400 });

/** What the fields and the frame of a form may add to its file. */
const frameBytes = 65_536;

function createParser(ctx: Context) {
  try {
    // Browsers send the names of files in the page's encoding, whatever the standard says.
    const limits = { files: 1, fields: 20, fieldSize: 4096, parts: 25 };
    return busboy({ headers: ctx.req.headers, defParamCharset: 'utf8', limits });
  } catch {
    throw unreadable();
  }
}

/** @throws AppError 400 for what is no form in parts */
export async function beginUpload(ctx: Context): Promise<BegunUpload> {
  const parser = createParser(ctx);
  const fields: [string, string][] = [];
  const file = await new Promise<{ name: string; stream: Readable } | null>((resolve, reject) => {
    parser.on('field', (name, value) => fields.push([name, value]));
    parser.on('file', (_field, stream, { filename }) => {
      // A body that breaks off inside a file is an error of the file, too, and one that nobody hears would end the process.
      stream.on('error', () => {});
      resolve({ name: filename ?? '', stream });
    });
    parser.on('error', () => reject(unreadable()));
    parser.on('close', () => resolve(null));
    ctx.req.pipe(parser);
  });
  return {
    fields,
    upload: file && {
      name: file.name,
      read: (limit) =>
        Number(ctx.get('content-length')) > limit + frameBytes ? Promise.resolve(null) : readUpTo(file.stream, limit),
    },
    drop() {
      ctx.req.unpipe(parser);
      ctx.req.resume();
    },
  };
}

async function readUpTo(stream: Readable, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      length += chunk.length;
      if (length > limit) return null;
      chunks.push(chunk);
    }
  } catch {
    throw unreadable();
  }
  return Buffer.concat(chunks);
}
