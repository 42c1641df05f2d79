// B.5, C27: OpenID Connect towards an upstream. One side is an oidc-provider that nobody here wrote, the other one lies on demand.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { ConnectionId } from '../../../src/domain/federation/connection.ts';
import {
  clientSecretPurpose,
  findConnection,
  type StoredConnection,
} from '../../../src/domain/federation/connection-repository.ts';
import { sentenceFor } from '../../../src/domain/federation/problem.ts';
import { sealAnew } from '../../../src/jobs/reseal.ts';
import { newId } from '../../../src/lib/ids.ts';
import { createOutgoing } from '../../../src/lib/outgoing.ts';
import { createKeyring } from '../../../src/lib/secrets.ts';
import type { Begun, Finished } from '../../../src/web/sso/connector.ts';
import { OidcProblem } from '../../../src/web/sso/oidc-configuration.ts';
import { createOidcConnector, oidcRedirectUri } from '../../../src/web/sso/oidc-connector.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { oidcAttributes } from '../../support/federation.ts';
import { testKey } from '../../support/keys.ts';
import { makeCompany } from '../../support/people.ts';
import {
  type Liar,
  type ProviderUpstream,
  startLiar,
  startProvider,
  type Upstream,
} from '../../support/upstream-oidc.ts';

let app: TestApp;
let company: Company;
let provider: ProviderUpstream;
let full: ProviderUpstream;
let liar: Liar;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app);
  const redirectUri = oidcRedirectUri(app.url, company.id);
  const ada = {
    email: 'ada@northwind.example',
    email_verified: true,
    given_name: 'Ada',
    family_name: 'Lovelace',
    preferred_username: 'ada.l',
    groups: ['Engineers', 'Everybody'],
    department: 'Analysis',
  };
  const accounts = { ada, ben: { ...ada, groups: [] }, carl: { email: 'carl@northwind.example' } };
  provider = await startProvider([redirectUri], accounts);
  full = await startProvider([redirectUri], accounts, { inIdToken: true });
}, 60_000);
afterAll(async () => {
  await Promise.all([provider, full, liar].map((one) => one?.stop()));
  await app.stop();
});
beforeEach(async () => {
  await liar?.stop();
  liar = await startLiar();
});

async function connect(
  upstream: Upstream,
  more: Partial<typeof oidcAttributes> = {},
  of: Company = company,
): Promise<StoredConnection> {
  const id: ConnectionId = newId();
  const sealed = app.runtime.keyring.seal(clientSecretPurpose, upstream.clientSecret);
  await app.runtime.store.of(of.id).connections.insert(
    id,
    {
      name: `Upstream ${id}`,
      settings: {
        kind: 'oidc',
        issuer: upstream.issuer,
        clientId: upstream.clientId,
        scopes: 'openid email profile',
        logoutReturns: false,
      },
      attributes: { ...oidcAttributes, ...more },
      creation: { on: false, role: 'User', groupIds: [] },
      asksSecondFactor: false,
      mapping: false,
    },
    sealed,
    app.clock.now(),
  );
  const connection = await findConnection(app.runtime.db, id);
  if (!connection) throw new Error('the connection is gone');
  return connection;
}

const connector = createOidcConnector();
const means = () => ({ outgoing: app.runtime.outgoing });

async function begin(connection: StoredConnection, isAnew = false): Promise<Begun & { requestId: string }> {
  const requestId = `_${newId()}`;
  const ask = { requestId, loginHint: 'ada@northwind.example', isAnew, isTest: false };
  return { requestId, ...(await connector.begin(app.operator(), means(), connection, ask)) };
}

const finish = (connection: StoredConnection, { requestId, state }: Begun & { requestId: string }, url: URL) =>
  connector.finish(
    app.operator(),
    means(),
    connection,
    { kind: 'oidc', url },
    { requestId, at: app.clock.now(), state },
  );

/** The liar's answer to an honest question. */
async function lieTo(more: Record<string, string | null> = {}, isAnew = false): Promise<Finished> {
  const connection = await connect(liar);
  const begun = await begin(connection, isAnew);
  return finish(connection, begun, liar.callback(begun.address, more));
}

