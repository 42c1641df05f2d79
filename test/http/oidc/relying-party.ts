// What a module does at the protocol, by hand, so that tests can do it wrongly, too.
import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { expect } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { ClientMetadata } from '../../../src/domain/modules/module.ts';
import { startApp, type TestApp, type TestAppOptions } from '../../support/app.ts';
import {
  type AuthorizeOptions,
  answerOf,
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import type { Page, SendOptions, Visitor } from '../../support/visitor.ts';

export type Json = Record<string, unknown>;

export interface World {
  app: TestApp;
  company: Company;
  person: TestPerson;
  module: TestModule;
  /** A browser in which the person is signed in. */
  visitor: Visitor;
}

/** Kinds of what a module holds for a person, sessions that count as entered there included. */
export async function heldAt(app: TestApp, { clientId }: TestModule, { user }: TestPerson): Promise<string[]> {
  const records = await app.runtime.db('oidc_records').where({ account_id: user.id });
  return records
    .filter(({ client_id: at, payload }) => at === clientId || payload.authorizations?.[clientId])
    .map(({ kind }) => kind)
    .sort();
}

/** A node, two companies, a module of the first, and a person of the first who is signed in. */
export async function startWorld(metadata: Partial<ClientMetadata> = {}, options: TestAppOptions = {}): Promise<World> {
  const app = await startApp(options);
  const company = await makeCompany(app);
  await makeCompany(app);
  const person = await makePerson(app, company);
  const module = await makeModule(app, [company], metadata);
  return { app, company, person, module, visitor: await browserOf(app, person) };
}

/** A browser in which this person is signed in at the provider. */
export async function browserOf(app: TestApp, person: TestPerson): Promise<Visitor> {
  const visitor = app.visitor();
  const page = await signIn(app, visitor, person, '/login');
  if (new URL(page.url).pathname !== '/') throw new Error(`not signed in, but at ${page.url}`);
  return visitor;
}

/** Through all the screens, as a person with a browser: ends at the address where the module is called back. */
export async function comeBack(
  app: TestApp,
  person: TestPerson,
  address: string | URL,
  visitor: Visitor = app.visitor(),
): Promise<URL> {
  const url = new URL(address);
  expect(url.origin).toBe(app.url);
  const page = await signIn(app, visitor, person, `${url.pathname}${url.search}`);
  return new URL(page.headers.location ?? '');
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
  scope: string;
  token_type: string;
}

export async function codeFor(visitor: Visitor, module: TestModule, options: AuthorizeOptions = {}): Promise<string> {
  const code = answerOf(await visitor.open(authorizeAddress(module, options))).get('code');
  if (!code) throw new Error('no code was issued');
  return code;
}

/** Single sign-on of the person in this browser into a module, up to the tokens. */
export async function tokensFor(
  app: TestApp,
  visitor: Visitor,
  module: TestModule,
  options: AuthorizeOptions = {},
): Promise<Tokens> {
  const { status, body } = await redeem(app, module, await codeFor(visitor, module, options));
  if (status !== 200) throw new Error(`no tokens: ${JSON.stringify(body)}`);
  // Only what the tests read; each test checks the values it relies on.
  return body as unknown as Tokens;
}

export interface Answer {
  status: number;
  headers: Page['headers'];
  body: Json;
}

/** A call without cookies, as a module's server makes it. */
export async function call(app: TestApp, path: string, options: SendOptions = {}): Promise<Answer> {
  const page = await app
    .visitor()
    .send(path, { ...options, headers: { accept: 'application/json', origin: '', ...options.headers } });
  const isJson = /json/.test(page.headers['content-type'] ?? '');
  return { status: page.status, headers: page.headers, body: isJson ? JSON.parse(page.body) : { text: page.body } };
}

export function basic(clientId: string, secret: string): { authorization: string } {
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

export const basicOf = ({ clientId, clientSecret }: TestModule) => basic(clientId, clientSecret);

export const userinfo = (app: TestApp, accessToken: string) =>
  call(app, '/userinfo', { headers: { authorization: `Bearer ${accessToken}` } });

export const introspect = (app: TestApp, module: TestModule, token: string) =>
  call(app, '/token/introspection', { form: { token }, headers: basicOf(module) });

export const revoke = (app: TestApp, module: TestModule, token: string) =>
  call(app, '/token/revocation', { form: { token }, headers: basicOf(module) });

export const part = (jwt: string, index: number): Json =>
  JSON.parse(Buffer.from(jwt.split('.')[index] ?? '', 'base64url').toString('utf8'));

export const headerOf = (jwt: string) => part(jwt, 0);
export const claimsOf = (jwt: string) => part(jwt, 1);

export async function keySet(app: TestApp): Promise<JsonWebKey[]> {
  const { body } = await call(app, '/jwks');
  return body.keys as JsonWebKey[];
}

/** True when one of these keys, chosen by kid and algorithm, made the signature. */
export function isSignedBy(keys: JsonWebKey[], jwt: string): boolean {
  const { kid, alg } = headerOf(jwt);
  const key = keys.find((key) => key.kid === kid && key.alg === alg);
  if (!key) return false;
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  return verify(
    alg === 'EdDSA' ? null : 'sha256',
    Buffer.from(`${header}.${payload}`),
    { key: createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
}

export const s256 = (text: string) => createHash('sha256').update(text).digest('base64url');

/** How often each status came, for races: {200: 1, 400: 19}. */
export function tally(answers: { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** OAU-01, OAU-10: the person is told; the browser is sent nowhere. */
export function expectErrorPage(page: Page): void {
  expect(page.status).toBe(400);
  expect(page.headers.location).toBeUndefined();
  expect(page.headers['content-type']).toContain('text/html');
  expect(page.body).not.toContain('code=');
}
