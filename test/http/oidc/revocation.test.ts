// The end of tokens before their time: revoked by a module, or because a person may no longer enter.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mailPurpose } from '../../../src/domain/mails/mail.ts';
import { endSessions } from '../../../src/domain/sessions/commands.ts';
import { activateUser, deactivateUser } from '../../../src/domain/users/commands.ts';
import {
  changeOwnPassword,
  sendPasswordReset,
  setPasswordByLink,
} from '../../../src/domain/users/password-commands.ts';
import { tokenHash } from '../../../src/lib/secrets.ts';
import type { TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  makeModule,
  makePerson,
  redeem,
  type TestModule,
  type TestPerson,
  token,
} from '../../support/people.ts';
import type { Visitor } from '../../support/visitor.ts';
import {
  basicOf,
  browserOf,
  call,
  codeFor,
  introspect,
  revoke,
  startWorld,
  type Tokens,
  tokensFor,
  userinfo,
  type World,
} from './relying-party.ts';

let world: World;
let second: TestApp;
let worker: TestModule;
let person: TestPerson;
let visitor: Visitor;
let tokens: Tokens;
beforeAll(async () => {
  world = await startWorld();
  worker = await makeModule(world.app, [], { grant_types: ['client_credentials'], redirect_uris: [] });
  second = await world.app.node();
});
afterAll(() => world.app.stop());

beforeEach(async () => {
  person = await makePerson(world.app, world.company);
  visitor = await browserOf(world.app, person);
  tokens = await tokensFor(world.app, visitor, world.module);
});

const refresh = (refresh_token: string, app = world.app, module = world.module) =>
  token(app, module, { grant_type: 'refresh_token', refresh_token });

async function offlineTokens(of: Visitor): Promise<Tokens> {
  const asked = await of.open(authorizeAddress(world.module, { prompt: 'consent', scope: 'openid offline_access' }));
  const code = answerOf(await of.submit(asked, {}, '/consent')).get('code') ?? '';
  return (await redeem(world.app, world.module, code)).body as unknown as Tokens;
}

async function sessionUidOf(of: Visitor): Promise<string> {
  const [record] = await world.app.runtime
    .db('oidc_records')
    .where({ kind: 'Session', id: tokenHash(of.cookie('ul_session')?.value ?? '') });
  return record.session_uid;
}

