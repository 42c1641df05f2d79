// Serves the table of endpoints below /api, beside the pages: no cookies, no forms, and failures as problem details.
import { asAppError } from '../db/errors.ts';
import { AppError, methodNotAllowed, notFound } from '../lib/errors.ts';
import type { Runtime } from '../runtime.ts';
import { authenticate } from './authenticate.ts';
import { readBody } from './body.ts';
import type { ApiContext } from './context.ts';
import type { Auth, Callers, Endpoint, Reply } from './endpoint.ts';
import { base, openApi } from './openapi.ts';
import { problemOf } from './problem.ts';
import { createTurns, type Turns } from './turns.ts';
import { endpoints } from './v1/routes.ts';

interface Route {
  pattern: RegExp;
  endpoint: Endpoint;
}

const routes: Route[] = endpoints.map((endpoint) => ({
  pattern: new RegExp(`^${base}${endpoint.path.replaceAll('.', '\\.').replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`),
  endpoint,
}));

export function api(runtime: Runtime) {
  const document = openApi(endpoints, runtime.config.publicUrl);
  const turns = createTurns({ atOnce: 4, waiting: 200 });
  return async (ctx: ApiContext, next: () => Promise<void>): Promise<void> => {
    if (!ctx.path.startsWith('/api/')) return next();
    ctx.state.route = '/api/*';
    try {
      if (ctx.path === `${base}/openapi.json` && isReading(ctx)) send(ctx, { status: 200, body: document });
      else send(ctx, await serve(ctx, runtime, turns));
    } catch (thrown) {
      refuse(ctx, runtime, thrown);
    }
  };
}

const isReading = ({ method }: ApiContext) => method === 'GET' || method === 'HEAD';

/** Whose line it stands in: an instance has one of its own, and so have the ceremonies of a product. */
const lineOf = (caller: Callers[Auth]): string =>
  caller === null ? '' : 'credentialId' in caller ? caller.instanceId : caller.clientId;

async function serve(ctx: ApiContext, runtime: Runtime, turns: Turns): Promise<Reply> {
  const here = routes.filter(({ pattern }) => pattern.test(ctx.path));
  const method = ctx.method === 'HEAD' ? 'GET' : ctx.method;
  const route = here.find(({ endpoint }) => endpoint.method === method);
  if (!route) {
    // Without a key nobody learns which addresses there are (API-08).
    await authenticate(ctx, 'instance');
    if (here.length === 0) throw notFound('address');
    ctx.set('allow', here.map(({ endpoint }) => endpoint.method).join(', '));
    throw methodNotAllowed();
  }
  const { endpoint, pattern } = route;
  ctx.state.route = `${base}${endpoint.path}`;
  const caller = await authenticate(ctx, endpoint.auth);
  return turns.take(lineOf(caller), async () =>
    endpoint.run({
      work: ctx.state.work,
      caller,
      params: { ...pattern.exec(ctx.path)?.groups },
      query: { ...ctx.query },
      body: endpoint.body ? await readBody(ctx) : undefined,
      header: (name) => ctx.get(name),
      runtime,
    }),
  );
}

function send(ctx: ApiContext, { status, body, headers = {} }: Reply): void {
  ctx.status = status;
  ctx.set(headers);
  if (body === undefined) ctx.body = null;
  else ctx.body = JSON.stringify(body);
  // Koa takes a missing body for 204.
  ctx.status = status;
  if (body !== undefined) ctx.set('content-type', 'application/json; charset=utf-8');
}

function refuse(ctx: ApiContext, runtime: Runtime, thrown: unknown): void {
  const error = asAppError(thrown);
  const { requestId, route } = ctx.state;
  const problem = problemOf(error, String(requestId));
  if (problem.status >= 500) runtime.log.error({ err: thrown, requestId, route }, 'request failed');
  else runtime.log.debug({ status: problem.status, requestId, reason: problem.detail }, 'request refused');
  // RFC 6750 section 3: with 401 it says how to come again.
  if (problem.status === 401) ctx.set('www-authenticate', 'Bearer');
  if (error instanceof AppError && error.retryAfter !== undefined) ctx.set('retry-after', String(error.retryAfter));
  ctx.status = problem.status;
  ctx.body = JSON.stringify(problem);
  ctx.set('content-type', 'application/problem+json; charset=utf-8');
}
