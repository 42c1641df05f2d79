// A module that is nothing but a page: a public client with PKCE, by the library that such pages use.
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectModule, createModule } from '../../src/domain/modules/commands.ts';
import { freePort } from '../support/app.ts';
import { useBrowser } from '../support/browser.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { type Stage, setStage } from '../support/stage.ts';
import { logIn } from '../support/steps.ts';

const library = join(import.meta.dirname, '../../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js');

describe('a single-page app', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let spa: TestPerson;
  let page: { url: string; server: Server };
  let stranger: { url: string; server: Server };
  let clientId: string;

  beforeAll(async () => {
    stage = await setStage(['spa']);
    spa = await makePerson(stage.app, stage.company, { username: 'spa' });
    const url = `http://localhost:${await freePort()}`;
    const { module } = await createModule(
      stage.app.operator(),
      {
        name: 'Notes',
        metadata: {
          redirect_uris: [`${url}/`],
          post_logout_redirect_uris: [`${url}/`],
          token_endpoint_auth_method: 'none',
          cors_origins: [url],
        },
      },
      stage.app.runtime.complaint,
    );
    clientId = module.clientId;
    await connectModule(stage.app.operator(), stage.company.id, { clientId });
    page = await serve(url);
    stranger = await serve(`http://localhost:${await freePort()}`);
  });
  afterAll(async () => {
    page?.server.close();
    stranger?.server.close();
    await stage?.stop();
  });

  /** A page that brings the library and nothing else: what an app would do is done by the story. */
  async function serve(url: string): Promise<{ url: string; server: Server }> {
    const script = await readFile(library);
    const server = createServer((request, response) => {
      if (request.url === '/oidc.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
      else
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end('<!doctype html><link rel="icon" href="data:,"><h1>Notes</h1><script src="/oidc.js"></script>');
    });
    await new Promise<void>((resolve) => server.listen(Number(new URL(url).port), '127.0.0.1', resolve));
    return { url, server };
  }

  /** Runs one line of the app's code, in which `manager` is its UserManager. */
  function app<T>(tab: Tab, code: string): Promise<T> {
    const settings = {
      authority: stage.app.url,
      client_id: clientId,
      redirect_uri: `${page.url}/`,
      post_logout_redirect_uri: `${page.url}/`,
      scope: 'openid profile email offline_access',
      loadUserInfo: true,
    };
    return tab.evaluate(`(async () => {
      const manager = new oidc.UserManager({ ...${JSON.stringify(settings)}, automaticSilentRenew: false });
      return ${code};
    })()`);
  }

  it('signs in, reads who it is, renews its tokens, and logs out', async () => {
    const tab = await browser.open();
    await tab.goto(page.url);
    await app(tab, 'void manager.signinRedirect({ state: "page 3" })');
    await tab.getByText('to continue to').waitFor();
    await logIn(tab, stage.app, spa);
    await tab.getByRole('heading', { name: 'Notes' }).waitFor();

    const user = await app<Record<string, unknown>>(
      tab,
      'await manager.signinCallback().then(({ profile, state, scope, token_type }) => ({ ...profile, state, scope, token_type }))',
    );
    expect(user).toMatchObject({
      sub: spa.user.id,
      aud: clientId,
      name: 'Pat Example',
      // Told by userinfo, which the page may ask from its own origin.
      email: 'spa@example.com',
      email_verified: true,
      state: 'page 3',
      token_type: 'Bearer',
    });

    const tokens = '(await manager.getUser())';
    const before = await app<Record<string, string>>(tab, tokens);
    await app(tab, 'void (await manager.signinSilent())');
    const after = await app<Record<string, string>>(tab, tokens);
    expect(after.access_token).not.toBe(before.access_token);
    expect(after.refresh_token).not.toBe(before.refresh_token);
    const ask = (token: string | undefined) =>
      tab.evaluate(
        `fetch('${stage.app.url}/userinfo', { headers: { authorization: 'Bearer ${token}' } }).then(({ status }) => status)`,
      );
    expect(await ask(after.access_token)).toBe(200);

    await app(tab, 'void manager.signoutRedirect({ state: "bye" })');
    await tab.waitForURL(`${page.url}/?state=*`);
    expect(await app(tab, 'await manager.signoutCallback().then((answer) => answer?.userState)')).toBe('bye');
    expect(await app(tab, 'await manager.getUser()')).toBeNull();
    await tab.goto(stage.app.url);
    await tab.getByRole('heading', { name: 'Log in' }).waitFor();
  });

  it('is told when somebody is signed in already, without a page', async () => {
    const tab = await browser.open();
    await tab.goto(stage.app.url);
    await logIn(tab, stage.app, spa);
    await tab.getByRole('heading', { name: 'Welcome, Pat' }).waitFor();
    await tab.goto(page.url);
    await app(tab, 'void manager.signinRedirect({ prompt: "none" })');
    await tab.waitForURL(`${page.url}/?code=*`);
    expect(await app(tab, 'await manager.signinCallback().then(({ profile }) => profile.sub)')).toBe(spa.user.id);
  });

  it('of another origin reads no answer of the token endpoint (OAU-12)', async () => {
    const tab = await browser.open();
    await tab.goto(stranger.url);
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: clientId });
    const ask = (tab: Tab) =>
      tab.evaluate(
        `fetch('${stage.app.url}/token', { method: 'POST', body: new URLSearchParams('${body}') }).then(({ status }) => status, () => 'kept from us')`,
      );
    expect(await ask(tab)).toBe('kept from us');
    expect(browser.takeComplaints(/CORS policy/)).toHaveLength(1);
    await tab.goto(page.url);
    expect(await ask(tab)).toBe(400);
  });
});
