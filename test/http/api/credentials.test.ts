// Machine credentials of a connected module, and the edge of the API around them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { keepHouse } from '../../../src/jobs/housekeeping.ts';
import { hours, minutes, seconds } from '../../../src/lib/time.ts';
import { apiClient, type ConnectedModule, connectAnother, makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany } from '../../support/people.ts';

let app: TestApp;
let company: Company;
let module: ConnectedModule;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app);
  module = await makeConnected(app, company);
});
afterAll(() => app.stop());

const path = '/instance/credentials';
const credentials = (of = module) => app.runtime.store.of(company.id).machines.list(of.instanceId);

describe('machine credentials', () => {
  it('a new one works at once, the one before goes on for 24 hours and then ends', async () => {
    const own = await makeConnected(app, company);
    const made = await own.api.post(path);
    expect(made.status).toBe(201);
    expect(made.body.secret).toMatch(/^ulm_[\w-]{43}$/);
    expect(made.headers['cache-control']).toBe('no-store');
    const next = apiClient(app, made.body.secret);
    app.clock.advance(hours(24) - seconds(1));
    expect((await own.api.get('/nothing')).status).toBe(404);
    app.clock.advance(seconds(1));
    expect((await own.api.get('/nothing')).status).toBe(401);
    expect((await next.get('/nothing')).status).toBe(404);
    expect(await credentials(own)).toHaveLength(2);
    await keepHouse(app.operator());
    expect(await credentials(own)).toHaveLength(1);
  });

  it('the secret is nowhere at rest (API-15)', async () => {
    const { rows } = await app.runtime.db.raw('select c::text as line from instance_credentials c');
    expect(rows.length).toBeGreaterThan(0);
    for (const { line } of rows) expect(line).not.toContain(module.secret);
  });

  it('changing it needs no pause: calls in parallel with many changes all come through', async () => {
    const own = await makeConnected(app, company);
    let secret = own.secret;
    const answers: number[] = [];
    let isOver = false;
    const calling = (async () => {
      while (!isOver) answers.push((await apiClient(app, secret).get('/nothing')).status);
    })();
    for (let i = 0; i < 10 || (answers.length < 5 && i < 100); i += 1)
      secret = (await apiClient(app, secret).post(path)).body.secret;
    isOver = true;
    await calling;
    expect(answers.length).toBeGreaterThanOrEqual(5);
    expect([...new Set(answers)]).toEqual([404]);
    expect((await credentials(own)).filter(({ endsAt }) => endsAt === null)).toHaveLength(1);
  });

  it('ends one at once, and never the last that stays', async () => {
    const own = await makeConnected(app, company);
    const [first] = await credentials(own);
    const made = (await own.api.post(path)).body;
    const next = apiClient(app, made.secret);
    const refused = await next.delete(`${path}/${made.id}`);
    expect(refused.status).toBe(409);
    expect(refused.body.code).toBe('last_credential');
    expect((await next.delete(`${path}/${first?.id}`)).status).toBe(204);
    expect((await own.api.get('/nothing')).status).toBe(401);
    expect((await next.delete(`${path}/${first?.id}`)).status).toBe(404);
    expect((await next.delete(`${path}/nonsense`)).status).toBe(404);
  });

  it('API-02 a credential of another instance is not there, of the same company either', async () => {
    const sibling = await connectAnother(app, company, module, { tenant: 'sibling' });
    const [theirs] = await app.runtime.store.of(company.id).machines.list(sibling.instanceId);
    expect((await module.api.delete(`${path}/${theirs?.id}`)).status).toBe(404);
    expect((await sibling.api.get('/nothing')).status).toBe(404);
  });

  it('of two ends at the same moment one stays', async () => {
    const own = await makeConnected(app, company);
    const made = (await own.api.post(path)).body;
    await app.runtime.db('instance_credentials').where({ instance_id: own.instanceId }).update({ ends_at: null });
    const all = await credentials(own);
    const next = apiClient(app, made.secret);
    const statuses = await Promise.all(all.map(async ({ id }) => (await next.delete(`${path}/${id}`)).status));
    // The second may come when its own key is gone already.
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(await credentials(own)).toHaveLength(1);
  });

  it('notes the last use, once a minute', async () => {
    const own = await makeConnected(app, company);
    const used = async () => (await credentials(own))[0]?.lastUsedAt?.getTime();
    await own.api.get('/nothing');
    const first = await used();
    expect(app.clock.now().getTime() - Number(first)).toBeLessThan(seconds(10));
    app.clock.advance(seconds(30));
    await own.api.get('/nothing');
    expect(await used()).toBe(first);
    app.clock.advance(minutes(1));
    await own.api.get('/nothing');
    expect(Number(await used()) - Number(first)).toBeGreaterThanOrEqual(minutes(1.5));
  });

  it('is on record, with who did it at the module', async () => {
    await module.api.post(path, { acting: { id: '17', name: 'Ada Root', sub: 'someone' } });
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'module.credential.new' });
    expect(event).toMatchObject({
      company_id: company.id,
      target_id: module.module.id,
      actor: { kind: 'module', instanceId: module.instanceId, account: '17', sub: 'someone' },
    });
    expect(event?.actor.name).toBe(`Ada Root (in ${module.module.name})`);
    expect(JSON.stringify(event)).not.toContain('ulm_');
  });
});

