// Mounts the engine: one exchange a request, written out before the answer; ready documents; CORS for registered origins only.

import { createHash } from 'node:crypto';
import type { Context as KoaContext, Middleware } from 'koa';
import compose from 'koa-compose';
import type { Config } from '../config/load.ts';
import { record } from '../domain/audit/commands.ts';
import { endSessions, notifyModules } from '../domain/sessions/commands.ts';
import type { CompanyId, UserId } from '../lib/ids.ts';
import { tokenHash } from '../lib/secrets.ts';
import type { Work } from '../work.ts';
import { createAnonymousLimit, mayLeave } from './anonymous.ts';
import type { ClientCatalogue } from './clients.ts';
import { type Exchange, inExchange, newExchange, type Revocation } from './exchange.ts';
import type { Engine } from './provider.ts';
import type { RecordIo } from './record-io.ts';
import { routes } from './routes.ts';

interface EngineHost {
  config: Pick<Config, 'anonymousRequestsPerMinute'>;
  readonly engine: Engine;
  clients: ClientCatalogue;
  recordIo: RecordIo;
}

const documentPaths = new Set([
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/jwks',
]);

/** Values of two cookies of ours: the browser's long-lived one, and the one it got when it finished a sign-in. */
export interface BrowserCookies {
  browser: string | undefined;
  proof: string | undefined;
}

/**
 * @param workOf what the request acts with.
 * @param onward where a browser goes that has just been logged out, instead of straight to this address.
 */
export function engineMiddleware(
  host: EngineHost,
  workOf: (ctx: KoaContext) => Work,
  cookiesOf: (ctx: KoaContext) => BrowserCookies,
  onward: (ctx: KoaContext, userId: UserId, address: string) => Promise<string>,
): Middleware {
  const anonymous = createAnonymousLimit(host.config.anonymousRequestsPerMinute);
  return async (ctx, next) => {
    const { provider, documents } = host.engine;
    const work = workOf(ctx);
    const { browser, proof } = cookiesOf(ctx);
    const exchange = newExchange(work.origin, work.now, {
      browserHash: browser === undefined ? null : tokenHash(browser),
      proofHash: proof === undefined ? null : tokenHash(proof),
    });
    ctx.res.once('finish', () => letGo(ctx));
    await inExchange(exchange, async () => {
      await handlerOf(provider)(ctx, next);
      if (exchange.failure !== null) throw exchange.failure;
      if (!mayLeave(anonymous, ctx, exchange)) return;
      if (!(await writeOut(host.recordIo, work, exchange))) refuseUsed(ctx);
    });
    const left = hasLeft(ctx, exchange);
    if (left) ctx.redirect(await onward(ctx, left, ctx.response.get('location')));
    await keepToKnownOrigins(ctx, host.clients);
    if (documentPaths.has(ctx.path) && ctx.status === 200 && ctx.method === 'GET') keepDocument(ctx, documents);
  };
}

/**
 * The engine defines an accessor of its own on each context, and V8 keeps accessors among old objects, where they stay until the next
 * full collection: all that hangs on them would be copied twice, and be called old, although nobody wants it any more.
 * So once an answer is out, the context lets go of what is large: the collector then has a third less to do.
 */
function letGo(ctx: KoaContext): void {
  const engine = (ctx as unknown as { oidc?: Record<string, unknown> }).oidc;
  if (engine) Object.assign(engine, spentEngine);
  Object.assign(ctx, spentContext);
}

const spentContext = { req: null, res: null, request: null, response: null, state: null, cookies: null, router: null };
const spentEngine = { ctx: null, entities: null, params: null, body: null };

// Composed once for each engine, not for each request.
const handlers = new WeakMap<object, Middleware>();

function handlerOf(provider: Engine['provider']): Middleware {
  const known = handlers.get(provider);
  if (known) return known;
  const handler = compose(provider.middleware as Middleware[]);
  handlers.set(provider, handler);
  return handler;
}

/** Who has logged out by this very request: the engine sends the browser on now. */
function hasLeft(ctx: KoaContext, { endedSessions, accounts }: Exchange): UserId | null {
  if (endedSessions.length === 0 || ctx.status !== 303 || ctx.path !== `${routes.end_session}/confirm`) return null;
  const [account] = accounts.values();
  return account?.id ?? null;
}

/** RFC 6749 section 5.2, in the engine's words for any code or token that is no good: a parallel request was first (F1). */
function refuseUsed(ctx: KoaContext): void {
  ctx.status = 400;
  ctx.body = { error: 'invalid_grant', error_description: 'grant request is invalid' };
}

/**
 * Everything this request wants written, before the person or the module hears the answer.
 * @returns false when a code or token that it uses was used by another request meanwhile: then nothing was written.
 */
async function writeOut(io: RecordIo, work: Work, exchange: Exchange): Promise<boolean> {
  const { writes, notices, endedSessions } = exchange;
  if (notices.length > 0) await notifyModules(work, notices);
  const { upserts, destroyed, revokedGrants, sessions, used } = writes;
  const isAnything = upserts.length + destroyed.length + revokedGrants.length + sessions.length + used.length > 0;
  if (isAnything && !(await io.write(writes))) return false;
  for (const uid of endedSessions) await closeSession(work, exchange, uid);
  for (const revocation of exchange.revocations) await recordRevocation(work, exchange, revocation);
  return true;
}

async function recordRevocation(work: Work, { accounts }: Exchange, revocation: Revocation): Promise<void> {
  const { accountId, ...details } = revocation;
  // A grant names nobody, but the code or token that it was revoked for has brought its person along.
  const account = accountId === undefined ? accounts.values().next().value : accounts.get(accountId);
  const by: Work = { ...work, actor: { kind: 'system', name: `module ${details.clientId ?? ''}` } };
  await record(by, {
    action: 'token.revoke',
    companyId: account?.companyId ?? null,
    ...(account ? { target: { kind: 'user' as const, id: account.id } } : {}),
    details,
  });
}

/** A session that the engine has destroyed is over for the list that people see, too. */
async function closeSession(work: Work, exchange: Exchange, uid: string): Promise<void> {
  const [account] = exchange.accounts.values();
  if (!account) return;
  const companyId: CompanyId = account.companyId;
  const by: Work = { ...work, actor: { kind: 'user', id: account.id, name: account.username } };
  await endSessions(by, { companyId, userId: account.id, uid }, 'logout');
  await record(by, { action: 'logout', companyId, target: { kind: 'user', id: account.id } });
}

/** OAU-12: the engine lets any origin ask first and decides later; we let only registered ones see an answer. */
async function keepToKnownOrigins(ctx: KoaContext, clients: ClientCatalogue): Promise<void> {
  const origin = ctx.get('origin');
  if (ctx.response.get('access-control-allow-origin') === '') return;
  if (origin !== '' && (await clients.isKnownOrigin(origin))) return;
  for (const name of [
    'access-control-allow-origin',
    'access-control-allow-methods',
    'access-control-allow-headers',
    'access-control-expose-headers',
    'access-control-max-age',
  ])
    ctx.remove(name);
}

function keepDocument(ctx: KoaContext, documents: Engine['documents']): void {
  const body = Buffer.from(JSON.stringify(ctx.body));
  documents.set(ctx.path, {
    body,
    headers: {
      'content-type': ctx.response.get('content-type') || 'application/json; charset=utf-8',
      'content-length': String(body.length),
      'cache-control': 'public, max-age=60',
      'x-content-type-options': 'nosniff',
      vary: 'Origin',
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    },
  });
}
