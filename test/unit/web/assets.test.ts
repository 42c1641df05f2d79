import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { createAssets } from '../../../src/web/assets.ts';

const root = join(import.meta.dirname, '../../..');
const assets = createAssets(root);
const serve = async (path: string, request = {}) => {
  const answer = await assets.serve(path, request);
  if (!answer) throw new Error(`nothing at ${path}`);
  return answer;
};

describe('addresses of static files', () => {
  it('hold the hash of the content and are refused without it (WEB-11)', async () => {
    const address = assets.url('css/base.css');
    expect(address).toMatch(/^\/assets\/[0-9a-f]{16}\/css\/base\.css$/);
    expect((await serve(address)).status).toBe(200);
    expect(await assets.serve('/assets/0123456789abcdef/css/base.css')).toBeNull();
    expect(await assets.serve('/assets/css/base.css')).toBeNull();
    expect(() => assets.url('css/none.css')).toThrow('no static file');
  });

  it('change when the content or a file it names changes', () => {
    const copy = mkdtempSync(join(tmpdir(), 'assets-'));
    afterAll(() => rmSync(copy, { recursive: true }));
    cpSync(join(root, 'assets'), join(copy, 'assets'), { recursive: true });
    for (const folder of ['node_modules', 'views']) symlinkSync(join(root, folder), join(copy, folder));
    expect(createAssets(copy).url('js/app.js')).toBe(assets.url('js/app.js'));
    writeFileSync(join(copy, 'assets/js/copy.js'), '// changed\n');
    const changed = createAssets(copy);
    expect(changed.url('js/copy.js')).not.toBe(assets.url('js/copy.js'));
    expect(changed.url('js/app.js')).not.toBe(assets.url('js/app.js'));
    expect(changed.url('js/menu.js')).toBe(assets.url('js/menu.js'));
  });

  it.each([
    '/assets/../package.json',
    '/assets/0123456789abcdef/../../package.json',
    '/assets/0123456789abcdef/%2e%2e/package.json',
    '/assets/',
    '/assets',
    '/',
    '/assets/0123456789abcdef/__proto__',
    '/assets/0123456789abcdef/constructor',
  ])('WEB-14 %s leads nowhere', async (path) => {
    expect(await assets.serve(path)).toBeNull();
  });
});

describe('answers', () => {
  it('may be kept for a year, say what they are, and are not guessed at', async () => {
    const { headers } = await serve(assets.url('css/tokens.css'));
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/css; charset=utf-8',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    });
  });

  it('are compressed as the browser can take it', async () => {
    const address = assets.url('css/tabler.css');
    const plain = await serve(address);
    const brotli = await serve(address, { acceptEncoding: 'gzip, deflate, br' });
    const gzip = await serve(address, { acceptEncoding: 'gzip;q=0.8, br;q=0' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(brotli.headers['content-encoding']).toBe('br');
    expect(gzip.headers['content-encoding']).toBe('gzip');
    expect(brotliDecompressSync(brotli.body ?? '')).toEqual(plain.body);
    expect(gunzipSync(gzip.body ?? '')).toEqual(plain.body);
    for (const { headers, body } of [plain, brotli, gzip]) expect(headers['content-length']).toBe(String(body?.length));
    expect(new Set([plain, brotli, gzip].map(({ headers }) => headers.etag)).size).toBe(3);
  });

  it('leave alone what is compressed already', async () => {
    const { headers } = await serve(assets.url('fonts/inter-latin.woff2'), { acceptEncoding: 'br' });
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['content-type']).toBe('font/woff2');
  });

  it('are not sent again to who has them', async () => {
    const address = assets.url('js/app.js');
    const { etag } = (await serve(address, { acceptEncoding: 'br' })).headers;
    const again = await serve(address, { acceptEncoding: 'br', ifNoneMatch: `W/"other", ${etag}` });
    expect(again).toMatchObject({ status: 304, body: null });
    expect((await serve(address, { acceptEncoding: 'br', ifNoneMatch: '"other"' })).status).toBe(200);
  });
});

describe('what files name', () => {
  const own = readdirSync(join(root, 'assets'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(css|js)$/.test(file),
  );

  it.each(own)('%s names only files that are there', async (file) => {
    const text = (await serve(assets.url(file))).body?.toString() ?? '';
    expect(text).not.toMatch(/(url\("?|import\(')\.\.?\//);
    for (const [address] of text.matchAll(/\/assets\/[0-9a-f]{16}\/[\w./-]+/g))
      expect((await serve(address)).status).toBe(200);
  });

  it('the icons come as one file of symbols', async () => {
    const sprite = (await serve(assets.url('icons.svg'))).body?.toString() ?? '';
    expect(sprite).toMatch(/<symbol id="user" viewBox="0 0 24 24"[^>]*><path d="/);
    expect(sprite).not.toMatch(/<script|\son\w+=|M0 0h24v24H0z/);
  });

  it('all scripts together are far under 120 KB compressed', () => {
    const scripts = own
      .filter((file) => file.endsWith('.js'))
      .map((file) => gzipSync(readFileSync(join(root, 'assets', file))).length);
    expect(scripts.reduce((sum, size) => sum + size, 0)).toBeLessThan(15_000);
  });
});
