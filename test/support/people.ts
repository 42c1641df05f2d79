// Companies, people and modules for tests, made through commands, and the way a person signs in.
import { generateSync } from 'otplib';
import type { Company } from '../../src/domain/companies/company.ts';
import { connectModule, createModule, type NewInstance } from '../../src/domain/modules/commands.ts';
import type { ClientMetadata, Module } from '../../src/domain/modules/module.ts';
import type { Role } from '../../src/domain/roles/role.ts';
import { createReadyUser } from '../../src/domain/users/commands.ts';
import { createCompany } from '../../src/domain/users/company-commands.ts';
import type { User } from '../../src/domain/users/user.ts';
import type { TestApp } from './app.ts';
import type { Page, Visitor } from './visitor.ts';

export const goodPassword = 'Violet-Harbour-42';
export const goodSecret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

export interface TestPerson {
  user: User;
  company: Company;
  password: string;
  totpSecret: string | null;
}

let counter = 0;

export async function makeCompany(app: TestApp, name = `Company ${++counter}`, policy: unknown = {}): Promise<Company> {
  return createCompany(app.operator(), { name, policy });
}

export interface PersonOptions {
  username?: string;
  email?: string;
  role?: Role;
  groups?: string[];
  password?: string;
  /** null: the person enrols at the first sign-in. */
  totpSecret?: string | null;
  mustChangePassword?: boolean;
  emailVerified?: boolean;
}

export async function makePerson(app: TestApp, company: Company, options: PersonOptions = {}): Promise<TestPerson> {
  const username = options.username ?? `person${++counter}`;
  const totpSecret = options.totpSecret === undefined ? goodSecret : options.totpSecret;
  const password = options.password ?? goodPassword;
  const user = await createReadyUser(
    app.operator(),
    company.id,
    {
      firstName: 'Pat',
      lastName: 'Example',
      email: options.email ?? `${username}@example.com`,
      username,
      role: options.role ?? 'User',
      ...(options.groups ? { groups: options.groups } : {}),
    },
    {
      password,
      totpSecret,
      isOwnPassword: options.mustChangePassword !== true,
      emailVerified: options.emailVerified !== false,
    },
  );
  return { user, company, password, totpSecret };
}

export interface TestModule {
  module: Module;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
}

export async function makeModule(
  app: TestApp,
  companies: Company[],
  metadata: Partial<ClientMetadata> = {},
  instance: Partial<NewInstance> = {},
): Promise<TestModule> {
  const redirectUri = metadata.redirect_uris?.[0] ?? 'https://module.example/callback';
  const input = { name: `Module ${++counter}`, metadata: { redirect_uris: [redirectUri], ...metadata } };
  const { module, clientSecret } = await createModule(app.operator(), input, app.runtime.complaint);
  for (const company of companies)
    await connectModule(app.operator(), company.id, { clientId: module.clientId, ...instance });
  app.runtime.clients.invalidate();
  return { module, clientId: module.clientId, clientSecret: clientSecret ?? '', redirectUri };
}

/** The code that the person's app shows; `steps` moves by 30 seconds. */
export function codeOf(app: TestApp, person: TestPerson, steps = 0): string {
  return generateSync({
    secret: person.totpSecret ?? '',
    epoch: Math.floor(app.clock.now().getTime() / 1000) + steps * 30,
  });
}

export interface AuthorizeOptions {
  [parameter: string]: string | undefined;
}

export const pkce = {
  verifier: 'a-verifier-that-is-long-enough-for-the-standard-0123',
  // S256 of the verifier above.
  challenge: 'UOtRGeP5mQvgWBDom3xQPaW0GCmz3-VAmbjnbrVrr6k',
};

export function authorizeAddress(module: TestModule, options: AuthorizeOptions = {}): string {
  const query: Record<string, string> = {
    client_id: module.clientId,
    response_type: 'code',
    scope: 'openid profile email',
    redirect_uri: module.redirectUri,
    state: 'state-1',
    nonce: 'nonce-1',
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) delete query[name];
    else query[name] = value;
  }
  return `/auth?${new URLSearchParams(query)}`;
}

/** First two screens: ends on the page after the password. */
export async function givePassword(
  visitor: Visitor,
  start: Page,
  person: TestPerson,
  password = person.password,
): Promise<Page> {
  let page = start;
  if (page.body.includes('name="username"')) {
    const withCompany = page.body.includes('name="company"');
    page = await visitor.submit(page, {
      username: person.user.username,
      ...(withCompany ? { company: person.company.name } : {}),
    });
  }
  return visitor.submit(page, { password });
}

/** All screens, from wherever `start` leads to the first one; ends where the browser leaves the provider, or on a page. */
export async function signIn(app: TestApp, visitor: Visitor, person: TestPerson, start: string): Promise<Page> {
  const page = await givePassword(visitor, await visitor.open(start), person);
  return visitor.submit(page, { code: await freshCode(app, person) }, '/code');
}

/** A code that has not been used: moves the test clock on when the present one has. */
export async function freshCode(app: TestApp, person: TestPerson): Promise<string> {
  const factor = await app.runtime.store.of(person.company.id).credentials.findTotp(person.user.id);
  const step = Math.floor(app.clock.now().getTime() / 30_000);
  if (factor && factor.lastStep >= step) app.clock.advance((factor.lastStep + 1 - step) * 30_000);
  return codeOf(app, person);
}

/** Parameters that the browser carries to the module. */
export function answerOf(page: Page): URLSearchParams {
  if (!page.headers.location) throw new Error(`the browser was not sent to the module (${page.status} ${page.url})`);
  return new URL(page.headers.location).searchParams;
}

/** Redeems a code as the module would; for tests that look at the answer itself. */
export async function token(
  app: TestApp,
  module: TestModule,
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const basic = Buffer.from(
    `${encodeURIComponent(module.clientId)}:${encodeURIComponent(module.clientSecret)}`,
  ).toString('base64');
  const page = await app.visitor().send('/token', {
    form: parameters,
    headers: { authorization: `Basic ${basic}`, accept: 'application/json', ...headers },
  });
  return { status: page.status, body: page.body === '' ? {} : JSON.parse(page.body) };
}

export function redeem(
  app: TestApp,
  module: TestModule,
  code: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  return token(app, module, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: module.redirectUri,
    code_verifier: pkce.verifier,
  });
}
