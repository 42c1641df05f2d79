// Every way in which a caller cannot be served. Messages are safe to show; causes go to the log only.

export type ErrorCode =
  | 'not_found'
  | 'forbidden'
  | 'invalid'
  | 'conflict'
  | 'csrf'
  | 'expired'
  | 'too_many_requests'
  | 'busy'
  | 'unavailable'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'method_not_allowed'
  | 'misdirected'
  // Of the API for modules (docs/module-protocol.md).
  | 'unauthorized'
  | 'precondition_required'
  | 'precondition_failed'
  | 'connected_elsewhere'
  | 'linked_elsewhere'
  | 'preflight'
  | 'last_way_in'
  | 'last_credential';

interface Details {
  status: number;
  /** What was wrong with which input, by field name. */
  fields?: Record<string, string>;
  /** Seconds until a retry makes sense. */
  retryAfter?: number;
  /** What a program gets beside the sentence, by name, such as the pre-flight that stands in the way. */
  more?: Record<string, unknown>;
  cause?: unknown;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly fields: Record<string, string>;
  readonly retryAfter: number | undefined;
  readonly more: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, details: Details) {
    super(message, { cause: details.cause });
    this.name = 'AppError';
    this.code = code;
    this.status = details.status;
    this.fields = details.fields ?? {};
    this.retryAfter = details.retryAfter;
    this.more = details.more ?? {};
  }
}

export const notFound = (what: string) => new AppError('not_found', `There is no such ${what}.`, { status: 404 });

export const forbidden = (message: string) => new AppError('forbidden', message, { status: 403 });

export const invalid = (message: string, fields: Record<string, string> = {}) =>
  new AppError('invalid', message, { status: 422, fields });

export const conflict = (message: string, fields: Record<string, string> = {}) =>
  new AppError('conflict', message, { status: 409, fields });

export const csrfFailed = () =>
  new AppError(
    'csrf',
    'This form was open for too long or was sent from another place. Go back, reload the page and try again.',
    {
      status: 403,
    },
  );

export const expired = (message: string) => new AppError('expired', message, { status: 410 });

export const tooManyRequests = (retryAfter: number) =>
  new AppError(
    'too_many_requests',
    'There were too many attempts from your network address. Wait a few minutes and try again.',
    {
      status: 429,
      retryAfter,
    },
  );

/** The password queue is full (DOS-01): nothing was checked and nothing was counted. */
export const busy = () =>
  new AppError('busy', 'Many people are logging in right now. Try again in a few seconds.', {
    status: 503,
    retryAfter: 2,
  });

export const unavailable = (cause: unknown) =>
  new AppError('unavailable', 'A part of this service cannot be reached right now. Try again in a moment.', {
    status: 503,
    retryAfter: 5,
    cause,
  });

export const payloadTooLarge = (limit: string) =>
  new AppError('payload_too_large', `That is more than this page takes (${limit} at most).`, { status: 413 });

export const unsupportedMediaType = () =>
  new AppError('unsupported_media_type', 'This address takes form data only.', { status: 415 });

export const methodNotAllowed = () =>
  new AppError('method_not_allowed', 'This address does not take that kind of request.', { status: 405 });

export const misdirected = () =>
  new AppError('misdirected', 'This server does not answer to that host name.', { status: 421 });

/** One answer for every key that does not open: none, wrong, ended or somebody else's (API-08). */
export const unauthorized = () => new AppError('unauthorized', 'This call needs a valid key.', { status: 401 });

/** Something stands in the way that a program can tell apart by the code. */
export const standsInTheWay = (code: ErrorCode, message: string, more: Record<string, unknown> = {}) =>
  new AppError(code, message, { status: 409, more });
