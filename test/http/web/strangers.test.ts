// What strangers may cause: hashing, mails, rows; each has its bounds.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestForgottenCompany, requestForgottenPassword } from '../../../src/domain/users/password-commands.ts';
import { keepHouse } from '../../../src/jobs/housekeeping.ts';
import { hours, minutes } from '../../../src/lib/time.ts';

import { startApp, type TestApp } from '../../support/app.ts';
import {
  authorizeAddress,
  givePassword,
  makeCompany,
  makeModule,
  makePerson,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let person: TestPerson;
let module: TestModule;

beforeAll(async () => {
  app = await startApp();
  const company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app);
  person = await makePerson(app, company, { email: 'pat@example.com' });
  module = await makeModule(app, [company]);
});
afterAll(() => app.stop());

describe('what one person types', () => {
  it('DOS-02 a password over 1,024 bytes is refused before it is hashed, a username over 320 before it is looked up', async () => {
    const visitor = app.visitor();
    const long = await visitor.submit(await visitor.open('/login'), {
      username: 'u'.repeat(321),
      company: person.company.name,
    });
    expect(long.status).toBe(422);
    expect(wordsOf(long)).toContain('too long');
    const page = await visitor.submit(long, { username: person.user.username, company: person.company.name });
    const refused = await visitor.submit(page, { password: 'p'.repeat(90_000) });
    expect(refused.status).toBe(422);
    const own = app.visitor();
    await signIn(app, own, person, '/');
    const security = await own.open('/settings/security');
    const startedAt = performance.now();
    const changed = await own.submit(
      security,
      { currentPassword: person.password, password: `Aa1-${'x'.repeat(50_000)}` },
      '/settings/password',
    );
    expect(changed.status).toBe(422);
    expect(wordsOf(changed)).toContain('1024 bytes at most');
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  it('DOS-07 too many failures from one address: 429 with Retry-After, for this address only', async () => {
    const small = await startApp({ environment: { FAILURES_PER_ADDRESS: '5', TRUSTED_PROXIES: '1' } });
    try {
      const company = await makeCompany(small);
      const target = await makePerson(small, company);
      const from = (address: string) => {
        const visitor = small.visitor();
        const send = visitor.send.bind(visitor);
        visitor.send = (path, options = {}) =>
          send(path, { ...options, headers: { ...options.headers, 'x-forwarded-for': address } });
        return visitor;
      };
      const attacker = from('203.0.113.7');
      let page = await givePassword(attacker, await attacker.open('/login'), target, 'wrong-0');
      for (let i = 1; i < 6; i += 1) {
        const nobody = { ...target, user: { ...target.user, username: `nobody${i}` } };
        page = await givePassword(attacker, await attacker.open('/login'), nobody, `wrong-${i}`);
      }
      expect(page.status).toBe(429);
      expect(Number(page.headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(page.headers['retry-after'])).toBeLessThanOrEqual(600);
      expect((await attacker.send('/health/ready')).status).toBe(200);
      expect((await attacker.send('/jwks')).status).toBe(200);
      const neighbour = from('203.0.113.8');
      expect((await signIn(small, neighbour, target, '/')).status).toBe(200);
      small.clock.advance(minutes(11));
      const later = await givePassword(attacker, await attacker.open('/login'), target);
      expect(later.status, 'the wait ends by itself').toBe(200);
    } finally {
      await small.stop();
    }
  });
});

describe('what strangers leave behind', () => {
  it('DOS-06 a hundred requests for a link to one address send five an hour at most, one a minute at most', async () => {
    const work = () => app.runtime.work({ kind: 'system', name: 'forgotten' });
    const ask = () =>
      requestForgottenPassword(work(), { company: person.company.name, username: person.user.username });
    const sent = async () => {
      const { rows }: { rows: { count: number }[] } = await app.runtime.db.raw(
        `select count(*)::int as count from mails where kind = 'passwordReset'`,
      );
      return rows[0]?.count;
    };
    await Promise.all(Array.from({ length: 20 }, ask));
    expect(await sent(), 'twenty at once').toBe(1);
    for (let i = 0; i < 80; i += 1) {
      app.clock.advance(30_000);
      await ask();
    }
    expect(await sent(), 'forty minutes of it').toBe(5);
    const forgotCompany = () => requestForgottenCompany(work(), person.user.email);
    await Promise.all(Array.from({ length: 10 }, forgotCompany));
    const { rows }: { rows: { count: number }[] } = await app.runtime.db.raw(
      `select count(*)::int as count from mails where kind = 'forgotCompany'`,
    );
    expect(rows[0]?.count).toBe(1);
    app.clock.advance(hours(2));
    await ask();
    expect(await sent(), 'later again').toBe(6);
  });

  it('DOS-03 a request for authorization leaves one small row, which ends within an hour', async () => {
    const count = async () => {
      const { rows }: { rows: { count: number; size: number; left: number }[] } = await app.runtime.db.raw(
        `select count(*)::int as count, max(pg_column_size(payload))::int as size, max(extract(epoch from expires_at - now()))::int as left from oidc_records where kind in ('Interaction', 'Session') and account_id is null`,
      );
      return rows[0] as { count: number; size: number; left: number };
    };
    const before = await count();
    for (let i = 0; i < 20; i += 1) await app.visitor().send(authorizeAddress(module, { state: `s${i}` }));
    const visitor = app.visitor();
    for (let i = 0; i < 10; i += 1) await visitor.send(authorizeAddress(module));
    const after = await count();
    expect(after.count - before.count).toBeLessThanOrEqual(30);
    expect(after.left).toBeLessThanOrEqual(3600);
    await app.visitor().send(authorizeAddress(module, { state: 'x'.repeat(15_000) }));
    expect((await count()).size).toBeLessThan(20_000);
  });

  it('DOS-03 100,000 of them are gone when their time is over, and the tables stay quick', async () => {
    const { db } = app.runtime;
    await db.raw(`insert into oidc_records (id, kind, payload, expires_at)
      select 'flood-' || n, 'Interaction', '{"kind":"Interaction"}', now() + (case when n <= 100000 then interval '-1 second' else interval '1 hour' end) from generate_series(1, 101000) n`);
    await db.raw('analyze oidc_records');
    const timed = async (act: () => Promise<unknown>) => {
      const startedAt = performance.now();
      await act();
      return performance.now() - startedAt;
    };
    expect(await timed(() => app.visitor().send(authorizeAddress(module)))).toBeLessThan(250);
    const { rows: plan }: { rows: { 'QUERY PLAN': string }[] } = await db.raw(
      `explain select id from oidc_records where expires_at < now() and (kind <> 'Session' or expires_at < now() - interval '1 hour') order by expires_at limit 1000 for update skip locked`,
    );
    expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain('oidc_records_expiry_index');
    // Housekeeping runs every minute, and takes as much as it can in small bites.
    const system = app.runtime.work({ kind: 'system', name: 'test' });
    await keepHouse(system);
    await keepHouse(system);
    const { rows }: { rows: { over: number; live: number }[] } = await db.raw(
      `select count(*) filter (where expires_at < now())::int as over, count(*) filter (where id like 'flood-%' and expires_at > now())::int as live from oidc_records`,
    );
    expect(rows[0]).toEqual({ over: 0, live: 1000 });
  });
});
