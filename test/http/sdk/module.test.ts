import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createModule, type LoginModule, type LogoutAnswer, type ModuleOptions } from '../../../src/sdk/module.ts';
import { type BareProvider, type LoopbackServer, startBareProvider, startServer } from './bare-provider.ts';
import { Browser } from './browser.ts';

interface Program {
  kit: LoginModule;
  server: LoopbackServer;
  heard: LogoutAnswer[];
}

const programs = new Map<string, Program>();
let bare: BareProvider;
let browser: Browser;

/** A module of the smallest kind: the five routes, and one page that says whose session it is. */
function createProgram(server: LoopbackServer, options: Omit<ModuleOptions, 'redirectUri' | 'secret'>): Program {
  const kit = createModule({
    ...options,
    redirectUri: `${server.url}/callback`,
    postLogoutRedirectUri: `${server.url}/bye`,
    secret: `secret of ${options.clientId}, more than thirty-two characters`,
    cookieName: `${options.clientId}_session`,
    scope: 'openid profile email offline_access',
  });
  const heard: LogoutAnswer[] = [];
  const handle = kit.handler({
    accept: ({ user }) =>
      user.email === 'stranger@acme.example'
        ? { enter: false, location: '/no-account' }
        : { enter: true, data: { at: 'door' } },
    failed: ({ code }) => `/failed?code=${code}`,
    heardLogout: (answer) => heard.push(answer),
  });
  server.use((request, response) => void serve(request, response));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray()).toString('utf8');
    const answer = await handle({
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: request.headers,
      body,
    });
    if (answer) return void response.writeHead(answer.status, answer.headers).end(answer.body);
    const reading = await kit.sessions.read(request.headers.cookie);
    const fresh =
      reading.state === 'live' && request.url === '/fresh' ? await kit.sessions.freshen(reading.session) : reading;
    response.writeHead(200).end(JSON.stringify({ path: request.url, ...fresh }));
  }
  return { kit, server, heard };
}

beforeAll(async () => {
  const servers = await Promise.all([startServer(), startServer(), startServer()]);
  const [workplace, helpdesk, phone] = servers.map((server) => ({
    redirect_uris: [`${server.url}/callback`],
    post_logout_redirect_uris: [`${server.url}/bye`],
    backchannel_logout_uri: `${server.url}/backchannel-logout`,
    backchannel_logout_session_required: true,
    require_auth_time: true,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code' as const],
  }));
  bare = await startBareProvider([
    { ...workplace, client_id: 'workplace', client_secret: 'w+/= %&secret' },
    { ...helpdesk, client_id: 'helpdesk', client_secret: 'helpdesk-secret', id_token_signed_response_alg: 'ES256' },
    { ...phone, client_id: 'phone', token_endpoint_auth_method: 'none', id_token_signed_response_alg: 'EdDSA' },
  ]);
  const { issuer } = bare;
  const [one, two, three] = servers as [LoopbackServer, LoopbackServer, LoopbackServer];
  programs.set('workplace', createProgram(one, { issuer, clientId: 'workplace', clientSecret: 'w+/= %&secret' }));
  const post = { responseMode: 'form_post' } as const;
  programs.set(
    'helpdesk',
    createProgram(two, { issuer, clientId: 'helpdesk', clientSecret: 'helpdesk-secret', ...post }),
  );
  programs.set('phone', createProgram(three, { issuer, clientId: 'phone' }));
});

afterAll(async () => {
  await Promise.all([bare.close(), ...[...programs.values()].map(({ server }) => server.close())]);
});

beforeEach(() => {
  browser = new Browser();
  bare.visitor.accountId = 'ada';
  bare.lifetime.accessTokenSeconds = 600;
  bare.people.clear();
  bare.people.set('ada', {
    email: 'ada@acme.example',
    email_verified: true,
    name: 'Ada Root',
    zoneinfo: 'Europe/Berlin',
    company_id: 'company-1',
    company_role: 'Admin',
    groups: ['Technicians'],
  });
});

function program(name: string): Program {
  const found = programs.get(name);
  if (!found) throw new Error(`no program ${name}`);
  return found;
}

