// What PostgreSQL and the pool say, in words of ours.
import knexModule from 'knex';
import { AppError, unavailable } from '../lib/errors.ts';

interface DriverError extends Error {
  code?: string;
  constraint?: string;
}

const outages = new Set(['57P01', '57P02', '57P03', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND']);
const outagePhrases = [
  /Connection terminated/,
  /timeout expired/,
  /timeout exceeded when trying to connect/,
  /Client has encountered a connection error/,
  /Unable to acquire a connection/,
];

/** True when the database cannot be reached, as opposed to a statement it refused (F4). */
export function isOutage(error: unknown): boolean {
  if (error instanceof knexModule.KnexTimeoutError) return true;
  if (!(error instanceof Error)) return false;
  const { code = '' } = error as DriverError;
  if (outages.has(code) || code.startsWith('08')) return true;
  if (error instanceof AggregateError && error.errors.some(isOutage)) return true;
  return outagePhrases.some((phrase) => phrase.test(error.message)) || isOutage(error.cause);
}

/** True when PostgreSQL undid a statement, or a transaction, since others waited for it and it for them. */
export const isDeadlock = (error: unknown): boolean =>
  error instanceof Error && (error as DriverError).code === '40P01';

/** The name of the violated constraint, if that is what this error says (SQLSTATE class 23). */
export function violatedConstraint(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code, constraint } = error as DriverError;
  return code?.startsWith('23') ? (constraint ?? null) : null;
}

/** Any error on its way to a surface: outages become 503 with Retry-After, the rest stays as it is. */
export function asAppError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  return isOutage(error) ? unavailable(error) : error;
}
