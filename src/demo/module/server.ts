import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createModule, type Integration } from '../../sdk/module.ts';
import { createAccountHooks } from './account-hooks.ts';
import { openAccountTable, writeWhole } from './account-table.ts';
import { createApp } from './app.ts';
import type { ModuleConfig } from './config.ts';
import { crowd } from './crowd.ts';
import { createForms } from './forms.ts';
import { openIntegration } from './integration.ts';

export interface RunningModule {
  url: string;
  integration: Integration | null;
  /** Takes no more requests, finishes the ones under way, and is done after five seconds at the latest. */
  stop(): Promise<void>;
}

const DRAIN_MS = 5000;

export async function startModule(config: ModuleConfig, log: Logger, clock = Date.now): Promise<RunningModule> {
  // Listening first: with port 0 the address, and so the redirect URI, is known only afterwards.
  let listener: RequestListener = (_, response) => void response.writeHead(503, { 'retry-after': '1' }).end();
  const server = createServer((request, response) => listener(request, response));
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(config.port, config.host, resolve);
  });
  // An AddressInfo, since this server listens on a port and not on a pipe.
  const url = config.url ?? `http://localhost:${(server.address() as AddressInfo).port}`;

  const secret = config.secret ?? (await keptSecret(join(config.dataDir, `${config.slug}.secret`)));
  const accounts = await openAccountTable(join(config.dataDir, `${config.slug}-accounts.json`), [
    ...config.seed,
    ...crowd(config.crowd),
  ]);
  const kit = createModule({
    issuer: config.issuer,
    clientId: config.clientId,
    ...(config.clientSecret === null ? {} : { clientSecret: config.clientSecret }),
    redirectUri: `${url}/callback`,
    postLogoutRedirectUri: `${url}/login`,
    secret,
    scope: config.scope,
    cookieName: `${config.slug}_session`,
    allowHttp: config.allowHttp,
    clock,
  });
  const hooks = createAccountHooks(accounts, config, clock);
  const integration = config.plainLogin ? null : await openIntegration({ config, url, kit, hooks, log });
  const forms = createForms({ slug: config.slug, secret, url });
  const app = await createApp({ config, url, kit, accounts, hooks, integration, forms, log, clock });
  listener = app.callback();

  async function stop(): Promise<void> {
    integration?.stop();
    const closed = new Promise((resolve) => server.close(resolve));
    const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    server.closeIdleConnections();
    await closed;
    clearTimeout(late);
  }
  return { url, integration, stop };
}

/** A secret that nobody chose: made at the first start, and the same at every later one. */
async function keptSecret(file: string): Promise<string> {
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (known !== null) return known.trim();
  const secret = randomBytes(32).toString('base64url');
  await writeWhole(file, `${secret}\n`);
  return secret;
}
