// The baseline: a bare oidc-provider on PostgreSQL with static clients and a one-page login, started by the benchmark.
// It is meant to be as quick as plain code gets: no audit, no lock-out, no security headers, no templates.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import argon2 from 'argon2';
import Provider, { type Account, type ClientMetadata, type Configuration, type JWKS } from 'oidc-provider';
import pg from 'pg';
import type { Client } from '../contender.ts';
import { createAdapter, createMemoryAdapter } from './adapter.ts';
import { first, offline, second, service } from './settings.ts';

const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const isInMemory = process.env.IN_MEMORY !== undefined;
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

interface User {
  id: string;
  username: string;
  password_hash: string;
  name: string;
  email: string;
}

const codeClient = (client: Client, grants: string[]): ClientMetadata => ({
  client_id: client.id,
  client_secret: client.secret,
  redirect_uris: [client.redirectUri],
  grant_types: ['authorization_code', ...grants],
});

const configuration: Configuration = {
  adapter: isInMemory ? createMemoryAdapter() : createAdapter(pool),
  clients: [
    {
      client_id: service.id,
      client_secret: service.secret,
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    },
    codeClient(first, []),
    codeClient(second, []),
    codeClient(offline, ['refresh_token']),
  ],
  // The benchmark always passes a key set of its own making, one RSA key of 2048 bits.
  jwks: JSON.parse(process.env.JWKS ?? '') as JWKS,
  cookies: { keys: ['a-cookie-key-of-the-baseline'] },
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
  responseTypes: ['code'],
  rotateRefreshToken: true,
  // Tokens that live apart from the session save the look-up of the session at every exchange.
  expiresWithSession: async () => false,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount,
  loadExistingGrant,
};

const provider = new Provider(issuer, configuration);
const serveProvider = provider.callback();

const server = createServer((req, res) => {
  const uid = /^\/interaction\/([\w-]+)$/.exec(req.url ?? '')?.[1];
  if (!uid) return serveProvider(req, res);
  serveInteraction(uid, req, res).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    res.writeHead(500).end();
  });
});
server.listen(port, '127.0.0.1');

process.once('SIGTERM', () => {
  server.close(() => pool.end().then(() => process.exit(0)));
  server.closeAllConnections();
});

const known = new Map<string, User>();

async function findUser(id: string): Promise<User | undefined> {
  const query = { name: 'account', text: 'select * from users where id = $1', values: [id] };
  const user = known.get(id) ?? (await pool.query<User>(query)).rows[0];
  if (user && isInMemory) known.set(id, user);
  return user;
}

async function findAccount(_ctx: unknown, id: string): Promise<Account | undefined> {
  const user = await findUser(id);
  if (!user) return undefined;
  const claims = {
    sub: id,
    name: user.name,
    preferred_username: user.username,
    email: user.email,
    email_verified: true,
  };
  return { accountId: id, claims: async () => claims };
}

/** All clients are our own, so a first visit is granted without asking. */
async function loadExistingGrant(ctx: Parameters<NonNullable<Configuration['loadExistingGrant']>>[0]) {
  const { client, session } = ctx.oidc;
  if (!client || !session?.accountId) return undefined;
  const grantId = session.grantIdFor(client.clientId);
  if (grantId) return provider.Grant.find(grantId);
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid profile email offline_access');
  await grant.save();
  return grant;
}

async function serveInteraction(uid: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method !== 'POST') {
    await provider.interactionDetails(req, res);
    return sendForm(res, uid, '');
  }
  const form = new URLSearchParams(await text(req));
  const values = [form.get('username') ?? ''];
  const query = { name: 'login', text: 'select * from users where username = $1', values };
  const user = (await pool.query<User>(query)).rows[0];
  if (!user || !(await argon2.verify(user.password_hash, form.get('password') ?? ''))) {
    return sendForm(res, uid, 'Wrong user name or password');
  }
  await provider.interactionFinished(req, res, { login: { accountId: user.id }, consent: {} });
}

function sendForm(res: ServerResponse, uid: string, problem: string): void {
  res.writeHead(problem ? 422 : 200, { 'content-type': 'text/html; charset=utf-8' });
  res.end(`<!doctype html><html lang="en"><head><title>Sign in</title></head><body><h1>Sign in</h1><p>${problem}</p>
<form method="post" action="/interaction/${uid}">
<label>User name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Sign in</button></form></body></html>`);
}
