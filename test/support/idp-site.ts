// The pages of an identity provider that nobody here wrote (samlp), at a site of its own for real browsers: it asks who is there, reads
// the request that we signed, and lets the browser post its answer.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { ensureSamlKey } from '../../src/domain/keys/saml-key.ts';
import type { TestApp } from './app.ts';
import type { TestIdp, UpstreamPerson } from './saml-idp.ts';

// It has no types.
const samlp = createRequire(import.meta.url)('samlp') as {
  metadata(options: object): (request: object, response: object) => void;
};

export interface IdpSite {
  url: string;
  ssoUrl: string;
  metadataUrl: string;
  /** As its own page hands it out. */
  metadata(): Promise<string>;
  stop(): void;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

/** @param directory whom it knows, by the name that is clicked */
export async function startIdpSite(
  app: TestApp,
  idp: TestIdp,
  directory: Map<string, () => UpstreamPerson>,
): Promise<IdpSite> {
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  // We are at localhost: 127.0.0.1 is another site to a browser, as an identity provider is.
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = new URL(request.url ?? '', url);
    if (at.pathname === '/metadata') return serveMetadata(request, response);
    if (!at.pathname.startsWith('/sso')) return void response.writeHead(404).end();
    const page = (body: string) =>
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
        .end(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Contoso IdP</title>${body}`);
    const { certificate } = await ensureSamlKey(app.operator());
    const asked = await idp.readRequest(at.href, certificate);
    const name = at.pathname.split('/')[2];
    if (name === undefined) {
      const links = [...directory.keys()].map((one) => `<li><a href="/sso/${one}${escaped(at.search)}">${one}</a>`);
      return void page(`<h1>Contoso asks who you are</h1><ul>${links.join('')}</ul>`);
    }
    const person = directory.get(name)?.();
    if (!person) return void response.writeHead(404).end();
    const answer = Buffer.from(await idp.answer(app, person, { inResponseTo: asked.id })).toString('base64');
    page(
      `<form method="post" action="${escaped(asked.assertionConsumerServiceURL ?? '')}">
      <input type="hidden" name="SAMLResponse" value="${answer}">
      <input type="hidden" name="RelayState" value="${escaped(at.searchParams.get('RelayState') ?? '')}">
      </form><script>document.forms[0].submit()</script>`,
    );
  }

  function serveMetadata(request: IncomingMessage, response: ServerResponse): void {
    const options = { issuer: idp.entityId, cert: idp.cert, redirectEndpointPath: '/sso', postEndpointPath: '/sso' };
    // What it uses of express.
    const asExpress = { headers: request.headers, protocol: 'http', originalUrl: request.url };
    const set = (name: string, value: string) => response.setHeader(name, value);
    samlp.metadata(options)(asExpress, { set, send: (text: string) => response.end(text) });
  }

  return {
    url,
    ssoUrl: `${url}/sso`,
    metadataUrl: `${url}/metadata`,
    metadata: async () => (await fetch(`${url}/metadata`)).text(),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
