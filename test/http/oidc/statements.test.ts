// SQL round trips a flow: counts do not wobble, so they are asserted. Every statement counts, BEGIN and COMMIT too.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
  token,
} from '../../support/people.ts';

let statements: string[] = [];
const original = pg.Client.prototype.query;

beforeAll(() => {
  Object.defineProperty(pg.Client.prototype, 'query', {
    configurable: true,
    writable: true,
    value(this: pg.Client, ...args: Parameters<typeof original>) {
      const [config] = args as unknown as [string | { text?: string }];
      statements.push(typeof config === 'string' ? config : (config.text ?? ''));
      return original.apply(this, args);
    },
  });
});

afterAll(() => {
  Object.defineProperty(pg.Client.prototype, 'query', { configurable: true, writable: true, value: original });
});

async function counted<T>(act: () => Promise<T>): Promise<{ count: number; result: T }> {
  statements = [];
  const result = await act();
  return { count: statements.length, result };
}

/** @returns count without the test's own look for a fresh code: the second factor is single-use within its 30 seconds. */
async function wholeLogin(app: TestApp, person: TestPerson, module: TestModule) {
  app.clock.advance(60_000);
  const visitor = app.visitor();
  await visitor.open('/signed-out');
  const { count, result } = await counted(async () => {
    const back = await signIn(app, visitor, person, authorizeAddress(module));
    return redeem(app, module, answerOf(back).get('code') ?? '');
  });
  return { count: count - 1, result };
}

describe('SQL statements of a flow', () => {
  let app: TestApp;
  let person: TestPerson;
  let module: TestModule;
  let second: TestModule;

  beforeAll(async () => {
    app = await startApp();
    const company = await makeCompany(app);
    await makeCompany(app);
    person = await makePerson(app, company);
    module = await makeModule(app, [company], {
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    });
    second = await makeModule(app, [company]);
    // Connections of the pool, and what is read once: clients, the only company, settings of the connected modules.
    const visitor = app.visitor();
    await signIn(app, visitor, person, authorizeAddress(module));
    await visitor.open(authorizeAddress(second));
    await app.runtime.onlyCompany();
  });
  afterAll(() => app.stop());

  const tokens = async () => {
    const back = await signIn(app, app.visitor(), person, authorizeAddress(module));
    const { body } = await redeem(app, module, answerOf(back).get('code') ?? '');
    return { access: String(body.access_token), refresh: String(body.refresh_token) };
  };

  it('client_credentials takes 1', async () => {
    const { count, result } = await counted(() => token(app, module, { grant_type: 'client_credentials' }));
    expect(result.status).toBe(200);
    expect(count).toBeLessThanOrEqual(1);
  });

  it('refresh with rotation takes 2', async () => {
    const { refresh } = await tokens();
    const { count, result } = await counted(() =>
      token(app, module, { grant_type: 'refresh_token', refresh_token: refresh }),
    );
    expect(result.status).toBe(200);
    expect(count).toBeLessThanOrEqual(2);
  });

  it('userinfo takes 1', async () => {
    const { access } = await tokens();
    const { count, result } = await counted(() =>
      app.visitor().send('/userinfo', { headers: { authorization: `Bearer ${access}` } }),
    );
    expect(result.status).toBe(200);
    expect(count).toBeLessThanOrEqual(1);
  });

  it('introspection takes 1', async () => {
    const { access } = await tokens();
    const basic = Buffer.from(`${module.clientId}:${module.clientSecret}`).toString('base64');
    const { count, result } = await counted(() =>
      app
        .visitor()
        .send('/token/introspection', { form: { token: access }, headers: { authorization: `Basic ${basic}` } }),
    );
    expect(JSON.parse(result.body)).toMatchObject({ active: true });
    expect(count).toBeLessThanOrEqual(1);
  });

  it('SSO into another module with a live session takes 4: authorize, code, token', async () => {
    const visitor = app.visitor();
    await signIn(app, visitor, person, authorizeAddress(module));
    for (const round of ['first entry', 'later entry']) {
      const { count, result } = await counted(async () => {
        const back = await visitor.open(authorizeAddress(second));
        return redeem(app, second, answerOf(back).get('code') ?? '');
      });
      expect(result.status).toBe(200);
      expect(count, `${round}:\n${statements.join('\n---\n')}`).toBeLessThanOrEqual(4);
    }
  });

  it('a whole login takes 10: authorize, three screens, of which the first asks where the company logs in, resume, token', async () => {
    const { count, result } = await wholeLogin(app, person, module);
    expect(result.status).toBe(200);
    expect(count, statements.join('\n---\n')).toBeLessThanOrEqual(10);
  });
});

describe('SQL statements where one company has the server for itself', () => {
  it('a whole login takes 10 as well: its first screen has asked for the upstreams already', async () => {
    const app = await startApp();
    try {
      const company = await makeCompany(app);
      const person = await makePerson(app, company);
      const module = await makeModule(app, [company]);
      await signIn(app, app.visitor(), person, authorizeAddress(module));
      const { count, result } = await wholeLogin(app, person, module);
      expect(result.status).toBe(200);
      expect(count, statements.join('\n---\n')).toBeLessThanOrEqual(10);
    } finally {
      await app.stop();
    }
  });
});
