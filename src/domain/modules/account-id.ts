// What an account of a module is called here: by the id that the module gave it, whether SCIM told of it or the API.
import { createHash } from 'node:crypto';
import { z } from 'zod';

const longest = 200;

/**
 * A long id becomes its hash, so that ids of any length are kept apart and fit a table; a short one stands as it is, but for what no
 * table can keep. Who is called so already stays so: it may be asked twice.
 */
export const accountIdOf = (id: string): string =>
  id.length > longest
    ? createHash('sha256').update(id).digest('base64url')
    : id.toWellFormed().replaceAll('\0', '\u0001').trim();

/** As a module sends it to the API. */
export const accountIdSchema = z
  .string()
  .refine((id) => id.length > longest || !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(id.trim()), 'must be one line')
  .transform(accountIdOf)
  .refine((id) => id !== '', 'must not be empty');
