// The one translator from errors to pages (and JSON for scripts). What happened, what to do next, no stack, and an id that the log knows.
import type { Next } from 'koa';
import { asAppError } from '../../db/errors.ts';
import { AppError, methodNotAllowed } from '../../lib/errors.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { showPage } from '../page.ts';

const titles: Record<number, string> = {
  400: 'That request cannot be read',
  403: 'That is not possible from here',
  404: 'There is nothing here',
  405: 'That is not possible here',
  409: 'That does not fit',
  410: 'This link has run out',
  413: 'That is too much',
  415: 'That is not a form',
  421: 'Wrong host name',
  422: 'Please check what you entered',
  429: 'Please wait a moment',
  503: 'Back in a moment',
};

interface Problem {
  status: number;
  /** For scripts: stable, and of the words of RFC 6749 section 4.1.2.1 where one fits. */
  code: string;
  title: string;
  sentence: string;
  next: string;
  retryAfter?: number | undefined;
}

const nothingHere: Problem = {
  status: 404,
  code: 'not_found',
  title: titles[404] ?? '',
  sentence: 'This address does not exist.',
  next: 'The address may be old or mistyped.',
};

function toProblem(error: unknown): Problem {
  if (error instanceof AppError) {
    const next =
      error.status === 404
        ? 'The address may be old or mistyped.'
        : error.status >= 500
          ? 'Nothing was lost. Try again in a moment.'
          : 'Go back and try again.';
    return {
      status: error.status,
      code: error.status === 503 ? 'temporarily_unavailable' : error.code,
      title: titles[error.status] ?? 'That did not work',
      sentence: error.message,
      next,
      retryAfter: error.retryAfter,
    };
  }
  if (isHttpError(error) && error.status < 500) {
    return {
      status: error.status,
      code: 'invalid_request',
      title: titles[error.status] ?? titles[400] ?? '',
      sentence: 'The request was not in a form that this page can read.',
      next: 'Go back, reload the page and try again.',
    };
  }
  return {
    status: 500,
    code: 'server_error',
    title: 'That did not work',
    sentence: 'Something went wrong on our side. It has been noted.',
    next: 'Try again in a moment. If it happens again, give your administrator the number below.',
  };
}

function isHttpError(error: unknown): error is Error & { status: number } {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' && 'expose' in error;
}

export function errorPages(runtime: Runtime) {
  return async (ctx: Context, next: Next): Promise<void> => {
    try {
      await next();
      if (ctx.body != null || ctx.headerSent) return;
      if (ctx.status === 404) await answer(ctx, runtime, nothingHere);
      if (ctx.status === 405) await answer(ctx, runtime, toProblem(methodNotAllowed()));
    } catch (thrown) {
      const error = asAppError(thrown);
      const problem = toProblem(error);
      const { requestId, route } = ctx.state;
      // Not a failure, and in a crowd there are many of them: no trace.
      if (error instanceof AppError && error.code === 'busy') runtime.log.warn({ requestId, route }, 'turned away');
      else if (problem.status >= 500)
        runtime.log.error({ err: thrown, requestId: ctx.state.requestId, route: ctx.state.route }, 'request failed');
      else
        runtime.log.debug(
          { status: problem.status, requestId: ctx.state.requestId, reason: problem.sentence },
          'request refused',
        );
      await answer(ctx, runtime, problem);
    }
  };
}

async function answer(ctx: Context, runtime: Runtime, problem: Problem): Promise<void> {
  ctx.status = problem.status;
  // Whoever failed may have begun to send the browser elsewhere.
  ctx.remove('location');
  if (problem.retryAfter !== undefined) ctx.set('retry-after', String(problem.retryAfter));
  if (ctx.accepts('json', 'html') !== 'html') {
    ctx.body = { error: problem.code, error_description: problem.sentence, request_id: ctx.state.requestId };
    return;
  }
  await showPage(ctx, runtime, 'errors/page', problem.title, {
    status: problem.status,
    title: problem.title,
    sentence: problem.sentence,
    next: problem.next,
    link: { href: '/', label: `Go to ${runtime.config.brandName}` },
  });
  ctx.status = problem.status;
}
