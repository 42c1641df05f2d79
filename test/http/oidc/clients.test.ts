// Libraries that modules use, with their own code doing discovery, addresses, checks and tokens; only the browser is ours.
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeModule, makePerson, type TestModule, type TestPerson } from '../../support/people.ts';
import type { Visitor } from '../../support/visitor.ts';
import { createKey } from '../../unit/sdk/issuer.ts';
import { comeBack, startWorld, type World } from './relying-party.ts';

let world: World;
let person: TestPerson;
let module: TestModule;
beforeAll(async () => {
  world = await startWorld();
  person = await makePerson(world.app, world.company);
  module = await makeModule(world.app, [world.company], {
    post_logout_redirect_uris: ['https://module.example/bye'],
  });
});
afterAll(() => world.app.stop());

const signInAt = (address: string | URL, visitor?: Visitor) => comeBack(world.app, person, address, visitor);

describe('openid-client', () => {
  /** Signatures of ID tokens are checked, too, which the library leaves out on a direct connection. */
  async function configure(of: TestModule, authentication?: openid.ClientAuth): Promise<openid.Configuration> {
    const config = await openid.discovery(
      new URL(world.app.url),
      of.clientId,
      of.clientSecret || undefined,
      authentication,
      {
        execute: [openid.allowInsecureRequests],
      },
    );
    openid.enableNonRepudiationChecks(config);
    return config;
  }

  async function begin(of: TestModule, more: Record<string, string> = {}) {
    const verifier = openid.randomPKCECodeVerifier();
    const expected = {
      pkceCodeVerifier: verifier,
      expectedState: openid.randomState(),
      expectedNonce: openid.randomNonce(),
    };
    const parameters = {
      redirect_uri: of.redirectUri,
      scope: 'openid profile email',
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: expected.expectedState,
      nonce: expected.expectedNonce,
      ...more,
    };
    return { expected: { ...expected, idTokenExpected: true }, parameters };
  }

  it('signs in, reads userinfo, refreshes, introspects, revokes, and builds the address for logging out', async () => {
    const config = await configure(module);
    expect(config.serverMetadata().supportsPKCE()).toBe(true);
    const { expected, parameters } = await begin(module);
    const callback = await signInAt(openid.buildAuthorizationUrl(config, parameters));
    const tokens = await openid.authorizationCodeGrant(config, callback, expected);
    const claims = tokens.claims();
    expect(claims).toMatchObject({ sub: person.user.id, iss: world.app.url, email: person.user.email });

    const userinfo = await openid.fetchUserInfo(config, tokens.access_token, person.user.id);
    expect(userinfo).toMatchObject({ preferred_username: person.user.username });
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(renewed.claims()?.sub).toBe(person.user.id);
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
    expect(await openid.tokenIntrospection(config, renewed.access_token)).toMatchObject({ active: true });
    await openid.tokenRevocation(config, renewed.refresh_token ?? '');
    expect(await openid.tokenIntrospection(config, renewed.access_token)).toEqual({ active: false });
    await expect(openid.refreshTokenGrant(config, renewed.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });

    const end = openid.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: 'https://module.example/bye',
    });
    expect(end.href.startsWith(`${world.app.url}/session/end?`)).toBe(true);
  });

  it('notices a changed state, a changed issuer, and an error of the provider', async () => {
    const config = await configure(module);
    const { expected, parameters } = await begin(module);
    const callback = await signInAt(openid.buildAuthorizationUrl(config, parameters));
    const mixedUp = new URL(callback);
    mixedUp.searchParams.set('iss', 'https://evil.example');
    await expect(openid.authorizationCodeGrant(config, mixedUp, expected)).rejects.toThrow();
    await expect(
      openid.authorizationCodeGrant(config, callback, { ...expected, expectedState: 'another' }),
    ).rejects.toThrow();
    const silent = await world.app
      .visitor()
      .send(openid.buildAuthorizationUrl(config, { ...parameters, prompt: 'none' }).href);
    await expect(
      openid.authorizationCodeGrant(config, new URL(silent.headers.location ?? ''), expected),
    ).rejects.toMatchObject({ error: 'login_required' });
  });

  it.each(['RS256', 'ES256', 'EdDSA'] as const)('checks ID tokens signed with %s', async (alg) => {
    const of = await makeModule(world.app, [world.company], { id_token_signed_response_alg: alg });
    const config = await configure(of);
    Object.assign(config.clientMetadata(), { id_token_signed_response_alg: alg });
    const { expected, parameters } = await begin(of, { max_age: '3600' });
    const callback = await signInAt(openid.buildAuthorizationUrl(config, parameters));
    const tokens = await openid.authorizationCodeGrant(config, callback, expected);
    expect(tokens.claims()).toMatchObject({ sub: person.user.id, amr: ['pwd', 'otp', 'mfa'] });
  });

  it('pushes its request, proves its key to the token endpoint, and uses a bound token (PAR, DPoP, private_key_jwt)', async () => {
    const key = createKey('of-the-client', 'ES256');
    const of = await makeModule(world.app, [world.company], {
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key.jwk] },
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    });
    const pkcs8 = key.privateKey.export({ format: 'der', type: 'pkcs8' });
    const imported = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
    ]);
    const config = await configure(of, openid.PrivateKeyJwt({ key: imported, kid: key.kid }));
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
    const { expected, parameters } = await begin(of);
    const address = await openid.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
    expect([...address.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    const tokens = await openid.authorizationCodeGrant(config, await signInAt(address), expected, undefined, { DPoP });
    expect(tokens.token_type).toBe('dpop');
    const userinfo = await openid.fetchUserInfo(config, tokens.access_token, person.user.id, { DPoP });
    expect(userinfo.sub).toBe(person.user.id);
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP });
    expect(renewed.token_type).toBe('dpop');
    const own = await openid.clientCredentialsGrant(config, undefined, { DPoP });
    expect(own.token_type).toBe('dpop');
  });

  it('signs in as a public client, twice in one browser, the second time without a question', async () => {
    const of = await makeModule(world.app, [world.company], { token_endpoint_auth_method: 'none' });
    const config = await configure(of, openid.None());
    const visitor = world.app.visitor();
    const first = await begin(of);
    const callback = await signInAt(openid.buildAuthorizationUrl(config, first.parameters), visitor);
    const one = await openid.authorizationCodeGrant(config, callback, first.expected);
    const again = await begin(of);
    const page = await visitor.open(openid.buildAuthorizationUrl(config, again.parameters).href);
    const two = await openid.authorizationCodeGrant(config, new URL(page.headers.location ?? ''), again.expected);
    expect(two.claims()?.sub).toBe(one.claims()?.sub);
    expect(two.claims()?.auth_time).toBe(one.claims()?.auth_time);
  });
});