describe('the edge of the API', () => {
  it('API-08 without the right key every address says the same 401, also one that is not there', async () => {
    const answers = [];
    for (const secret of [null, 'x', `ulm_${'A'.repeat(43)}`, `${module.secret}A`, module.secret.toLowerCase()])
      for (const address of [
        path,
        `${path}/`,
        '/instance',
        '/nothing',
        '/',
        '//instance/credentials',
        '/openapi.json/',
      ])
        answers.push(await apiClient(app, secret).get(address));
    const { request_id: _, ...first } = answers[0]?.body ?? {};
    expect(first).toEqual({
      type: 'about:blank',
      title: 'Not authenticated',
      status: 401,
      detail: 'This call needs a valid key.',
      code: 'unauthorized',
      fields: {},
    });
    for (const { status, headers, body } of answers) {
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toBe('Bearer');
      expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect({ ...body, request_id: '' }).toEqual({ ...first, request_id: '' });
    }
  });

  it('405 says what is taken, with the right key only', async () => {
    const answer = await module.api.put(path);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
  });

  it('takes JSON only, 1 MB at most, and nothing that no table can store', async () => {
    const send = (body: string | Buffer, type = 'application/json') =>
      app.visitor().send(`/api/v1${path}`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${module.secret}`, 'content-type': type },
      });
    expect((await send('{}', 'text/plain')).status).toBe(415);
    expect((await send('a=b', 'application/x-www-form-urlencoded')).status).toBe(415);
    expect((await send('{')).status).toBe(400);
    expect((await send('"text"')).status).toBe(400);
    expect((await send('[]')).status).toBe(422);
    expect((await send('{"a":"\\u0000"}')).status).toBe(400);
    expect((await send('{"a":"\\ud800"}')).status).toBe(400);
    expect((await send('{"__proto__":{"a":1}}')).status).toBe(400);
    expect((await send(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)).status).toBe(400);
    expect((await send(`{"a":"${'a'.repeat(1_048_576)}"}`)).status).toBe(413);
    expect((await send('{"a":"\\ud83d\\ude00"}')).status).toBe(201);
  });

  it('says by field what is not valid', async () => {
    const { status, body } = await module.api.post(path, { acting: { id: '', name: 'x' } });
    expect(status).toBe(422);
    expect(body.code).toBe('invalid');
    expect(Object.keys(body.fields)).toEqual(['acting.id']);
  });

  it('sets no cookie, and does not need a form’s token', async () => {
    const answer = await module.api.post(
      path,
      {},
      { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' },
    );
    expect(answer.status).toBe(201);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('names of routes do not grow with what strangers ask for', async () => {
    for (let i = 0; i < 3; i += 1) await module.api.delete(`${path}/${crypto.randomUUID()}`);
    await apiClient(app, null).get(`/made-up-${crypto.randomUUID()}`);
    const text = await app.runtime.metrics.registry.metrics();
    const names = [...new Set([...text.matchAll(/route="(\/api[^"]*)"/g)].map(([, name]) => name))];
    expect(names.sort()).toEqual(['/api/*', '/api/v1/instance/credentials', '/api/v1/instance/credentials/:id']);
  });
});
