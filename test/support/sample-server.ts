// Serves the samples of the views, the static files and nothing else on loopback, under the same CSP as the product.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';
import { createAssets } from '../../src/web/assets.ts';
import { createViews } from '../../src/web/views.ts';
import { packagedChromium } from './chromium.ts';
import { type Sample, samplePage, samples } from './view-samples.ts';

const root = join(import.meta.dirname, '../..');
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** The one page that shows others inside itself says so in its policy, as its handler does. */
const policyOf = ({ view }: Sample) => (view === 'admin/mail/text' ? `${policy}; frame-src 'self'` : policy);

export const sampleName = (sample: Sample) => `${sample.view.replace('/', '-')}-${sample.variant.replaceAll(' ', '-')}`;

export interface SampleServer {
  address: string;
  /** What pages have posted: address and body, in order. */
  posts: { path: string; body: string }[];
  close(): void;
}

export async function startSampleServer(): Promise<SampleServer> {
  const assets = createAssets(root);
  const views = createViews(join(root, 'views'));
  const posts: SampleServer['posts'] = [];

  const server = createServer(async (request, response) => {
    const path = request.url ?? '/';
    if (path.includes('/preview/')) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p>A mail</p>');
      return;
    }
    if (request.method === 'POST') {
      let body = '';
      for await (const chunk of request) body += chunk;
      posts.push({ path, body });
      response
        .writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy })
        .end('<h1>Posted</h1>');
      return;
    }
    const sample = samples.find((candidate) => path === `/${sampleName(candidate)}`);
    if (sample) {
      const html = await views.render(sample.view, samplePage(sample.title, assets.url, sample.page), sample.locals);
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policyOf(sample) })
        .end(html);
      return;
    }
    const file = await assets.serve(path, { acceptEncoding: request.headers['accept-encoding'] });
    response.writeHead(file?.status ?? 404, file?.headers).end(file?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has an address object.
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    posts,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** One tab at a time: the packaged browser runs as a single process and ends with its first closed context. */
export async function launchBrowser(): Promise<Browser> {
  return playwright.launch({ ...(await packagedChromium()), args: chromium.args });
}
