// API-11: what we fetch and post on our own never reaches into the network around us.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import dns from 'node:dns';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { moduleAddressSchema } from '../../../src/domain/modules/module.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type CapturedLog, captureLog } from '../../support/log.ts';
import { Neighbour } from '../../support/neighbour.ts';
import {
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  signIn,
  type TestModule,
} from '../../support/people.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keySet = JSON.stringify({
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }],
});

describe('outgoing requests', () => {
  let app: TestApp;
  let local: TestApp;
  let captured: CapturedLog;
  const neighbour = new Neighbour();

  beforeAll(async () => {
    // The neighbour's certificate is its own; that must not be what keeps us from talking to it.
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    await neighbour.start();
    captured = captureLog();
    app = await startApp({ environment: { PUBLIC_URL: 'https://login.example' }, start: true, log: captured.log });
    local = await startApp({ start: true });
  });
  afterAll(async () => {
    await app?.stop();
    await local?.stop();
    await neighbour.stop();
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });
  beforeEach(() => {
    neighbour.hits = [];
    neighbour.answer = (_, response) => response.end(keySet);
  });
  afterEach(() => vi.restoreAllMocks());

  /** The engine's client, with addresses that our registration might refuse already. */
  interface EngineClient {
    backchannelLogout(sub: string, sid: string): Promise<void>;
    asymmetricKeyStore: { refresh(): Promise<void> };
  }
  const client = (node: TestApp, metadata: object): EngineClient => {
    const Client = node.runtime.engine.provider.Client as unknown as new (metadata: object) => EngineClient;
    return new Client({
      client_id: randomUUID(),
      redirect_uris: ['https://module.example/cb'],
      client_secret: 'x',
      response_types: ['code'],
      ...metadata,
    });
  };
  const logout = (node: TestApp, uri: string) =>
    client(node, { backchannel_logout_uri: uri }).backchannelLogout('someone', 'sid');
  const fetchKeys = (node: TestApp, uri: string) =>
    client(node, {
      jwks_uri: uri,
      token_endpoint_auth_method: 'private_key_jwt',
      client_secret: undefined,
    }).asymmetricKeyStore.refresh();

  const inside = [
    '127.0.0.1',
    '127.1.2.3',
    'localhost',
    '[::1]',
    '0.0.0.0',
    '[::]',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    'localhost.',
  ];

  it('API-11 the neighbour can be reached from here, if nobody stops us', async () => {
    for (const host of inside.filter((name) => name !== 'localhost.')) {
      const response = await fetch(`http://${host}:${neighbour.http}/`).catch(() => null);
      if (host === '127.0.0.1' || host === 'localhost') expect(response?.status, host).toBe(200);
    }
    expect((await fetch(`https://127.0.0.1:${neighbour.https}/`)).status).toBe(200);
    expect(neighbour.hits.length).toBeGreaterThan(5);
  });

  it.each(inside)(
    'API-11 back-channel logout and jwks_uri at %s: refused before anything is sent, and logged',
    async (host) => {
      for (const address of [`http://${host}:${neighbour.http}/a`, `https://${host}:${neighbour.https}/a`]) {
        const before = captured.lines().length;
        await expect(logout(app, address), address).rejects.toThrow();
        await expect(fetchKeys(app, address), address).rejects.toThrow();
        const lines = captured
          .lines()
          .slice(before)
          .filter(({ msg }) => msg === 'a module could not be reached');
        expect(lines, address).toHaveLength(2);
        expect(lines[0]?.reason, address).toMatch(/special-use|ECONNREFUSED|ENOTFOUND|EADDRNOTAVAIL|ENETUNREACH/);
      }
      expect(neighbour.hits).toEqual([]);
    },
  );

  it('API-11 addresses of private networks and of cloud metadata: nothing comes back, and nobody waits long', async () => {
    const hosts = [
      '169.254.169.254',
      '10.0.0.1',
      '172.16.0.1',
      '192.168.0.1',
      '100.64.0.1',
      '[fc00::1]',
      '[fe80::1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
    ];
    const startedAt = Date.now();
    const results = await Promise.allSettled(hosts.map((host) => logout(app, `http://${host}/latest/meta-data/`)));
    expect(results.map(({ status }) => status)).toEqual(hosts.map(() => 'rejected'));
    expect(Date.now() - startedAt).toBeLessThan(4000);
  });

  it('API-11 a name that leads inside is refused, also when it led elsewhere a moment ago', async () => {
    const lookup = dns.lookup;
    let asked = 0;
    const answers = ['127.0.0.1', '127.0.0.1', '127.0.0.1'];
    vi.spyOn(dns, 'lookup').mockImplementation(((name: string, options: object, done: (...all: unknown[]) => void) => {
      if (name !== 'rebind.example') return lookup(name, options as never, done as never);
      const address = answers[asked++ % answers.length] ?? '';
      if ('all' in options && options.all) done(null, [{ address, family: 4 }]);
      else done(null, address, 4);
    }) as unknown as typeof dns.lookup);
    expect((await fetch(`http://rebind.example:${neighbour.http}/`)).status, 'the name works').toBe(200);
    neighbour.hits = [];
    // What is judged is the address of the connection itself, so there is no moment between the look and the leap.
    await expect(logout(app, `http://rebind.example:${neighbour.http}/`)).rejects.toThrow();
    await expect(fetchKeys(app, `http://rebind.example:${neighbour.http}/`)).rejects.toThrow();
    await expect(
      logout(local, `http://rebind.example:${neighbour.http}/`),
      'on a developer’s machine, too',
    ).rejects.toThrow();
    expect(asked).toBeGreaterThan(2);
    expect(neighbour.hits).toEqual([]);
  });

  it('API-11 on a developer’s machine modules on loopback are reached by its names, and only by those', async () => {
    neighbour.answer = (_, response) => response.writeHead(204).end();
    for (const host of ['localhost', '127.0.0.1']) await logout(local, `http://${host}:${neighbour.http}/logout`);
    expect(neighbour.hits).toHaveLength(2);
    for (const host of ['0.0.0.0', '[::ffff:127.0.0.1]', '127.0.0.2'])
      await expect(logout(local, `http://${host}:${neighbour.http}/logout`), host).rejects.toThrow();
    expect(neighbour.hits).toHaveLength(2);
  });

  it('API-11 redirects are not followed, long answers not read to the end, slow ones not waited for', async () => {
    const address = `http://127.0.0.1:${neighbour.http}/`;
    neighbour.answer = (_, response) => response.writeHead(302, { location: `${address}inside` }).end();
    await expect(logout(local, address)).rejects.toThrow(/302/);
    await expect(fetchKeys(local, address)).rejects.toThrow();
    neighbour.answer = (_, response) => response.writeHead(307, { location: `${address}inside` }).end();
    await expect(logout(local, address)).rejects.toThrow(/307/);
    expect(neighbour.hits.filter((hit) => hit.includes('inside'))).toEqual([]);

    let sent = 0;
    neighbour.answer = (_, response) => {
      const chunk = Buffer.alloc(65_536, 32);
      const more = () => {
        while (!response.destroyed && sent < 50_000_000) {
          sent += chunk.length;
          if (!response.write(chunk)) return response.once('drain', more);
        }
        return response.end();
      };
      more();
    };
    const readFrom = Date.now();
    await expect(fetchKeys(local, address)).rejects.toThrow();
    expect(Date.now() - readFrom, 'given up for its length, not for the time').toBeLessThan(2000);
    expect(sent, 'not much more than a megabyte left the neighbour').toBeLessThan(20_000_000);

    neighbour.answer = (_, response) => void response.write('{');
    const startedAt = Date.now();
    await expect(fetchKeys(local, address)).rejects.toThrow();
    expect(Date.now() - startedAt).toBeLessThan(4000);
  });

  it('API-11 jwks_uri as strangers can trigger it: no key, no token, nothing sent', async () => {
    const assertion = (module: TestModule, node: TestApp) => {
      const now = Math.floor(Date.now() / 1000);
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const claims = {
        iss: module.clientId,
        sub: module.clientId,
        aud: node.url,
        jti: randomUUID(),
        iat: now,
        exp: now + 60,
      };
      const text = `${part({ alg: 'ES256', kid: 'k1' })}.${part(claims)}`;
      return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    };
    const ask = async (node: TestApp) => {
      const module = await makeModule(node, [await makeCompany(node)], {
        token_endpoint_auth_method: 'private_key_jwt',
        grant_types: ['client_credentials'],
        jwks_uri: `http://127.0.0.1:${neighbour.http}/jwks`,
      });
      return node.visitor().send('/token', {
        form: {
          grant_type: 'client_credentials',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion(module, node),
        },
        headers: { accept: 'application/json' },
      });
    };
    const reached = await ask(local);
    expect([reached.status, neighbour.hits.length]).toEqual([200, 1]);
    const refused = await ask(app);
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.body).error).toBe('invalid_client');
    expect(neighbour.hits).toHaveLength(1);
  });

  it('API-11 sector_identifier_uri: the client is refused, nothing is sent', async () => {
    const ask = async (node: TestApp) => {
      const redirect_uris = ['https://one.example/cb', 'https://two.example/cb'];
      neighbour.answer = (_, response) => response.end(JSON.stringify(redirect_uris));
      const module = await makeModule(node, [await makeCompany(node)], {
        subject_type: 'pairwise',
        redirect_uris,
        sector_identifier_uri: `https://localhost:${neighbour.https}/sector`,
      });
      return node.visitor().send(authorizeAddress(module));
    };
    expect((await ask(local)).status).toBe(303);
    expect(neighbour.hits).toHaveLength(1);
    const refused = await ask(app);
    expect(refused.status).toBe(400);
    expect(refused.headers.location).toBeUndefined();
    expect(neighbour.hits).toHaveLength(1);
  });

  it('API-11 back-channel logout in full: told on a developer’s machine, refused and logged elsewhere', async () => {
    neighbour.answer = (_, response) => response.writeHead(204).end();
    const enterAndLeave = async (node: TestApp) => {
      const company = await makeCompany(node);
      const person = await makePerson(node, company);
      const module = await makeModule(node, [company], {
        backchannel_logout_uri: `http://127.0.0.1:${neighbour.http}/logout`,
      });
      const visitor = node.visitor();
      await signIn(node, visitor, person, authorizeAddress(module));
      await visitor.submit(await visitor.open('/'), {}, '/sign-out');
    };
    await enterAndLeave(local);
    for (const until = Date.now() + 8000; neighbour.hits.length === 0 && Date.now() < until; ) await sleep(50);
    expect(neighbour.hits).toEqual([`POST 127.0.0.1:${neighbour.http}/logout`]);
    await enterAndLeave(app);
    const told = () => captured.lines().find(({ msg }) => msg === 'logout not delivered, will try again');
    for (const until = Date.now() + 8000; !told() && Date.now() < until; ) await sleep(50);
    expect(told()).toMatchObject({ level: 'info', clientId: expect.any(String) });
    expect(neighbour.hits).toHaveLength(1);
  });

  it.each([
    'file:///etc/passwd',
    'gopher://module.example/',
    'ftp://module.example/',
    'data:text/plain,x',
    'javascript:alert(1)',
    'http://module.example/',
    'https://user:secret@module.example/',
    'https://user@module.example/',
    'https://module.example/#x',
    'https://*.example/',
    'module.example',
    '//module.example/',
  ])('API-11, OAU-03 %s is no address of a module', (address) => {
    expect(moduleAddressSchema.safeParse(address).success).toBe(false);
  });
});
