// Where browsers are sent, and where they are never sent.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModule } from '../../../src/domain/modules/commands.ts';
import { startApp } from '../../support/app.ts';
import { answerOf, authorizeAddress, makeModule, type TestModule } from '../../support/people.ts';
import { expectErrorPage, startWorld, type World } from './relying-party.ts';

let world: World;
let native: TestModule;
beforeAll(async () => {
  world = await startWorld();
  native = await makeModule(world.app, [world.company], {
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]:8000/callback'],
  });
});
afterAll(() => world.app.stop());

const registered = 'https://module.example/callback';
const variations: [name: string, uri: string][] = [
  ['a slash at the end', `${registered}/`],
  ['no path', 'https://module.example'],
  ['a longer path', `${registered}/more`],
  ['a longer last segment', `${registered}2`],
  ['another case in the path', 'https://module.example/Callback'],
  ['another case in the host', 'https://MODULE.example/callback'],
  ['another case in the scheme', 'HTTPS://module.example/callback'],
  ['http', 'http://module.example/callback'],
  ['the default port', 'https://module.example:443/callback'],
  ['another port', 'https://module.example:8443/callback'],
  ['a query', `${registered}?next=1`],
  ['an empty query', `${registered}?`],
  ['a fragment', `${registered}#x`],
  ['an empty fragment', `${registered}#`],
  ['credentials', 'https://user@module.example/callback'],
  ['our host as credentials of another', 'https://module.example@evil.example/callback'],
  ['our host as a prefix of another', 'https://module.example.evil.example/callback'],
  ['a subdomain', 'https://a.module.example/callback'],
  ['a dot at the end of the host', 'https://module.example./callback'],
  ['dot segments', 'https://module.example/x/../callback'],
  ['encoded dot segments', 'https://module.example/x/%2e%2e/callback'],
  ['an encoded letter', 'https://module.example/%63allback'],
  ['a double-encoded path', 'https://module.example/%2563allback'],
  ['a backslash', 'https://module.example\\callback'],
  ['a backslash before another host', 'https://evil.example\\@module.example/callback'],
  ['punycode', 'https://xn--mdule-jua.example/callback'],
  ['a semicolon', `${registered};x`],
  ['a tab', 'https://module.example/call\tback'],
  ['a line break', 'https://module.example/callback\r\nx'],
  ['a space before', ` ${registered}`],
  ['a space after', `${registered} `],
  ['a NUL', `${registered}\0`],
  ['no scheme', '//module.example/callback'],
  ['a script', 'javascript:alert(1)//https://module.example/callback'],
  ['9,000 characters', `${registered}?${'x'.repeat(9000)}`],
  ['nothing', ''],
];

describe('OAU-01 redirect_uri is compared byte for byte', () => {
  it.each(variations)('OAU-01 refuses %s', async (_name, redirect_uri) => {
    // Both a stranger and a person with a session: for the latter a slip would hand out a code at once.
    for (const visitor of [world.app.visitor(), world.visitor])
      expectErrorPage(await visitor.send(authorizeAddress(world.module, { redirect_uri })));
  });

  it('OAU-01 refuses a missing one, although only one is registered', async () => {
    expectErrorPage(await world.visitor.send(authorizeAddress(world.module, { redirect_uri: undefined })));
  });

  it('OAU-01 refuses the address of another client', async () => {
    const other = await makeModule(world.app, [world.company], { redirect_uris: ['https://other.example/callback'] });
    expectErrorPage(await world.visitor.send(authorizeAddress(world.module, { redirect_uri: other.redirectUri })));
  });

  it('OAU-01 shows an error page also with prompt=none and form_post, where errors otherwise go to the client', async () => {
    for (const more of [{ prompt: 'none' }, { response_mode: 'form_post' }, { response_type: 'token' }]) {
      const page = await world.visitor.send(
        authorizeAddress(world.module, { redirect_uri: 'https://evil.example/', ...more }),
      );
      expectErrorPage(page);
      expect(page.body).not.toContain('evil.example');
    }
  });

  it('OAU-01 lets the port of a loopback address of a native client vary, and nothing else of it', async () => {
    const answer = async (redirect_uri: string) => world.visitor.open(authorizeAddress(native, { redirect_uri }));
    for (const uri of ['http://127.0.0.1:51004/callback', 'http://127.0.0.1/callback', 'http://[::1]:9/callback']) {
      const page = await answer(uri);
      expect(page.headers.location).toMatch(/\?code=/);
      expect(page.headers.location?.startsWith(uri)).toBe(true);
    }
    for (const uri of [
      'http://127.0.0.1:51004/callback/',
      'http://127.0.0.1:51004/other',
      'http://127.0.0.1:51004/callback?x=1',
      'http://localhost:51004/callback',
      'http://127.0.0.2:51004/callback',
      'https://127.0.0.1:51004/callback',
      'http://127.0.0.1:51004@evil.example/callback',
      'http://127.0.0.1.evil.example:51004/callback',
    ])
      expectErrorPage(await answer(uri));
  });

  it('OAU-01 lets no port vary for a web client', async () => {
    const web = await makeModule(world.app, [world.company], { redirect_uris: ['http://localhost:4000/callback'] });
    expectErrorPage(
      await world.visitor.send(authorizeAddress(web, { redirect_uri: 'http://localhost:4001/callback' })),
    );
  });
});

