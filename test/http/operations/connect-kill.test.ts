// kill -9 in the middle of a connect ceremony: nothing of it stays, and the module finishes it with the same token elsewhere.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModule } from '../../../src/domain/modules/commands.ts';
import { apiClient } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { until } from '../../support/attempts.ts';
import { testKey } from '../../support/keys.ts';
import { answerOf, authorizeAddress, makeCompany, makePerson, redeem, signIn } from '../../support/people.ts';
import { type Server, startServer } from '../../support/server.ts';
import { Visitor } from '../../support/visitor.ts';

describe('a connect ceremony whose process is killed', () => {
  let app: TestApp;
  let server: Server;

  beforeAll(async () => {
    app = await startApp();
    server = await startServer({
      PUBLIC_URL: app.url,
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: testKey.toString('base64'),
      LOG_LEVEL: 'warn',
    });
  }, 60_000);
  afterAll(async () => {
    server.signal('SIGKILL');
    await server.ended;
    await app.stop();
  });

  it('leaves no half instance, and the same token connects at the next try', async () => {
    const company = await makeCompany(app);
    const admin = await makePerson(app, company, { role: 'Admin' });
    const redirectUri = 'https://module.example/callback';
    const given = { name: 'Workplace', product: 'workplace', metadata: { redirect_uris: [redirectUri] } };
    const { module, clientSecret } = await createModule(app.operator(), given, app.runtime.complaint);
    app.runtime.clients.invalidate();
    const client = { module, clientId: module.clientId, clientSecret: clientSecret ?? '', redirectUri };
    const scope = 'openid email profile module.connect';
    const back = answerOf(await signIn(app, app.visitor(), admin, authorizeAddress(client, { scope })));
    const secret = String((await redeem(app, client, back.get('code') ?? '')).body.access_token);
    const connection = { tenant: { id: 'northwind', name: 'Northwind' }, admin: { id: '17', name: 'Ada Root' } };

    const there = { ...app, visitor: () => new Visitor(app.url, server.port) };
    const all = await app.runtime.store.of(company.id).groups.getSystem('system-all');
    await app.runtime.db.transaction(async (trx) => {
      // Whoever puts an instance into the group waits here, with the instance written and not committed.
      await trx.raw('select id from access_groups where id = ? for update', [all.id]);
      const lost = apiClient(there, secret)
        .post('/instances', connection)
        .then(
          () => 'answered',
          () => 'lost',
        );
      await until(async () => {
        const { rows } = await app.runtime.db.raw(
          `select 1 from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock' and query ilike '%group_modules%'`,
        );
        return rows.length > 0;
      });
      server.signal('SIGKILL');
      expect(await server.ended).toEqual({ code: null, signal: 'SIGKILL' });
      expect(await lost).toBe('lost');
    });
    // What the database had begun for the dead it takes back by itself.
    await until(async () => {
      const { rows } = await app.runtime.db.raw(
        `select 1 from pg_locks l join pg_class c on c.oid = l.relation where c.relname = 'group_modules' and l.mode = 'RowExclusiveLock'`,
      );
      return rows.length === 0;
    });
    await sleep(50);
    for (const table of ['module_instances', 'instance_credentials', 'group_modules'])
      expect(await app.runtime.db(table), table).toEqual([]);
    expect(await app.runtime.store.audit.listRecent(5, { action: 'module.connect' })).toEqual([]);

    const answer = await apiClient(app, secret).post('/instances', connection);
    expect(answer.status).toBe(201);
    expect((await apiClient(app, answer.body.credential.secret).get('/instance/settings')).status).toBe(200);
    expect(await app.runtime.db('module_instances')).toHaveLength(1);
  }, 60_000);
});
