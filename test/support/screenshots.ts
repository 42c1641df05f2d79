// Draws every sample of every view at 360 and 1280 pixels, light and dark, for the eye: npx node test/support/screenshots.ts <outdir> [part of a name]
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import { createAssets } from '../../src/web/assets.ts';
import { createViews } from '../../src/web/views.ts';
import { samplePage, samples } from './view-samples.ts';

const root = join(import.meta.dirname, '../..');
const [outdir, part = ''] = process.argv.slice(2);
if (!outdir) throw new Error('usage: screenshots.ts <outdir> [part of a name]');

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
const assets = createAssets(root);
const views = createViews(join(root, 'views'));
const nameOf = (sample: (typeof samples)[number]) => `${sample.view.replace('/', '-')}-${sample.variant}`;
const wanted = samples.filter((sample) => nameOf(sample).includes(part));

const server = createServer(async (request, response) => {
  const path = request.url ?? '/';
  const sample = samples.find((candidate) => path === `/${nameOf(candidate)}`);
  if (sample) {
    const page = samplePage(sample.title, assets.url, sample.page);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', policy);
    response.end(await views.render(sample.view, page, sample.locals));
    return;
  }
  const file = await assets.serve(path, { acceptEncoding: request.headers['accept-encoding'] });
  response.writeHead(file?.status ?? 404, file?.headers).end(file?.body);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
// A listening TCP server has an address object.
const { port } = server.address() as AddressInfo;

await mkdir(outdir, { recursive: true });
const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args });
try {
  // One tab for all: the packaged browser runs as a single process and ends with its first closed context.
  const tab = await browser.newPage();
  tab.on('console', (message) => {
    if (message.type() === 'error') process.stdout.write(`${tab.url()}: ${message.text()}\n`);
  });
  for (const width of [360, 1280]) {
    await tab.setViewportSize({ width, height: width === 360 ? 740 : 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await tab.emulateMedia({ colorScheme });
      for (const sample of wanted) {
        await tab.goto(`http://127.0.0.1:${port}/${nameOf(sample)}`, { waitUntil: 'load' });
        await tab.evaluate('document.fonts.ready');
        const overflow = await tab.evaluate('document.documentElement.scrollWidth - innerWidth');
        if (Number(overflow) > 0) process.stdout.write(`${nameOf(sample)} is ${overflow} px too wide at ${width}\n`);
        await tab.screenshot({ path: join(outdir, `${nameOf(sample)}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
  }
} finally {
  await browser.close();
  server.close();
}
process.stdout.write(`${wanted.length * 4} pictures in ${outdir}\n`);
