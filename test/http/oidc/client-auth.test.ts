// Who is calling: the secrets of clients, at every endpoint that wants them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeModule } from '../../support/people.ts';
import { basic, basicOf, call, startWorld, tokensFor, type World } from './relying-party.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.app.stop());

const endpoints: [path: string, form: Record<string, string>][] = [
  ['/token', { grant_type: 'client_credentials' }],
  ['/token/introspection', { token: 'x' }],
  ['/token/revocation', { token: 'x' }],
  ['/request', { response_type: 'code', redirect_uri: 'https://module.example/callback' }],
];

describe('secrets', () => {
  it.each(endpoints)(
    'OAU-15 %s wants the secret of a confidential client: 401 without and with a wrong one',
    async (path, form) => {
      const { clientId, clientSecret } = world.module;
      const none = await call(world.app, path, { form: { ...form, client_id: clientId } });
      expect(none).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      const wrongSecrets = [
        `${clientSecret}x`,
        clientSecret.slice(1),
        clientSecret.toUpperCase(),
        'x',
        `${clientSecret}\0`,
      ];
      for (const secret of wrongSecrets) {
        const posted = await call(world.app, path, { form: { ...form, client_id: clientId, client_secret: secret } });
        expect(posted).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      }
      const inHeader = await call(world.app, path, { form, headers: basic(clientId, 'wrong') });
      expect(inHeader).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect(inHeader.headers['www-authenticate']).toMatch(/^Basic realm=/);
      const unknown = await call(world.app, path, { form, headers: basic('nobody', clientSecret) });
      expect(unknown).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    },
  );

  it('OAU-15 an unknown client and a wrong secret get the same answer', async () => {
    const form = { grant_type: 'client_credentials' };
    const unknown = await call(world.app, '/token', { form, headers: basic('nobody', 'x') });
    const wrong = await call(world.app, '/token', { form, headers: basic(world.module.clientId, 'x') });
    expect(unknown.body).toEqual(wrong.body);
    expect(unknown.headers['www-authenticate']).toBe(wrong.headers['www-authenticate']);
  });

  it('OAU-15 the hash that the database keeps is not a secret that opens', async () => {
    const { rows } = await world.app.runtime.db.raw('select secret_hash from modules where client_id = ?', [
      world.module.clientId,
    ]);
    expect(rows[0].secret_hash).not.toBe(world.module.clientSecret);
    const answer = await call(world.app, '/token', {
      form: { grant_type: 'client_credentials' },
      headers: basic(world.module.clientId, rows[0].secret_hash),
    });
    expect(answer.status).toBe(401);
  });

  it('OAU-15 loosely encoded Basic is rejected', async () => {
    const { authorization } = basicOf(world.module);
    const value = authorization.slice('Basic '.length);
    const { clientId, clientSecret } = world.module;
    const raw = (text: string | Buffer) => `Basic ${Buffer.from(text).toString('base64')}`;
    const variants: Record<string, string> = {
      'no scheme': value,
      'another scheme': `Bearer ${value}`,
      'two spaces': `Basic  ${value}`,
      'a tail': `Basic ${value} x`,
      'a letter outside the alphabet': `Basic ${value.slice(0, 8)}*${value.slice(8)}`,
      'a line break inside': `Basic ${value.slice(0, 8)}\t${value.slice(8)}`,
      'too much padding': `Basic ${value.replace(/=+$/, '')}===`,
      'no colon': raw(clientId + clientSecret),
      'no secret': raw(`${clientId}:`),
      'broken percent-encoding': raw(`${clientId}:%zz${clientSecret}`),
      'a control character': raw(`${clientId}:${clientSecret}\u0007`),
      'bytes that are no UTF-8': raw(Buffer.concat([Buffer.from(`${clientId}:`), Buffer.from([0xff, 0xfe])])),
      nothing: 'Basic ',
    };
    for (const [name, header] of Object.entries(variants)) {
      const answer = await call(world.app, '/token', {
        form: { grant_type: 'client_credentials' },
        headers: { authorization: header },
      });
      expect([400, 401], name).toContain(answer.status);
      expect(answer.body, name).not.toHaveProperty('access_token');
    }
  });

  it('OAU-15 two ways at once are refused, and so are two names', async () => {
    const { clientId, clientSecret } = world.module;
    const both = await call(world.app, '/token', {
      form: { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret },
      headers: basicOf(world.module),
    });
    expect(both).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const other = await makeModule(world.app, [world.company]);
    const mixed = await call(world.app, '/token', {
      form: { grant_type: 'client_credentials', client_id: other.clientId },
      headers: basicOf(world.module),
    });
    expect(mixed.status).toBe(400);
  });

  it('OAU-15 a secret in the address is no authentication', async () => {
    const { clientId, clientSecret } = world.module;
    const query = new URLSearchParams({ client_id: clientId, client_secret: clientSecret });
    const answer = await call(world.app, `/token/introspection?${query}`, { form: { token: 'x' } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });

  it('OAU-15 a public client is nobody at introspection, and has no client_credentials', async () => {
    const spa = await makeModule(world.app, [world.company], { token_endpoint_auth_method: 'none' });
    const { access_token } = await tokensFor(world.app, world.visitor, world.module);
    const looked = await call(world.app, '/token/introspection', {
      form: { token: access_token, client_id: spa.clientId },
    });
    expect(looked.body).not.toHaveProperty('sub');
    const asked = await call(world.app, '/token', {
      form: { grant_type: 'client_credentials', client_id: spa.clientId },
    });
    expect(asked.status).toBe(400);
    await expect(
      makeModule(world.app, [], { token_endpoint_auth_method: 'none', grant_types: ['client_credentials'] }),
    ).rejects.toMatchObject({ code: 'invalid' });
  });
});
