// API-01, API-08: every endpoint of the table against every kind of caller. A new endpoint is in here by being in the table.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/api/endpoint.ts';
import { base, openApi } from '../../../src/api/openapi.ts';
import { endpoints } from '../../../src/api/v1/routes.ts';
import { rotateCredential } from '../../../src/domain/integrations/credential-commands.ts';
import { hours } from '../../../src/lib/time.ts';
import { apiClient, makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { answerOf, authorizeAddress, makeCompany, makePerson, redeem, signIn } from '../../support/people.ts';

let app: TestApp;
/** Keys that open nothing here, by what they are. */
const strangers: Record<string, string | null> = { none: null, nonsense: 'nonsense', unknown: `ulm_${'A'.repeat(43)}` };
let entitled: string;

beforeAll(async () => {
  app = await startApp();
  const company = await makeCompany(app);
  const module = await makeConnected(app, company);
  strangers['an ended credential'] = module.secret;
  entitled = (await rotateCredential(app.operator(), company.id, module.instanceId)).secret;
  app.clock.advance(hours(25));
  const person = await makePerson(app, company, { role: 'Admin' });
  const answer = answerOf(await signIn(app, app.visitor(), person, authorizeAddress(module)));
  const { body } = await redeem(app, module, answer.get('code') ?? '');
  strangers['an access token of an administrator'] = String(body.access_token);
  strangers['an ID token of an administrator'] = String(body.id_token);
  strangers['the client secret'] = module.clientSecret;
});
afterAll(() => app.stop());

const addressOf = ({ path }: Endpoint) => path.replaceAll(/:\w+/g, () => crypto.randomUUID());
const call = (endpoint: Endpoint, secret: string | null, path = addressOf(endpoint)) => {
  const client = apiClient(app, secret);
  if (endpoint.method === 'GET') return client.get(path);
  return { POST: client.post, PUT: client.put, DELETE: client.delete }[endpoint.method](path, {});
};

describe('API-01 the matrix of endpoints and callers', () => {
  it.each(endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint] as const))(
    '%s',
    async (_, endpoint) => {
      for (const [kind, secret] of Object.entries(strangers))
        for (const path of [addressOf(endpoint), `${addressOf(endpoint)}/`]) {
          const { status, body } = await call(endpoint, secret, path);
          expect([kind, path, status, body.code]).toEqual([kind, path, 401, 'unauthorized']);
        }
    },
  );

  it('whoever is entitled gets past the door everywhere', async () => {
    for (const endpoint of endpoints.filter(({ auth, path }) => auth === 'instance' && !path.includes('disconnect'))) {
      const { status } = await call(endpoint, entitled);
      expect([endpoint.path, status === 401 || status >= 500]).toEqual([endpoint.path, false]);
    }
  });

  it('nobody may call without a key but to read the document', () => {
    expect(endpoints.filter(({ auth }) => auth === 'anybody')).toEqual([]);
  });
});

describe('the OpenAPI document', () => {
  it('is open to all and names every endpoint with what it takes and answers', async () => {
    const { status, body } = await apiClient(app, null).get('/openapi.json');
    expect(status).toBe(200);
    expect(body).toEqual(JSON.parse(JSON.stringify(openApi(endpoints, app.url))));
    expect(body.servers).toEqual([{ url: `${app.url}${base}` }]);
    for (const { method, path, response, body: taken } of endpoints) {
      const entry = body.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
      expect(entry?.summary, path).not.toBe('');
      for (const status of Object.keys(response)) expect(entry.responses[status], path).toBeDefined();
      expect(entry.requestBody !== undefined, path).toBe(taken !== null);
      expect(entry.security, path).toHaveLength(1);
    }
  });

  it('each address and method stands once', () => {
    const names = endpoints.map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, ':')}`);
    expect(new Set(names).size).toBe(names.length);
  });
});
