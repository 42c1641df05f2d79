// Pushed authorization requests (RFC 9126): the request goes from server to server, the browser carries a reference.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { answerOf, makeModule, pkce, redeem, signIn, type TestModule } from '../../support/people.ts';
import type { Page } from '../../support/visitor.ts';
import { basicOf, browserOf, call, claimsOf, expectErrorPage, startWorld, type World } from './relying-party.ts';

let world: World;
let strict: TestModule;
let second: TestApp;
beforeAll(async () => {
  world = await startWorld();
  strict = await makeModule(world.app, [world.company], { require_pushed_authorization_requests: true });
  second = await world.app.node();
});
afterAll(() => world.app.stop());

const request = (module: TestModule, more: Record<string, string> = {}) => ({
  client_id: module.clientId,
  response_type: 'code',
  scope: 'openid email',
  redirect_uri: module.redirectUri,
  state: 'pushed',
  nonce: 'nonce-9',
  code_challenge: pkce.challenge,
  code_challenge_method: 'S256',
  ...more,
});

const push = (module: TestModule, more: Record<string, string> = {}, app = world.app) =>
  call(app, '/request', { form: request(module, more), headers: basicOf(module) });

async function pushed(module: TestModule, more: Record<string, string> = {}): Promise<string> {
  const { status, body } = await push(module, more);
  expect(status).toBe(201);
  return String(body.request_uri);
}

const address = (module: TestModule, request_uri: string, more: Record<string, string> = {}) =>
  `/auth?${new URLSearchParams({ client_id: module.clientId, request_uri, ...more })}`;

describe('pushing', () => {
  it('gives a reference that lives for a minute at most, and a code for whoever brings it', async () => {
    const answer = await push(world.module);
    expect(answer.status).toBe(201);
    expect(answer.body.request_uri).toMatch(/^urn:ietf:params:oauth:request_uri:[\w-]{30,}$/);
    expect(Number(answer.body.expires_in)).toBeLessThanOrEqual(60);
    expect(answer.headers['cache-control']).toContain('no-store');
    const back = await world.visitor.open(address(world.module, String(answer.body.request_uri)));
    expect(answerOf(back).get('state')).toBe('pushed');
    const { status, body } = await redeem(world.app, world.module, answerOf(back).get('code') ?? '');
    expect(status).toBe(200);
    expect(claimsOf(String(body.id_token))).toMatchObject({ nonce: 'nonce-9', sub: world.person.user.id });
  });

  it('works through a whole sign-in, also at another node than the one that took the request', async () => {
    const uri = await pushed(world.module);
    const visitor = world.app.visitor();
    const back = await signIn(second, visitor.at(second.port), world.person, address(world.module, uri));
    expect(answerOf(back).get('code')).not.toBeNull();
  });

  it.each([
    ['another redirect_uri', { redirect_uri: 'https://evil.example/' }, 'invalid_request'],
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a scope outside of the registration', { scope: 'openid phone' }, 'invalid_scope'],
    ['a reference inside', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'request_uri_not_supported'],
    ['a request object', { request: 'e30.e30.' }, 'request_not_supported'],
    ['another client_id', { client_id: 'another' }, 'invalid_request'],
  ])('is refused with %s', async (_name, more, error) => {
    const small = await makeModule(world.app, [world.company], { scope: 'openid email' });
    const answer = await push(small, more);
    expect(answer).toMatchObject({ status: 400, body: { error } });
    expect(answer.body).not.toHaveProperty('request_uri');
  });
});

describe('the reference', () => {
  it('is good once', async () => {
    const uri = await pushed(world.module);
    expect(answerOf(await world.visitor.open(address(world.module, uri))).get('code')).not.toBeNull();
    const again = await world.visitor.open(address(world.module, uri));
    expect(`${again.headers.location ?? ''}${again.body}`).not.toContain('code=');
    expect(`${again.headers.location ?? ''}${again.body}`).toContain('invalid_request_uri');
  });

  it('is good once in parallel, too, on one node and on two', async () => {
    const browsers = [world.visitor];
    while (browsers.length < 4) browsers.push(await browserOf(world.app, world.person));
    for (const nodes of [[world.app], [world.app, second]]) {
      const uri = await pushed(world.module);
      const pages = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          (browsers[i % browsers.length] ?? world.visitor)
            .at((nodes[i % nodes.length] as TestApp).port)
            .send(address(world.module, uri)),
        ),
      );
      const got = (page: Page) => (page.headers.location ?? '').includes('code=');
      expect(pages.filter(got)).toHaveLength(1);
      for (const page of pages.filter((page) => !got(page)))
        expect(`${page.headers.location ?? ''}${page.body}`).toContain('invalid_request_uri');
    }
  });

  it('is refused when it has run out, is unknown, or belongs to another client', async () => {
    const uri = await pushed(world.module);
    expectErrorPage(await world.visitor.send(address(strict, uri)));
    const run = await pushed(world.module);
    await world.app.runtime.db.raw(
      `update oidc_records set expires_at = now() - interval '1 second' where kind = 'PushedAuthorizationRequest'`,
    );
    for (const wrong of [run, `${uri}x`, 'urn:ietf:params:oauth:request_uri:', 'urn:ietf:params:oauth:request_uri:\0'])
      expectErrorPage(await world.visitor.send(address(world.module, wrong)));
  });

  it('brings all parameters: those in the address are not listened to', async () => {
    const uri = await pushed(world.module);
    const back = await world.visitor.open(
      address(world.module, uri, {
        redirect_uri: 'https://evil.example/',
        scope: 'openid phone offline_access',
        nonce: 'evil',
        code_challenge: 'x'.repeat(43),
      }),
    );
    expect(back.headers.location?.startsWith(world.module.redirectUri)).toBe(true);
    const { body } = await redeem(world.app, world.module, answerOf(back).get('code') ?? '');
    expect(body.scope).toBe('openid email');
    expect(claimsOf(String(body.id_token)).nonce).toBe('nonce-9');
  });
});

describe('a client that must push', () => {
  it('gets nowhere with a plain request, and on with a pushed one', async () => {
    const plain = await world.visitor.send(`/auth?${new URLSearchParams(request(strict))}`);
    expect(plain.headers.location ?? '').not.toContain('code=');
    expect(answerOf(plain).get('error')).toBe('invalid_request');
    const back = await world.visitor.open(address(strict, await pushed(strict)));
    expect(answerOf(back).get('code')).not.toBeNull();
  });
});
