// One declaration is the whole of a call: it checks what comes in, strips what goes out to its schema (API-03), and is its own entry
// in the OpenAPI document.
import { z } from 'zod';
import { nameThereSchema } from '../domain/integrations/connect-commands.ts';
import type { Machine } from '../domain/integrations/credential-repository.ts';
import { ownSubject } from '../domain/integrations/subject-queries.ts';
import { accountIdSchema } from '../domain/modules/account-id.ts';
import type { CeremonyToken } from '../domain/sessions/ceremony-repository.ts';
import { invalid, notFound } from '../lib/errors.ts';
import type { Runtime } from '../runtime.ts';
import type { Work } from '../work.ts';

/** Who may call, and what the handler gets to know of the caller. */
export interface Callers {
  /** A connected module, by the machine credential of its instance. */
  instance: Machine;
  /** Whoever holds the access token of a connect ceremony. */
  ceremony: CeremonyToken;
  anybody: null;
}

export type Auth = keyof Callers;

export interface Call<A extends Auth, P, Q, B> {
  /** Acts as the module, or as the administrator of the module that the body names (`acting`). */
  work: Work;
  caller: Callers[A];
  params: P;
  query: Q;
  body: B;
  /** '' when it was not sent. */
  header(name: string): string;
  runtime: Runtime;
}

export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

interface Declaration<A extends Auth, P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  method: Method;
  /** Below /api/v1; parameters as `:name`. */
  path: string;
  summary: string;
  auth: A;
  params?: P;
  query?: Q;
  body?: B;
  /** By status; null where there is no body. Of problems only the statuses beyond 401, 403, 404 and 422 need be named. */
  response: Record<number, z.ZodType | null>;
  problems?: Record<number, string>;
  handle(call: Call<A, z.output<P>, z.output<Q>, z.output<B>>): Promise<Reply>;
}

/** Of any kind, as the router and the document see it. */
export interface Endpoint {
  method: Method;
  path: string;
  summary: string;
  auth: Auth;
  params: z.ZodType | null;
  query: z.ZodType | null;
  body: z.ZodType | null;
  response: Record<number, z.ZodType | null>;
  problems: Record<number, string>;
  /** Checks, handles, strips. The router has authenticated the caller as `auth` says. */
  run(call: Call<Auth, unknown, unknown, unknown>): Promise<Reply>;
}

/** Who did it at the module: the administrator logged in there, with the `sub` if that session came through us. */
export const acting = z.object({
  id: accountIdSchema,
  name: nameThereSchema,
  sub: z.string().max(200).optional(),
});

/** An id of ours in a path. */
export const idParam = z.object({ id: z.uuid() });

export function endpoint<
  A extends Auth,
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>(declaration: Declaration<A, P, Q, B>): Endpoint {
  const { params = null, query = null, body = null, response, problems = {}, handle, ...rest } = declaration;
  return {
    ...rest,
    params,
    query,
    body,
    response,
    problems,
    async run(call) {
      const reply = await handle({
        ...call,
        work: await actingWork(call),
        // The router has authenticated by `auth`, so the caller is of that kind.
        caller: call.caller as Callers[A],
        params: checkParams(params, call.params) as z.output<P>,
        query: check(query, call.query) as z.output<Q>,
        body: check(body, call.body) as z.output<B>,
      });
      return strip(response, reply);
    },
  };
}

function check(schema: z.ZodType | null, value: unknown): unknown {
  if (schema === null) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = Object.fromEntries(
    [...parsed.error.issues].reverse().map(({ path, message }) => [path.join('.') || 'body', message]),
  );
  throw invalid('The request is not valid.', fields);
}

/** What is no id names nothing. */
function checkParams(schema: z.ZodType | null, value: unknown): unknown {
  if (schema === null) return undefined;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw notFound('thing');
  return parsed.data;
}

async function actingWork({ work, caller, body }: Call<Auth, unknown, unknown, unknown>): Promise<Work> {
  if (caller === null || !('instanceId' in caller && 'module' in caller)) return work;
  const named = z.object({ acting }).safeParse(body);
  const who = named.success ? named.data.acting : null;
  return {
    ...work,
    actor: {
      kind: 'module',
      name: who ? `${who.name} (in ${caller.module})` : caller.module,
      instanceId: caller.instanceId,
      ...(who ? { account: who.id } : {}),
      ...(who?.sub === undefined ? {} : { sub: await ownSubject(work, caller, who.sub) }),
    },
  };
}

/** Nothing leaves that the declaration does not name; an answer that does not fit it is a mistake of ours, and a 500. */
function strip(response: Declaration<Auth, z.ZodType, z.ZodType, z.ZodType>['response'], reply: Reply): Reply {
  const schema = response[reply.status];
  if (schema === undefined) throw new Error(`the answer ${reply.status} is not declared`);
  const { body: _, ...rest } = reply;
  return schema === null ? rest : { ...rest, body: schema.parse(reply.body) };
}
