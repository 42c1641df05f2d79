// API-13: who did what, when, from where; and nobody changes it afterwards.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../../src/db/knex.ts';
import type { AuditRow } from '../../../src/domain/audit/repository.ts';
import { activateUser, deactivateUser, inviteUser, unlockUser } from '../../../src/domain/users/commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { namesOf, tryWrong } from '../../support/attempts.ts';
import { captureLog } from '../../support/log.ts';
import {
  answerOf,
  authorizeAddress,
  givePassword,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
  token,
} from '../../support/people.ts';

describe('audit', () => {
  let app: TestApp;
  let person: TestPerson;
  let module: TestModule;

  beforeAll(async () => {
    app = await startApp();
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app);
    person = await makePerson(app, company);
    module = await makeModule(app, [company], {
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    });
  });
  afterAll(() => app.stop());

  const latest = async (action: string, count = 1): Promise<AuditRow[]> =>
    app.runtime.store.audit.listRecent(count, { action });

  it('API-13 every login, good and bad: who, what, when, from where', async () => {
    const visitor = app.visitor();
    const startedAt = app.clock.now().getTime();
    await givePassword(visitor, await visitor.open('/login'), person, 'wrong');
    const [bad] = await latest('login.fail');
    expect(bad).toMatchObject({
      company_id: person.company.id,
      actor: { kind: 'stranger' },
      target_kind: 'user',
      target_id: person.user.id,
      ip: '127.0.0.1',
      details: { reason: 'wrong-password', username: person.user.username },
    });
    expect(bad?.agent).toContain('Chrome');
    expect(bad?.code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/);
    await signIn(app, visitor, person, '/login');
    const [good] = await latest('login.ok');
    expect(good).toMatchObject({
      company_id: person.company.id,
      actor: { kind: 'user', id: person.user.id, name: person.user.username },
      target_id: person.user.id,
      ip: '127.0.0.1',
      details: { method: 'totp' },
    });
    for (const event of [bad, good]) {
      const at = event?.at.getTime() ?? 0;
      expect(at).toBeGreaterThanOrEqual(startedAt - 1000);
      expect(at).toBeLessThanOrEqual(app.clock.now().getTime() + 1000);
    }
    const nobody = app.visitor();
    await givePassword(nobody, await nobody.open('/login'), {
      ...person,
      user: { ...person.user, username: 'nobody-here' },
    });
    expect((await latest('login.fail'))[0]).toMatchObject({
      target_id: null,
      details: { reason: 'unknown-user', username: 'nobody-here' },
    });
    await visitor.submit(await visitor.open('/'), {}, '/sign-out');
    expect((await latest('logout'))[0]).toMatchObject({ actor: { id: person.user.id }, target_id: person.user.id });
  });

  it('API-13 every act of an administrator or operator', async () => {
    const { id } = person.company;
    const { user } = await inviteUser(app.operator(), id, {
      firstName: 'A',
      lastName: 'B',
      email: 'ab@example.com',
      username: 'ab',
      role: 'User',
    });
    const other = await makePerson(app, person.company);
    await tryWrong(app, namesOf(other), 5);
    await unlockUser(app.operator(), id, other.user.id);
    await deactivateUser(app.operator(), id, other.user.id);
    await activateUser(app.operator(), id, other.user.id);
    for (const [action, target] of [
      ['user.create', null],
      ['user.invite', user.id],
      ['user.unlock', other.user.id],
      ['user.deactivate', other.user.id],
      ['user.activate', other.user.id],
    ] as const) {
      const [event] = await latest(action);
      expect(event, action).toMatchObject({ company_id: id, actor: { kind: 'operator', name: 'test' } });
      if (target) expect(event?.target_id, action).toBe(target);
    }
  });

  it('API-13 every revocation of a token: asked for by its module, or since it came twice', async () => {
    const revoke = (value: string) =>
      app.visitor().send('/token/revocation', {
        form: { token: value },
        headers: {
          authorization: `Basic ${Buffer.from(`${module.clientId}:${module.clientSecret}`).toString('base64')}`,
        },
      });
    const enter = async () => {
      const code = answerOf(await signIn(app, app.visitor(), person, authorizeAddress(module))).get('code') ?? '';
      return { code, body: (await redeem(app, module, code)).body };
    };
    const actor = { kind: 'system', name: `module ${module.clientId}` };
    const first = await enter();
    expect((await revoke(String(first.body.access_token))).status).toBe(200);
    expect((await latest('token.revoke'))[0]).toMatchObject({
      company_id: person.company.id,
      actor,
      target_id: person.user.id,
      ip: '127.0.0.1',
      details: { kind: 'AccessToken', clientId: module.clientId, reason: 'asked' },
    });
    await revoke(String((await enter()).body.refresh_token));
    expect((await latest('token.revoke'))[0]?.details).toMatchObject({ kind: 'RefreshToken', reason: 'asked' });
    const own = await token(app, module, { grant_type: 'client_credentials' });
    await revoke(String(own.body.access_token));
    expect((await latest('token.revoke'))[0]).toMatchObject({
      company_id: null,
      actor,
      details: { kind: 'ClientCredentials', reason: 'asked' },
    });

    const second = await enter();
    expect((await redeem(app, module, second.code)).status).toBe(400);
    expect((await latest('token.revoke'))[0]).toMatchObject({
      target_id: person.user.id,
      details: { kind: 'Grant', reason: 'reused' },
    });
    const third = await enter();
    const before = (await latest('token.revoke', 100)).length;
    const rotate = () =>
      token(app, module, { grant_type: 'refresh_token', refresh_token: String(third.body.refresh_token) });
    expect((await rotate()).status).toBe(200);
    expect((await latest('token.revoke', 100)).length, 'rotation revokes nothing').toBe(before);
    expect((await rotate()).status).toBe(400);
    expect((await latest('token.revoke'))[0]?.details).toMatchObject({ kind: 'Grant', reason: 'reused' });
    expect((await revoke('no-such-token')).status).toBe(200);
    expect((await latest('token.revoke', 100)).length, 'nothing was revoked').toBe(before + 1);
  });

  it('API-13 is append-only in the database: no change, no deletion, no emptying, for nobody', async () => {
    const { db } = app.runtime;
    const count = async () => (await db('audit_events').count('id as count'))[0]?.count;
    const before = await count();
    expect(Number(before)).toBeGreaterThan(5);
    // Not even the owner holds the right; who takes it back meets the trigger (audit-chain.test.ts).
    for (const sql of [
      `update audit_events set details = '{}'`,
      `update audit_events set action = 'x' where id = (select min(id) from audit_events)`,
      'update audit_events set action = action where false',
      'delete from audit_events',
      'truncate audit_events',
      'with gone as (delete from audit_events returning 1) select count(*) from gone',
      `insert into audit_events (id, action, actor) overriding system value select id, 'x', '{}' from audit_events limit 1 on conflict (id) do update set action = 'x'`,
    ])
      await expect(db.raw(sql), sql).rejects.toThrow(/append-only|permission denied for table audit_events/);
    expect(await count()).toBe(before);
    // Deleting the person leaves what they did.
    const other = createDatabase(app.databaseUrl, { poolSize: 1 });
    try {
      await other('users').where({ username: 'ab' }).delete();
    } finally {
      await other.destroy();
    }
    expect(await count()).toBe(before);
  });

  it('API-13 line breaks and escape sequences stay data, in the audit and in the log', async () => {
    const captured = captureLog();
    const logged = await startApp({ log: captured.log });
    try {
      const nasty = 'pat\r\n{"level":"info","msg":"forged"}\u001b[2J\u001b]0;owned\u0007';
      const company = await makeCompany(logged);
      await makeCompany(logged);
      const visitor = logged.visitor();
      let page = await visitor.submit(await visitor.open('/login'), { username: nasty, company: company.name });
      page = await visitor.submit(page, { password: 'x' });
      expect(page.status).toBe(422);
      const [event] = await logged.runtime.store.audit.listRecent(1, { action: 'login.fail' });
      expect(event?.details.username).toBe(nasty);
      for (const line of captured.text().split('\n').filter(Boolean)) expect(() => JSON.parse(line)).not.toThrow();
      expect(captured.lines().filter(({ msg }) => msg === 'forged')).toEqual([]);
      expect(captured.text()).not.toContain('\u001b');
    } finally {
      await logged.stop();
    }
  });
});