/** Nothing of this person works any more, at neither node. */
async function expectAllGone(left: Tokens[], code?: string): Promise<void> {
  for (const node of [second, world.app]) {
    for (const { access_token, refresh_token } of left) {
      expect((await userinfo(node, access_token)).status).toBe(401);
      for (const value of [access_token, refresh_token])
        expect((await introspect(node, world.module, value)).body).toEqual({ active: false });
      expect(await refresh(refresh_token, node)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
    const home = await visitor.at(node.port).send('/');
    expect(home.status).toBe(303);
    expect(home.headers.location).toContain('/auth?');
    const silent = await visitor.at(node.port).send(authorizeAddress(world.module, { prompt: 'none' }));
    expect(answerOf(silent).get('error')).toBe('login_required');
    if (code) expect((await redeem(node, world.module, code)).status).toBe(400);
  }
}

async function expectAlive(node: TestApp, { access_token, refresh_token }: Tokens): Promise<void> {
  expect((await userinfo(node, access_token)).status).toBe(200);
  for (const value of [access_token, refresh_token])
    expect((await introspect(node, world.module, value)).body).toMatchObject({ active: true });
}

describe('OAU-18 a person who may no longer', () => {
  it('OAU-18 deactivated: refresh, introspection, userinfo, home and single sign-on refuse at once, on both nodes', async () => {
    const offline = await offlineTokens(visitor);
    const code = await codeFor(visitor, world.module);
    // The nodes have seen all of it, so that anything they might keep is warm.
    for (const node of [world.app, second]) for (const one of [tokens, offline]) await expectAlive(node, one);
    expect((await visitor.at(second.port).send('/')).status).toBe(200);
    await deactivateUser(world.app.operator(), world.company.id, person.user.id);
    await expectAllGone([tokens, offline], code);
  });

  it('OAU-18 deactivated while a refresh is under way: whatever it was given is worth nothing', async () => {
    const racing = Array.from({ length: 6 }, (_, i) => refresh(tokens.refresh_token, i % 2 ? second : world.app));
    await deactivateUser(world.app.operator(), world.company.id, person.user.id);
    for (const { status, body } of await Promise.all(racing)) {
      if (status !== 200) continue;
      expect((await userinfo(second, String(body.access_token))).status).toBe(401);
      expect((await refresh(String(body.refresh_token))).status).toBe(400);
    }
    // Nor does activating the person again bring anything back.
    await activateUser(world.app.operator(), world.company.id, person.user.id);
    await expectAllGone([tokens]);
  });

  it('OAU-18 reset of the password: sessions and tokens end, offline ones included', async () => {
    const offline = await offlineTokens(visitor);
    const { app, company } = world;
    await sendPasswordReset(app.operator(), company, person.user);
    const mails = await app.runtime.store.mails.listRecent(20);
    const mail = mails.find(({ recipient, kind }) => recipient === person.user.email && kind === 'passwordReset');
    const { link } = JSON.parse(app.runtime.keyring.open(mailPurpose, mail?.sealedData ?? ''));
    const done = await setPasswordByLink(
      app.runtime.work({ kind: 'stranger', name: '' }),
      'passwordReset',
      String(link).split('/').at(-1) ?? '',
      'Amber-Lantern-77',
    );
    expect(done.outcome).toBe('done');
    await expectAllGone([tokens, offline]);
  });

  it('OAU-18 own change of the password: this session goes on, all others and what they left behind end', async () => {
    const elsewhere = await browserOf(world.app, person);
    const there = await tokensFor(world.app, elsewhere, world.module);
    const offline = await offlineTokens(elsewhere);
    await elsewhere.submit(await elsewhere.open('/'), {}, '/sign-out');
    const work = world.app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });
    const input = {
      companyId: world.company.id,
      userId: person.user.id,
      password: 'Amber-Lantern-77',
      keepSession: await sessionUidOf(visitor),
      keepBrowser: null,
    };
    expect(await changeOwnPassword(work, input)).toEqual({ outcome: 'done' });
    for (const { access_token, refresh_token } of [there, offline]) {
      expect((await userinfo(second, access_token)).status).toBe(401);
      expect((await refresh(refresh_token)).status).toBe(400);
    }
    await expectAlive(second, tokens);
    expect((await visitor.send('/')).status).toBe(200);
  });

  it('OAU-18 session ended by its owner or an administrator: its tokens end with it, others go on', async () => {
    const elsewhere = await browserOf(world.app, person);
    const there = await tokensFor(world.app, elsewhere, world.module);
    const of = { companyId: world.company.id, userId: person.user.id, uid: await sessionUidOf(visitor) };
    expect(await endSessions(world.app.operator(), of, 'ended-by-user')).toBe(1);
    await expectAllGone([tokens]);
    await expectAlive(second, there);
  });

  it('OAU-18 access to the module taken away: its tokens are dead at once, and live again only by a new sign-in', async () => {
    const { db } = world.app.runtime;
    const membership = { user_id: person.user.id };
    const kept = await db('group_members').where(membership);
    await db('group_members').where(membership).delete();
    expect((await userinfo(second, tokens.access_token)).status).toBe(401);
    expect((await introspect(second, world.module, tokens.refresh_token)).body).toEqual({ active: false });
    expect((await refresh(tokens.refresh_token)).status).toBe(400);
    // The session itself is still good for the provider's own pages.
    expect((await visitor.send('/')).status).toBe(200);
    await db('group_members').insert(kept);
  });
});