describe('oauth4webapi', () => {
  it('signs in, checks the signature of the ID token, reads userinfo, refreshes, introspects and revokes', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(world.app.url);
    const found = await oauth.discoveryRequest(issuer, insecure);
    const server = await oauth.processDiscoveryResponse(issuer, found);
    const client: oauth.Client = { client_id: module.clientId };
    const authentication = oauth.ClientSecretBasic(module.clientSecret);
    const verifier = oauth.generateRandomCodeVerifier();
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const address = new URL(server.authorization_endpoint ?? '');
    address.search = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: module.redirectUri,
      response_type: 'code',
      scope: 'openid email',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    }).toString();
    const answer = oauth.validateAuthResponse(server, client, await signInAt(address), state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      authentication,
      answer,
      module.redirectUri,
      verifier,
      insecure,
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(server, response, insecure);
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    expect(claims).toMatchObject({ sub: person.user.id, email: person.user.email });

    const userinfo = await oauth.processUserInfoResponse(
      server,
      client,
      claims?.sub ?? '',
      await oauth.userInfoRequest(server, client, tokens.access_token, insecure),
    );
    expect(userinfo.email).toBe(person.user.email);
    const renewed = await oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token ?? '', insecure),
    );
    const seen = async (token: string) =>
      oauth.processIntrospectionResponse(
        server,
        client,
        await oauth.introspectionRequest(server, client, authentication, token, insecure),
      );
    expect((await seen(renewed.access_token)).active).toBe(true);
    const revoked = await oauth.revocationRequest(server, client, authentication, renewed.access_token, insecure);
    await oauth.processRevocationResponse(revoked);
    expect((await seen(renewed.access_token)).active).toBe(false);
  });
});