describe('against oidc-provider as upstream', () => {
  it('asks with code, PKCE, state, nonce, the hint and a callback of the company alone', async () => {
    const { address, requestId, state } = await begin(await connect(provider));
    const { searchParams: query, origin } = new URL(address);
    expect(origin).toBe(provider.issuer);
    expect(query.get('response_type')).toBe('code');
    expect(query.get('code_challenge_method')).toBe('S256');
    expect(query.get('code_challenge')).toBe(app.runtime.challengeOf(state.verifier ?? ''));
    expect(query.get('state')).toBe(requestId);
    expect(query.get('nonce')).toBe(state.nonce);
    expect(query.get('login_hint')).toBe('ada@northwind.example');
    expect(query.get('redirect_uri')).toBe(`${app.url}/sso/oidc/callback/${company.id}`);
    expect(address).not.toContain(state.verifier);
    expect(address).not.toContain(provider.clientSecret);
  });

  it.each([
    ['userinfo has what the ID token lacks', () => provider, ['ID token', 'userinfo']],
    ['the ID token has it all, and nothing more is asked', () => full, ['ID token']],
  ] as const)('a person arrives with all claims: %s', async (_, upstream, asked) => {
    const connection = await connect(upstream());
    const begun = await begin(connection);
    const finished = await finish(connection, begun, await upstream().authorize(begun.address, 'ada'));
    expect(finished).toMatchObject({
      outcome: 'arrived',
      issuer: upstream().issuer,
      assertion: null,
      claims: {
        subject: 'ada',
        email: 'ada@northwind.example',
        username: 'ada.l',
        firstName: 'Ada',
        lastName: 'Lovelace',
        groups: { state: 'list', values: ['Engineers', 'Everybody'] },
        other: { department: ['Analysis'] },
      },
      details: { asked: [...asked], alg: 'RS256' },
    });
    expect(JSON.stringify(finished.details)).not.toMatch(/eyJ|Lovelace/);
  });

  it('C22 an empty list is a list, and a missing one is missing', async () => {
    const connection = await connect(provider);
    for (const [who, groups] of [
      ['ben', { state: 'list', values: [] }],
      ['carl', { state: 'missing' }],
    ] as const) {
      const begun = await begin(connection);
      const finished = await finish(connection, begun, await provider.authorize(begun.address, who));
      expect(finished).toMatchObject({ outcome: 'arrived', claims: { subject: who, groups } });
    }
  });

  it('proves anew when asked: prompt and max_age go out, auth_time is looked at', async () => {
    const connection = await connect(provider);
    const begun = await begin(connection, true);
    expect(new URL(begun.address).searchParams.get('max_age')).toBe('0');
    const finished = await finish(connection, begun, await provider.authorize(begun.address, 'ada'));
    expect(finished.outcome).toBe('arrived');
  });

  it('a code is good once, whoever brings it again', async () => {
    const connection = await connect(provider);
    const begun = await begin(connection);
    const url = await provider.authorize(begun.address, 'ada');
    expect((await finish(connection, begun, url)).outcome).toBe('arrived');
    expect(await finish(connection, begun, url)).toMatchObject({
      outcome: 'problem',
      problem: 'upstream-error',
      details: { error: 'invalid_grant' },
    });
  });

  it('a code of another sign-in is worth nothing: PKCE and state', async () => {
    const connection = await connect(provider);
    const [mine, theirs] = [await begin(connection), await begin(connection)];
    const url = await provider.authorize(theirs.address, 'ada');
    expect(await finish(connection, mine, url)).toMatchObject({ outcome: 'problem', problem: 'not-asked' });
    url.searchParams.set('state', mine.requestId);
    expect(await finish(connection, mine, url)).toMatchObject({ outcome: 'problem', problem: 'upstream-error' });
  });

  it('tells what the upstream said when it refuses, to the log', async () => {
    const connection = await connect(provider);
    const begun = await begin(connection);
    const url = new URL(oidcRedirectUri(app.url, company.id));
    url.search = new URLSearchParams({
      state: begun.requestId,
      iss: provider.issuer,
      error: 'access_denied',
      error_description: 'x'.repeat(1000),
    }).toString();
    const finished = await finish(connection, begun, url);
    expect(finished).toMatchObject({
      outcome: 'problem',
      problem: 'upstream-error',
      details: { error: 'access_denied' },
    });
    expect(JSON.stringify(finished.details).length).toBeLessThan(500);
  });

  it('a wrong client secret is a problem of the upstream, not a page of ours that breaks', async () => {
    const connection = await connect({ ...provider, clientSecret: 'wrong' });
    const begun = await begin(connection);
    expect(await finish(connection, begun, await provider.authorize(begun.address, 'ada'))).toMatchObject({
      outcome: 'problem',
      problem: 'upstream-error',
      details: { error: 'invalid_client' },
    });
  });
});

