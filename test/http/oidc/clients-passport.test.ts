// A library of the older kind: no discovery, no PKCE, a session on the site; its own code does the rest.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Passport } from 'passport';
import { type Profile, Strategy } from 'passport-openidconnect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../support/app.ts';
import { makeModule } from '../../support/people.ts';
import { Visitor } from '../../support/visitor.ts';
import { call, comeBack, startWorld, type World } from './relying-party.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.app.stop());

describe('passport-openidconnect', () => {
  interface Login {
    issuer: string;
    profile: Profile;
    methods: string[] | undefined;
  }

  let server: Server;
  let site: string;
  const failures: unknown[] = [];

  beforeAll(async () => {
    const port = await freePort();
    site = `http://localhost:${port}`;
    // The library knows no PKCE, so the module is registered to go without.
    const of = await makeModule(world.app, [world.company], {
      redirect_uris: [`${site}/callback`],
      require_pkce: false,
    });
    // It discovers nothing by itself, so the site reads the addresses where they are published.
    const { body: metadata } = await call(world.app, '/.well-known/openid-configuration');
    const strategy = new Strategy(
      {
        issuer: String(metadata.issuer),
        authorizationURL: String(metadata.authorization_endpoint),
        tokenURL: String(metadata.token_endpoint),
        userInfoURL: String(metadata.userinfo_endpoint),
        clientID: of.clientId,
        clientSecret: of.clientSecret,
        callbackURL: `${site}/callback`,
        scope: ['profile', 'email'],
        nonce: true,
        maxAge: 3600,
        acrValues: 'urn:unified-login:mfa',
        skipUserProfile: false,
      },
      (issuer, profile, context, _idToken, _accessToken, _refreshToken, _params, verified) =>
        verified(null, { issuer, profile, methods: context.methods } satisfies Login),
    );
    server = createServer(siteOf(new Passport().use(strategy)));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  /** The least of a web site that the library asks for: a query, and a session by cookie. */
  function siteOf(passport: Passport): Parameters<typeof createServer>[1] {
    const sessions = new Map<string, object>();
    return (request, response) => {
      const id = /sid=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? `s${sessions.size}`;
      const session = sessions.get(id) ?? {};
      sessions.set(id, session);
      response.setHeader('set-cookie', `sid=${id}; Path=/`);
      const query = Object.fromEntries(new URL(request.url ?? '', site).searchParams);
      const prepared: IncomingMessage = Object.assign(request, { query, session });
      passport.authenticate('openidconnect', { session: false }, (error, user, info) => {
        if (error || !user) failures.push(error ?? info);
        response.writeHead(user ? 200 : 401, { 'content-type': 'application/json' });
        response.end(JSON.stringify(user || null));
      })(prepared, response, () => response.writeHead(404).end());
    };
  }

  it('signs in with state and nonce, and reads the profile from userinfo', async () => {
    const browser = new Visitor(site, Number(new URL(site).port));
    const start = await browser.send('/login');
    expect(start.status).toBe(302);
    const back = await comeBack(world.app, world.person, start.headers.location ?? '');
    const page = await browser.send(back.href);
    expect(failures).toEqual([]);
    expect(page.status).toBe(200);
    const login: Login = JSON.parse(page.body);
    expect(login).toMatchObject({
      issuer: world.app.url,
      profile: {
        id: world.person.user.id,
        displayName: 'Pat Example',
        username: world.person.user.username,
        emails: [{ value: world.person.user.email }],
      },
      methods: ['pwd', 'otp', 'mfa'],
    });
  });

  it('does not take an answer into a browser that did not ask', async () => {
    const browser = new Visitor(site, Number(new URL(site).port));
    const start = await browser.send('/login');
    const back = await comeBack(world.app, world.person, start.headers.location ?? '');
    const stranger = new Visitor(site, Number(new URL(site).port));
    expect((await stranger.send(back.href)).status).toBe(401);
    failures.length = 0;
  });
});
