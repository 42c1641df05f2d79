// Limits of what one request may bring. After each of them the server still serves.
import { gzipSync } from 'node:zlib';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { createHttpServer } from '../../../src/server.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { authorizeAddress, makeCompany, makeModule, type TestModule } from '../../support/people.ts';
import { talk } from '../../support/raw.ts';
import type { Page } from '../../support/visitor.ts';

let app: TestApp;
let module: TestModule;

beforeAll(async () => {
  app = await startApp();
  const company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app);
  module = await makeModule(app, [company]);
});
afterAll(() => app.stop());

/** After whatever was sent, the server still serves. */
afterEach(async () => {
  expect((await app.visitor().send('/health/ready')).status).toBe(200);
});

const line = () => `host: ${new URL(app.url).host}\r\n`;

describe('requests that do not follow the rules', () => {
  it('WEB-12 two lengths, or a length beside chunks, are refused', async () => {
    const post = (headers: string, body: string) =>
      talk(
        app.port,
        `POST /forgot/company HTTP/1.1\r\n${line()}content-type: application/x-www-form-urlencoded\r\n${headers}\r\n${body}`,
      );
    const smuggled = 'GET /settings/profile HTTP/1.1\r\nhost: x\r\n\r\n';
    const tries = {
      'TE and CL': await post('content-length: 4\r\ntransfer-encoding: chunked\r\n', `0\r\n\r\n${smuggled}`),
      'two lengths': await post(`content-length: 0\r\ncontent-length: ${smuggled.length}\r\n`, smuggled),
      'odd length': await post('content-length: +4\r\n', 'a=bc'),
      'odd coding': await post('transfer-encoding: xchunked\r\n', '0\r\n\r\n'),
      'coding twice': await post('transfer-encoding: chunked, identity\r\n', '0\r\n\r\n'),
      'space before colon': await post('transfer-encoding : chunked\r\n', '0\r\n\r\n'),
      'bare LF': await post('x: y\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'),
      'bad chunk size': await post('transfer-encoding: chunked\r\n', 'zz\r\n\r\n'),
    };
    for (const [what, answer] of Object.entries(tries)) {
      expect(answer, what).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer.match(/HTTP\/1\.1/g), `${what}: one answer`).toHaveLength(1);
    }
  });

  it('WEB-12 headers over 16 KB, a cookie of a megabyte, an endless address', async () => {
    const get = (headers: string, path = '/login') =>
      talk(app.port, `GET ${path} HTTP/1.1\r\n${line()}${headers}connection: close\r\n\r\n`);
    expect(await get(`x: ${'y'.repeat(17_000)}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await get(`cookie: a=${'y'.repeat(1_000_000)}\r\n`)).toMatch(/^(HTTP\/1\.1 431 |$)/);
    expect(await get(`${'x: y\r\n'.repeat(5000)}`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await get('', `/${'a'.repeat(20_000)}`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await get(`cookie: ${'ul_session=x; '.repeat(800)}\r\n`)).toMatch(/^HTTP\/1\.1 (2|3)\d\d /);
  });

  it('WEB-12 who sends headers or a body drop by drop is let go with 408', async () => {
    const server = createHttpServer(app.runtime);
    // The same server with less patience: that of the product is 10 and 30 seconds.
    expect([server.headersTimeout, server.requestTimeout]).toEqual([10_000, 30_000]);
    [server.headersTimeout, server.requestTimeout] = [300, 600];
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      const [headers, body] = await Promise.all([
        talk(port, 'GET / HTTP/1.1\r\nx: y', 6000),
        talk(
          port,
          `POST /forgot/company HTTP/1.1\r\n${line()}content-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\na=`,
          6000,
        ),
      ]);
      expect(headers).toMatch(/^HTTP\/1\.1 408 /);
      expect(body).toMatch(/^HTTP\/1\.1 4(?:08|00) /);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('bodies', () => {
  const form = 'application/x-www-form-urlencoded';

  async function post(
    body: string | Buffer,
    type = form,
    headers: Record<string, string> = {},
  ): Promise<Page & { ms: number }> {
    const startedAt = performance.now();
    const page = await app.visitor().send('/forgot/company', { body, headers: { 'content-type': type, ...headers } });
    return { ...page, ms: performance.now() - startedAt };
  }

  it('WEB-13 a form over 100 KB, too many fields, deep ones: refused, and quickly', async () => {
    await post('email=warm-up');
    const tries: [string, string, number[]][] = [
      ['over 100 KB', `email=${'x'.repeat(103_000)}`, [413]],
      ['5 MB', `email=${'x'.repeat(5_000_000)}`, [413]],
      ['50,000 keys', 'a&'.repeat(50_000), [400, 413]],
      ['10,000 named keys', Array.from({ length: 10_000 }, (_, i) => `k${i}=1`).join('&'), [413]],
      ['50,000 of one key', 'a=1&'.repeat(25_000), [400, 403, 413]],
      // Brackets are part of a name that no form of ours has, so the form is one without a token.
      ['depth 10,000', `a${'[b]'.repeat(10_000)}=1`, [403]],
      ['objects', 'email[a]=1', [403]],
      ['NUL', 'email=a%00b', [400]],
      ['only percent signs', '%'.repeat(100_000), [400, 403, 413]],
    ];
    for (const [what, body, statuses] of tries) {
      // The best of three: other tests run on the same machine.
      const pages = [await post(body), await post(body), await post(body)];
      for (const { status } of pages) expect(statuses, `${what}: ${status}`).toContain(status);
      expect(Math.min(...pages.map(({ ms }) => ms)), what).toBeLessThan(100);
    }
  });

  it('WEB-13 what is no form is 415', async () => {
    for (const type of [
      'application/json',
      'text/plain',
      'application/xml',
      'application/octet-stream',
      'image/png',
      'x',
    ])
      expect((await post('{"email":"a@example.com"}', type)).status, type).toBe(415);
    expect((await post(`{"a":${'['.repeat(10_000)}`, 'application/json')).status).toBe(415);
  });

  it('WEB-13 a form in pieces that does not hold what it promises is 400, a file over 1 MB 413', async () => {
    const part = (name: string, extra: string, content: string) =>
      `--x\r\ncontent-disposition: form-data; name="${name}"${extra}\r\n\r\n${content}\r\n`;
    const tries: [string, string, string, number][] = [
      ['no boundary', 'multipart/form-data', 'anything', 400],
      ['cut off', 'multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb', 400],
      [
        '2 MB file',
        'multipart/form-data; boundary=x',
        `${part('file', '; filename="a"', 'x'.repeat(2_000_000))}--x--\r\n`,
        413,
      ],
      [
        'file cut off',
        'multipart/form-data; boundary=x',
        '--x\r\ncontent-disposition: form-data; name="a"; filename="a"\r\n\r\nb',
        400,
      ],
      ['200 fields', 'multipart/form-data; boundary=x', `${part('a', '', 'b').repeat(200)}--x--\r\n`, 403],
      ['NUL', 'multipart/form-data; boundary=x', `${part('a', '', 'b\0c')}--x--\r\n`, 400],
    ];
    for (const [what, type, body, status] of tries) {
      const page = await post(body, type);
      expect(page.status, what).toBe(status);
      expect(page.ms, what).toBeLessThan(500);
    }
  });

  it('WEB-13 a compressed bomb is measured as it unpacks', async () => {
    const page = await post(gzipSync(`email=${'x'.repeat(20_000_000)}`), form, { 'content-encoding': 'gzip' });
    expect([400, 413, 415]).toContain(page.status);
    expect(page.ms).toBeLessThan(300);
  });

  it("WEB-13 the engine's bodies and JSON parameters are bounded, too", async () => {
    const visitor = app.visitor();
    const big = await visitor.send('/token', {
      form: { grant_type: 'x', filler: 'y'.repeat(200_000) },
      headers: { accept: 'application/json' },
    });
    expect([400, 413]).toContain(big.status);
    const json = await visitor.send('/token', {
      body: '{"grant_type":"x"}',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
    });
    expect(json.status).toBe(400);
    const startedAt = performance.now();
    const claims = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const basic = Buffer.from(`${module.clientId}:${module.clientSecret}`).toString('base64');
    const pushed = await visitor.send('/request', {
      form: { client_id: module.clientId, response_type: 'code', claims: claims(8000) },
      headers: { authorization: `Basic ${basic}`, accept: 'application/json' },
    });
    expect(pushed.status).toBe(400);
    const deep = await visitor.send(authorizeAddress(module, { claims: claims(300) }));
    expect([303, 400]).toContain(deep.status);
    expect(performance.now() - startedAt).toBeLessThan(300);
  });
});