describe('against an upstream that lies', () => {
  it('without a lie somebody arrives', async () => {
    expect(await lieTo()).toMatchObject({
      outcome: 'arrived',
      claims: { subject: 'ada', email: 'ada@northwind.example' },
    });
  });

  const now = () => Math.floor(Date.now() / 1000);
  it.each<[string, (lies: Liar['lies']) => void, string]>([
    ['none, unsigned', (lies) => Object.assign(lies, { header: { alg: 'none' }, signature: 'unsigned' }), 'algorithm'],
    [
      'none, although its metadata offers it',
      (lies) =>
        Object.assign(lies, {
          metadata: { id_token_signing_alg_values_supported: ['RS256', 'none'] },
          header: { alg: 'none' },
          signature: 'unsigned',
        }),
      'algorithm',
    ],
    [
      'HS256 with the client secret',
      (lies) =>
        Object.assign(lies, {
          metadata: { id_token_signing_alg_values_supported: ['RS256', 'HS256'] },
          header: { alg: 'HS256' },
          signature: 'hmac-secret',
        }),
      'algorithm',
    ],
    [
      'HS256 with the public key as secret (key confusion)',
      (lies) => Object.assign(lies, { header: { alg: 'HS256' }, signature: 'hmac-key' }),
      'algorithm',
    ],
    ['the key of somebody else', (lies) => Object.assign(lies, { signature: 'other-key' }), 'signature'],
    ['a spoiled signature', (lies) => Object.assign(lies, { signature: 'spoiled' }), 'signature'],
    ['a key that nobody published', (lies) => Object.assign(lies, { header: { kid: 'two' } }), 'certificate'],
    ['no keys at all', (lies) => Object.assign(lies, { jwks: { keys: [] } }), 'certificate'],
    ['another issuer', (lies) => Object.assign(lies, { claims: { iss: 'https://elsewhere.example' } }), 'issuer'],
    ['another audience', (lies) => Object.assign(lies, { claims: { aud: 'somebody-else' } }), 'audience'],
    [
      'several audiences, meant for another',
      (lies) => Object.assign(lies, { claims: { aud: ['unified-login', 'other'], azp: 'other' } }),
      'audience',
    ],
    ['another nonce', (lies) => Object.assign(lies, { claims: { nonce: 'of-somebody-else' } }), 'not-asked'],
    ['no nonce', (lies) => Object.assign(lies, { claims: { nonce: undefined } }), 'not-asked'],
    ['run out', (lies) => Object.assign(lies, { claims: { exp: now() - 600 } }), 'expired'],
    ['not yet', (lies) => Object.assign(lies, { claims: { nbf: now() + 600 } }), 'clock-skew'],
    [
      'at_hash of another token',
      (lies) => Object.assign(lies, { claims: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } }),
      'signature',
    ],
    ['no subject', (lies) => Object.assign(lies, { claims: { sub: undefined } }), 'malformed'],
    ['no ID token', (lies) => Object.assign(lies, { token: { id_token: undefined } }), 'malformed'],
    ['an error at the token endpoint', (lies) => Object.assign(lies, { tokenStatus: 500 }), 'upstream-error'],
  ])('refuses %s', async (_, lie, problem) => {
    lie(liar.lies);
    expect(await lieTo()).toMatchObject({ outcome: 'problem', problem });
  });

  it('takes an at_hash that fits', async () => {
    const hash = createHash('sha256').update('an-access-token').digest().subarray(0, 16).toString('base64url');
    liar.lies.claims = { at_hash: hash };
    expect((await lieTo()).outcome).toBe('arrived');
  });

  it('mix-up: an answer that names another upstream, or none where one is announced (RFC 9207)', async () => {
    expect(await lieTo({ iss: 'https://elsewhere.example' })).toMatchObject({ outcome: 'problem', problem: 'issuer' });
    expect(await lieTo({ iss: null })).toMatchObject({ outcome: 'problem', problem: 'issuer' });
    expect(liar.taken).toEqual([]);
  });

  it('mix-up: a code that came back by the callback of another company never reaches this token endpoint', async () => {
    const mean = await makeCompany(app);
    const theirs = await connect(liar, {}, mean);
    const begun = await begin(theirs);
    // The mean upstream sent the browser on to the honest one, which answers at the only callback that it knows.
    const honest = new URL(oidcRedirectUri(app.url, company.id));
    honest.search = new URLSearchParams({ code: 'of-the-honest-one', state: begun.requestId }).toString();
    expect(await finish(theirs, begun, honest)).toMatchObject({ outcome: 'problem', problem: 'issuer' });
    expect(liar.taken).toEqual([]);
  });

  it('asked to prove anew, an old session at the upstream is none', async () => {
    liar.lies.claims = { auth_time: now() - 3600 };
    expect(await lieTo({}, true)).toMatchObject({ outcome: 'arrived', stale: { claim: 'auth_time' } });
    liar.lies.claims = {};
    expect(await lieTo({}, true)).toMatchObject({ outcome: 'arrived', stale: { claim: 'auth_time' } });
    liar.lies.claims = { auth_time: now() };
    expect(await lieTo({}, true)).toMatchObject({ outcome: 'arrived', stale: null });
  });

  it('userinfo of somebody else counts for nothing', async () => {
    liar.lies.metadata = { userinfo_endpoint: `${liar.issuer}/userinfo` };
    liar.lies.userinfo = { sub: 'eve', groups: ['Admins'] };
    expect(await lieTo()).toMatchObject({ outcome: 'problem', problem: 'upstream-error' });
    liar.lies.userinfo = { sub: 'ada', groups: ['Engineers'], email: 'eve@northwind.example' };
    // What is signed comes first.
    expect(await lieTo()).toMatchObject({
      outcome: 'arrived',
      claims: { email: 'ada@northwind.example', groups: { state: 'list', values: ['Engineers'] } },
    });
  });

  it.each<[string, Record<string, unknown>, unknown]>([
    [
      'a link in place of them (Entra ID)',
      { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.example' } } },
      { state: 'overage' },
    ],
    ['too many even for a link', { hasgroups: true }, { state: 'overage' }],
    ['nothing', {}, { state: 'missing' }],
    ['null', { groups: null }, { state: 'missing' }],
    ['objects', { groups: [{ id: 1 }] }, { state: 'missing' }],
    ['one as text', { groups: 'Engineers' }, { state: 'list', values: ['Engineers'] }],
    ['an empty list', { groups: [] }, { state: 'list', values: [] }],
    ['a list, with doubles', { groups: ['a', 'b', 'a'] }, { state: 'list', values: ['a', 'b'] }],
  ])('C22 groups: %s', async (_, claims, groups) => {
    liar.lies.claims = claims;
    const before = liar.asked.length;
    expect(await lieTo()).toMatchObject({ outcome: 'arrived', claims: { groups } });
    // Nobody follows the link: it would be an address that a stranger has named.
    expect(liar.asked.slice(before)).not.toContain('/graph');
  });

  it('C28 an address that the upstream itself calls unverified is none', async () => {
    liar.lies.claims = { email_verified: false };
    expect(await lieTo()).toMatchObject({ outcome: 'arrived', claims: { email: null } });
  });

  it('names that mean something to JavaScript are claims like others', async () => {
    liar.lies.claims = JSON.parse(
      '{"__proto__": {"email": "eve@northwind.example"}, "constructor": "x", "a": [1, true, {"b": 2}]}',
    );
    const finished = await lieTo();
    expect(finished).toMatchObject({ outcome: 'arrived', claims: { email: 'ada@northwind.example' } });
    expect(finished.outcome === 'arrived' && finished.claims.other).toMatchObject({ a: ['1', 'true', '{"b":2}'] });
    expect(({} as { email?: string }).email).toBeUndefined();
  });
});

