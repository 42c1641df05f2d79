// A connected module as the API sees it: an instance with a machine credential, and calls in plain HTTP.
import type { IncomingHttpHeaders } from 'node:http';
import type { Company } from '../../src/domain/companies/company.ts';
import { rotateCredential } from '../../src/domain/integrations/credential-commands.ts';
import { connectModule, createModule, type NewInstance, type NewModule } from '../../src/domain/modules/commands.ts';
import type { InstanceId } from '../../src/lib/ids.ts';
import type { TestApp } from './app.ts';
import type { TestModule } from './people.ts';

export interface ApiAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Null where there was no body. */
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of an answer is what it tests.
  body: any;
}

export interface ApiClient {
  get(path: string, headers?: Record<string, string>): Promise<ApiAnswer>;
  post(path: string, body?: object, headers?: Record<string, string>): Promise<ApiAnswer>;
  put(path: string, body?: object, headers?: Record<string, string>): Promise<ApiAnswer>;
  delete(path: string, body?: object, headers?: Record<string, string>): Promise<ApiAnswer>;
}

/** @param secret null: without a key. Paths are below /api/v1. */
export function apiClient(app: TestApp, secret: string | null): ApiClient {
  const send = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const page = await app.visitor().send(`/api/v1${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: page.status, headers: page.headers, body: page.body === '' ? null : JSON.parse(page.body) };
  };
  return {
    get: (path, headers) => send('GET', path, undefined, headers),
    post: (path, body = {}, headers) => send('POST', path, body, headers),
    put: (path, body = {}, headers) => send('PUT', path, body, headers),
    delete: (path, body, headers) => send('DELETE', path, body, headers),
  };
}

export interface ConnectedModule extends TestModule {
  instanceId: InstanceId;
  secret: string;
  api: ApiClient;
}

let counter = 0;

/** Registers a product (of the catalogue by `product`, or with a `profile`), connects the company to it and gives it a credential. */
export async function makeConnected(
  app: TestApp,
  company: Company,
  { product = {}, instance = {} }: { product?: Partial<NewModule>; instance?: Partial<NewInstance> } = {},
): Promise<ConnectedModule> {
  counter += 1;
  const redirectUri = `https://connected-${counter}.example/callback`;
  const { module, clientSecret } = await createModule(
    app.operator(),
    { name: `Connected ${counter}`, metadata: { redirect_uris: [redirectUri] }, ...product },
    app.runtime.complaint,
  );
  app.runtime.clients.invalidate();
  const known = { module, clientId: module.clientId, clientSecret: clientSecret ?? '', redirectUri };
  return { ...known, ...(await connectAnother(app, company, known, { tenant: `tenant-${counter}`, ...instance })) };
}

/** One more instance of a product that is registered already. */
export async function connectAnother(
  app: TestApp,
  company: Company,
  { clientId }: Pick<TestModule, 'clientId'>,
  instance: Partial<NewInstance> = {},
): Promise<Pick<ConnectedModule, 'instanceId' | 'secret' | 'api'>> {
  const { instanceId } = await connectModule(app.operator(), company.id, { clientId, ...instance });
  const { secret } = await rotateCredential(app.operator(), company.id, instanceId);
  return { instanceId, secret, api: apiClient(app, secret) };
}