describe('introspection', () => {
  it('tells the client about its own tokens, and others nothing', async () => {
    const { body } = await introspect(world.app, world.module, tokens.access_token);
    expect(body).toMatchObject({
      active: true,
      client_id: world.module.clientId,
      sub: person.user.id,
      scope: 'openid profile email',
      iss: world.app.url,
      token_type: 'Bearer',
    });
    expect(Number(body.exp) - Number(body.iat)).toBe(600);
    const other = await makeModule(world.app, [world.company]);
    for (const value of [tokens.access_token, tokens.refresh_token])
      expect((await introspect(world.app, other, value)).body).toEqual({ active: false });
  });

  it('a client that may introspect all, such as a gateway, sees the tokens of others', async () => {
    const gateway = await makeModule(world.app, [], {
      may_introspect_all: true,
      grant_types: ['client_credentials'],
      redirect_uris: [],
    });
    expect((await introspect(world.app, gateway, tokens.access_token)).body).toMatchObject({
      active: true,
      client_id: world.module.clientId,
      sub: person.user.id,
    });
  });

  it('of garbage, of an ID token, of a code and of an expired token says no more than inactive', async () => {
    const code = await codeFor(visitor, world.module);
    for (const value of ['x', '', ' ', code, `${tokens.access_token}x`, '\0', 'é'.repeat(2000)]) {
      const { status, body } = await introspect(world.app, world.module, value);
      expect(status).toBeLessThan(500);
      expect(body.active).not.toBe(true);
    }
    expect((await introspect(world.app, world.module, tokens.id_token)).body.active).not.toBe(true);
    await world.app.runtime.db.raw(
      `update oidc_records set payload = jsonb_set(payload, '{exp}', to_jsonb(extract(epoch from now())::bigint - 60)) where kind = 'AccessToken' and account_id = ?`,
      [person.user.id],
    );
    expect((await introspect(world.app, world.module, tokens.access_token)).body).toEqual({ active: false });
    expect((await userinfo(world.app, tokens.access_token)).status).toBe(401);
  });

  it('a wrong hint about the kind of token does no harm', async () => {
    for (const token_type_hint of ['refresh_token', 'access_token', 'nonsense']) {
      const { body } = await call(world.app, '/token/introspection', {
        form: { token: tokens.access_token, token_type_hint },
        headers: basicOf(world.module),
      });
      expect(body.active).toBe(true);
    }
  });

  it('client_credentials: a token of the client itself, for no person, and no entry at userinfo', async () => {
    const { body } = await token(world.app, worker, { grant_type: 'client_credentials' });
    const seen = await introspect(second, worker, String(body.access_token));
    expect(seen.body).toMatchObject({ active: true, client_id: worker.clientId });
    expect(seen.body).not.toHaveProperty('sub');
    expect((await userinfo(world.app, String(body.access_token))).status).toBe(401);
    expect((await revoke(world.app, worker, String(body.access_token))).status).toBe(200);
    expect((await introspect(second, worker, String(body.access_token))).body).toEqual({ active: false });
  });
});

describe('revocation', () => {
  it.each(['access_token', 'refresh_token'] as const)('of the %s ends the whole grant, on both nodes', async (kind) => {
    const answer = await revoke(world.app, world.module, tokens[kind]);
    expect(answer.status).toBe(200);
    expect((await userinfo(second, tokens.access_token)).status).toBe(401);
    expect((await introspect(second, world.module, tokens.refresh_token)).body).toEqual({ active: false });
    expect((await refresh(tokens.refresh_token, second)).status).toBe(400);
    // The session is the provider's and goes on: the next entry needs no login.
    expect((await tokensFor(world.app, visitor, world.module)).access_token).toBeDefined();
  });

  it('by another client, or of garbage, is answered alike and changes nothing (RFC 7009 2.2)', async () => {
    const other: TestModule = await makeModule(world.app, [world.company]);
    for (const value of [tokens.access_token, tokens.refresh_token, 'x']) {
      const { status, body } = await revoke(world.app, other, value);
      expect(status).toBe(200);
      expect(body).toEqual({ text: '' });
    }
    await expectAlive(second, tokens);
  });

  it('of one module leaves the tokens of another alone', async () => {
    const other = await makeModule(world.app, [world.company]);
    const there = await tokensFor(world.app, visitor, other);
    await revoke(world.app, world.module, tokens.refresh_token);
    expect((await userinfo(world.app, there.access_token)).status).toBe(200);
  });
});
