// Failures of the API as problem details (RFC 9457): a sentence for people, a stable code for programs.
import { AppError } from '../lib/errors.ts';

const titles: Record<number, string> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  410: 'Gone',
  412: 'Changed meanwhile',
  413: 'Too large',
  415: 'Not JSON',
  422: 'Not valid',
  428: 'Version missing',
  429: 'Too many requests',
  500: 'Server error',
  503: 'Unavailable',
};

export interface Problem {
  type: 'about:blank';
  title: string;
  status: number;
  detail: string;
  code: string;
  /** What is wrong with which member of the request; empty but for 422. */
  fields: Record<string, string>;
  request_id: string;
}

/** What is not ours to show becomes a 500 that says nothing but under which id the log knows it. */
export function problemOf(error: unknown, requestId: string): Problem & Record<string, unknown> {
  if (!(error instanceof AppError))
    return {
      type: 'about:blank',
      title: titles[500] ?? '',
      status: 500,
      detail: 'Something went wrong on our side. It has been noted.',
      code: 'server_error',
      fields: {},
      request_id: requestId,
    };
  return {
    ...error.more,
    type: 'about:blank',
    title: titles[error.status] ?? 'Refused',
    status: error.status,
    detail: error.message,
    code: error.code,
    fields: error.fields,
    request_id: requestId,
  };
}