describe('API-11 what is fetched', () => {
  const refusal = async (connection: StoredConnection, outgoing = app.runtime.outgoing) => {
    const ask = { requestId: '_1', loginHint: null, isAnew: false, isTest: false };
    const error = await connector.begin(app.operator(), { outgoing }, connection, ask).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OidcProblem);
    return error as OidcProblem; // as: checked on the line above
  };
  const strict = createOutgoing({ mayReachLoopback: false });

  it('nothing inside our network, nothing without TLS', async () => {
    const at = (issuer: string) => connect({ ...liar, issuer });
    expect(await refusal(await connect(liar), strict)).toMatchObject({
      problem: 'upstream-unreachable',
      details: { reason: 'refused-address' },
    });
    for (const issuer of ['https://169.254.169.254', 'https://10.0.0.7', 'https://[::1]', 'https://0x7f000001'])
      expect((await refusal(await at(issuer), strict)).details, issuer).toMatchObject({ reason: 'refused-address' });
    expect((await refusal(await at('http://idp.example'))).problem).toBe('upstream-error');
    expect((await refusal(await at('https://user:pass@idp.example'))).problem).toBe('upstream-error');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an issuer that is another', { issuer: 'https://elsewhere.example' }, 'other-issuer'],
    ['an issuer for all tenants', { issuer: 'http://localhost/{tenantid}/v2.0' }, 'other-issuer'],
    ['an issuer that is no address', { issuer: 'Contoso' }, 'no-configuration'],
    ['no issuer', { issuer: undefined }, 'no-configuration'],
    ['a login page that is a script', { authorization_endpoint: 'javascript:alert(1)' }, 'upstream-error'],
    ['a token endpoint without TLS', { token_endpoint: 'http://idp.example/token' }, 'upstream-error'],
    ['keys in a file', { jwks_uri: 'file:///etc/passwd' }, 'upstream-error'],
    ['no keys', { jwks_uri: undefined }, 'upstream-error'],
    ['algorithms that are no list', { id_token_signing_alg_values_supported: 'RS256' }, 'upstream-error'],
    ['ways to prove a client that are no list', { token_endpoint_auth_methods_supported: { a: 1 } }, 'upstream-error'],
    ['only algorithms that are not safe', { id_token_signing_alg_values_supported: ['HS256', 'none'] }, 'algorithm'],
  ])('metadata with %s', async (_, metadata, problem) => {
    liar.lies.metadata = metadata;
    expect((await refusal(await connect(liar))).problem).toBe(problem);
  });

  it.each<[string, number, string, RegExp]>([
    ['nothing is there', 404, 'no-configuration', /^There is no OpenID configuration at /],
    ['another place is named: nobody goes there', 302, 'no-configuration', /^There is no OpenID configuration at /],
    ['a page for people is there', 200, 'no-configuration', /^There is no OpenID configuration at /],
    ['it is broken at the moment', 503, 'upstream-unreachable', /cannot be reached right now/],
    ['too many ask', 429, 'upstream-unreachable', /cannot be reached right now/],
  ])('a wrong issuer is told as what it is, with the address that was asked: %s', async (_, status, problem, words) => {
    liar.lies.discoveryStatus = status;
    const address = `${liar.issuer}/.well-known/openid-configuration`;
    const refused = await refusal(await connect(liar));
    expect(refused).toMatchObject({ problem, details: { address, status } });
    expect(sentenceFor(refused.problem, refused.details)).toMatch(words);
    if (problem === 'no-configuration') expect(sentenceFor(refused.problem, refused.details)).toContain(address);
  });

  it('the document of another issuer names it, as with a slash too many or all of it typed', async () => {
    const address = `${liar.issuer}/.well-known/openid-configuration`;
    liar.lies.metadata = { issuer: `${liar.issuer}/tenant` };
    for (const issuer of [liar.issuer, address]) {
      const { problem, details } = await refusal(await connect({ ...liar, issuer }));
      expect(sentenceFor(problem, details)).toBe(
        `The OpenID configuration at ${address} is of another issuer: ${liar.issuer}/tenant.`,
      );
    }
  });

  it('keys inside our network are not fetched, and nobody arrives', async () => {
    liar.lies.metadata = { jwks_uri: 'https://169.254.169.254/keys' };
    expect(await lieTo()).toMatchObject({ outcome: 'problem', problem: 'upstream-unreachable' });
  });

  it('a document without end is cut off (DOS-03)', async () => {
    liar.lies.discoveryBytes = 1_000_000;
    expect(await refusal(await connect(liar))).toMatchObject({
      problem: 'upstream-unreachable',
      details: { reason: 'too-large' },
    });
  });

  it('a failure is not kept: the next one asks anew', async () => {
    const connection = await connect(liar);
    liar.lies.metadata = { issuer: 'https://elsewhere.example' };
    expect((await refusal(connection)).problem).toBe('other-issuer');
    liar.lies.metadata = {};
    expect((await begin(connection)).address).toContain(liar.issuer);
  });

  it('is kept for minutes, and read anew when the connection changes', async () => {
    const connection = await connect(liar);
    await Promise.all([begin(connection), begin(connection)]);
    await begin(connection);
    expect(liar.asked).toEqual(['/.well-known/openid-configuration']);
    await begin({ ...connection, version: connection.version + 1 });
    expect(liar.asked).toHaveLength(2);
  });
});

// The last one: what it seals anew, this node's own key does not open.
describe('API-15 the client secret', () => {
  it('stands sealed in the database, and is sealed anew with the first key', async () => {
    const { id } = await connect(liar);
    const stored = async () => app.runtime.db('idp_connections').where({ id }).first();
    expect(JSON.stringify(await stored())).not.toContain(liar.clientSecret);
    const keyring = createKeyring([Buffer.alloc(32, 9), testKey]);
    expect(await sealAnew({ ...app.operator(), keyring })).toBeGreaterThan(0);
    const { sealed_secret } = await stored();
    expect(sealed_secret.startsWith(`${keyring.keyId}.`)).toBe(true);
    expect(keyring.open(clientSecretPurpose, sealed_secret)).toBe(liar.clientSecret);
    expect(() => keyring.open('another purpose', sealed_secret)).toThrow();
  });
});