describe('OAU-02 duplicated parameters', () => {
  const parameters: [name: string, value: string][] = [
    ['client_id', 'another'],
    ['redirect_uri', 'https://evil.example/'],
    ['response_type', 'code'],
    ['scope', 'openid'],
    ['state', 'state-2'],
    ['code_challenge', 'x'.repeat(43)],
  ];

  it.each(parameters)('OAU-02 refuses a second %s at the authorization endpoint', async (name, value) => {
    const twice = `${authorizeAddress(world.module)}&${new URLSearchParams({ [name]: value })}`;
    const page = await world.visitor.send(twice);
    expect(page.headers.location ?? '').not.toContain('code=');
    expect(page.headers.location ?? '').not.toContain('evil.example');
    // Which client, where to: unclear, so nobody is sent anywhere. All else is told to the client as its mistake.
    if (['client_id', 'redirect_uri'].includes(name)) expectErrorPage(page);
    else expect(answerOf(page).get('error')).toBe('invalid_request');
  });

  it.each(['client_id', 'redirect_uri', 'code', 'grant_type', 'code_verifier'])(
    'OAU-02 refuses a second %s at the token endpoint with 400',
    async (name) => {
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        code: 'a-code',
        redirect_uri: world.module.redirectUri,
        client_id: world.module.clientId,
        client_secret: world.module.clientSecret,
        code_verifier: 'v'.repeat(43),
      });
      body.append(name, body.get(name) ?? '');
      const page = await world.app.visitor().send('/token', {
        body: body.toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      });
      expect(page.status).toBe(400);
      expect(JSON.parse(page.body).error).toBe('invalid_request');
    },
  );
});

describe('OAU-03 what can be registered', () => {
  const register = (metadata: object) =>
    createModule(world.app.operator(), { name: 'New', metadata }, world.app.runtime.complaint);

  it.each([
    'http://module.example/callback',
    'http://10.0.0.5/callback',
    'http://localhost.evil.example/callback',
    'http://127.0.0.1.evil.example/callback',
    'javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'ftp://module.example/callback',
    'https://module.example/callback#fragment',
    'https://module.example/callback#',
    'https://*.module.example/callback',
    'https://module.example/*',
    'https://user:secret@module.example/callback',
    '/callback',
    'module.example/callback',
    '',
  ])('OAU-03 refuses %s as redirect_uri', async (uri) => {
    await expect(register({ redirect_uris: [uri] })).rejects.toMatchObject({ code: 'invalid' });
    await expect(
      register({ redirect_uris: ['https://module.example/ok'], post_logout_redirect_uris: [uri] }),
    ).rejects.toMatchObject({ code: 'invalid' });
  });

  it('OAU-03 refuses http on loopback for a web client once the provider itself is on https', async () => {
    const secure = await startApp({ environment: { PUBLIC_URL: 'https://login.example' } });
    const there = (application_type: string) =>
      createModule(
        secure.operator(),
        { name: 'New', metadata: { application_type, redirect_uris: ['http://localhost:4000/callback'] } },
        secure.runtime.complaint,
      );
    await expect(there('web')).rejects.toMatchObject({ code: 'invalid' });
    await expect(there('native')).resolves.toBeDefined();
    await secure.stop();
  });

  it('OAU-03 takes https, and http on loopback for a native client', async () => {
    await expect(register({ redirect_uris: ['https://module.example/callback'] })).resolves.toBeDefined();
    await expect(
      register({
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback', 'http://[::1]/callback'],
      }),
    ).resolves.toBeDefined();
  });
});