const at = (name: string, path: string) => program(name).server.url + path;

/** Signs in from the module's own button, and follows a posted answer as a browser's script would. */
async function signIn(name: string, path = '/login/start?return_to=/desk') {
  const page = await browser.open(at(name, path));
  const { origin } = new URL(page.url);
  return origin === bare.issuer && page.text.includes('<form') ? browser.submit(page) : page;
}

async function whoAmI(name: string, path = '/me') {
  return JSON.parse((await browser.open(at(name, path))).text);
}

describe('against a bare oidc-provider, the kit', () => {
  it.each([
    ['workplace', 'client_secret_basic, RS256'],
    ['helpdesk', 'form_post, ES256'],
    ['phone', 'no secret, EdDSA'],
  ])('signs in to %s (%s)', async (name) => {
    const page = await signIn(name);
    expect(page.url).toBe(at(name, '/desk'));
    expect(await whoAmI(name)).toMatchObject({
      state: 'live',
      session: {
        data: { at: 'door' },
        user: {
          sub: 'ada',
          email: 'ada@acme.example',
          emailVerified: true,
          zoneinfo: 'Europe/Berlin',
          companyId: 'company-1',
          companyRole: 'Admin',
          groups: ['Technicians'],
          acr: 'mfa',
          sid: expect.any(String),
          authTime: expect.any(Number),
        },
        tokens: { refreshToken: expect.any(String) },
      },
    });
    expect([...browser.cookies(page.url).keys()].filter((cookie) => cookie.includes('signin'))).toEqual([]);
  });

  it('signs in to a second module without a prompt (A8.4)', async () => {
    await signIn('workplace');
    // Whoever the login page would let in now, it is not asked.
    bare.visitor.accountId = 'somebody else';
    await signIn('phone');
    expect((await whoAmI('phone')).session.user.sub).toBe('ada');
  });

  it('keeps two sign-ins apart that run in two tabs', async () => {
    const first = await browser.request(at('workplace', '/login/start?return_to=/first'));
    const second = await browser.request(at('workplace', '/login/start?return_to=/second'));
    expect((await browser.open(first.headers.get('location') ?? '')).url).toBe(at('workplace', '/first'));
    expect((await browser.open(second.headers.get('location') ?? '')).url).toBe(at('workplace', '/second'));
  });

  it('does not heap up cookies of sign-ins that were left', async () => {
    for (let round = 0; round < 12; round += 1) await browser.request(at('workplace', '/login/start'));
    const names = [...browser.cookies(at('workplace', '/')).keys()];
    expect(names.filter((name) => name.startsWith('workplace_session_signin_')).length).toBeLessThanOrEqual(5);
  });

  it('starts from a tile of the provider and lands on the page behind it', async () => {
    const target = encodeURIComponent(at('workplace', '/tickets?id=7'));
    const page = await signIn(
      'workplace',
      `/initiate-login?iss=${encodeURIComponent(bare.issuer)}&target_link_uri=${target}`,
    );
    expect(page.url).toBe(at('workplace', '/tickets?id=7'));
    const foreign = await browser.open(
      at('workplace', `/initiate-login?iss=${encodeURIComponent('https://evil.example')}`),
    );
    expect(foreign.url).toBe(at('workplace', '/failed?code=initiation_refused'));
  });

  it('shows a refusal of the provider as a code, and one of the module as its own page', async () => {
    bare.visitor.accountId = null;
    expect((await signIn('workplace')).url).toBe(at('workplace', '/failed?code=access_denied'));
    bare.visitor.accountId = 'stranger';
    bare.people.set('stranger', { email: 'stranger@acme.example', email_verified: true });
    expect((await signIn('workplace')).url).toBe(at('workplace', '/no-account'));
    expect(await whoAmI('workplace')).toMatchObject({ state: 'none' });
  });

  it('does not take an answer twice, nor one that was stolen into another browser (WEB-02)', async () => {
    const { trail } = await signIn('workplace');
    const answer = trail.find((url) => url.startsWith(at('workplace', '/callback'))) ?? '';
    expect((await browser.open(answer)).url).toContain('code=transaction_missing');
    expect((await new Browser().open(answer)).url).toContain('code=transaction_missing');
  });

  it('begins each sign-in under a new session and ends the one before (WEB-02)', async () => {
    await signIn('workplace');
    const before = browser.cookies(at('workplace', '/')).get('workplace_session');
    await signIn('workplace');
    expect(browser.cookies(at('workplace', '/')).get('workplace_session')).not.toBe(before);
    const old = await fetch(at('workplace', '/me'), { headers: { cookie: `workplace_session=${before}` } });
    expect(await old.json()).toMatchObject({ state: 'ended' });
  });

  it('renews tokens with rotation, and takes over what changed at the provider', async () => {
    bare.lifetime.accessTokenSeconds = 20;
    await signIn('workplace');
    const before = (await whoAmI('workplace')).session;
    bare.people.set('ada', { email: 'ada@acme.example', email_verified: true, groups: ['Admins'] });
    const after = (await whoAmI('workplace', '/fresh')).session;
    expect(after.user).toMatchObject({ groups: ['Admins'], sid: before.user.sid });
    expect(after.tokens.accessToken).not.toBe(before.tokens.accessToken);
  });

  it('asks once when twenty requests come at the same moment, so that rotation is not taken for theft', async () => {
    bare.lifetime.accessTokenSeconds = 20;
    await signIn('phone');
    bare.lifetime.accessTokenSeconds = 600;
    const readings = await Promise.all(Array.from({ length: 20 }, () => whoAmI('phone', '/fresh')));
    expect(new Set(readings.map(({ session }) => session?.tokens.refreshToken)).size).toBe(1);
    expect(await whoAmI('phone', '/fresh')).toMatchObject({ state: 'live' });
  });

  it('ends the session when the provider no longer knows the person (OAU-18)', async () => {
    bare.lifetime.accessTokenSeconds = 20;
    await signIn('workplace');
    bare.people.delete('ada');
    expect(await whoAmI('workplace', '/fresh')).toMatchObject({ state: 'ended', reason: 'provider' });
    expect(await whoAmI('workplace')).toMatchObject({ state: 'ended', reason: 'provider' });
  });

  it('logs out everywhere: here, at the provider, and by back channel in the other module', async () => {
    await signIn('workplace');
    await signIn('helpdesk');
    const heard = program('helpdesk').heard.length;
    const headers = { origin: program('workplace').server.url };
    const question = await browser.open(at('workplace', '/logout'), { method: 'POST', headers });
    expect(new URL(question.url).origin).toBe(bare.issuer);
    expect((await whoAmI('workplace')).state).toBe('none');
    const goodbye = await browser.submit(question, { logout: 'yes' });
    expect(goodbye.url).toBe(at('workplace', '/bye?state=logged-out'));
    await expect.poll(() => program('helpdesk').heard.length).toBe(heard + 1);
    expect(program('helpdesk').heard.at(-1)).toMatchObject({ status: 200, error: null });
    expect(await whoAmI('helpdesk')).toMatchObject({ state: 'ended', reason: 'provider' });
  });

  it('logs out of a session nobody can forge a request for (WEB-06)', async () => {
    await signIn('workplace');
    const from = (headers: Record<string, string>) =>
      browser.request(at('workplace', '/logout'), { method: 'POST', headers });
    expect((await from({})).status).toBe(403);
    expect((await from({ origin: 'null' })).status).toBe(403);
    expect((await from({ origin: program('helpdesk').server.url, 'sec-fetch-site': 'same-site' })).status).toBe(403);
    expect((await browser.request(at('workplace', '/logout'))).status).toBe(405);
    expect((await whoAmI('workplace')).state).toBe('live');
    expect((await from({ 'sec-fetch-site': 'same-origin' })).status).toBe(303);
  });

  it('answers a bad logout token with 400 and no-store, and knows its methods (WEB-11, WEB-14)', async () => {
    const url = at('workplace', '/backchannel-logout');
    const answer = await fetch(url, { method: 'POST', body: new URLSearchParams({ logout_token: 'a.b.c' }) });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([400, 'no-store']);
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' });
    const got = await fetch(url);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
  });
});
