// The HTTP server: limits, listening, draining.
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createListener } from './app.ts';
import type { Runtime } from './runtime.ts';

export interface RunningServer {
  port: number;
  /** Stops accepting, finishes what runs, closes idle connections (F9). Resolves when all is done or the time is over. */
  drain(milliseconds: number): Promise<void>;
}

export function createHttpServer(runtime: Runtime): Server {
  return createServer(
    // WEB-12: small headers, and no connection that dribbles.
    {
      maxHeaderSize: 16_384,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 2_000,
    },
    createListener(runtime),
  );
}

export async function listenOn(runtime: Runtime, host: string, port: number): Promise<RunningServer> {
  const server = createHttpServer(runtime);
  const unanswered = new Set<ServerResponse>();
  let isDraining = false;
  // Whoever keeps connections would send the next request into one that is about to close: so they are told in time.
  server.prependListener('request', (_request, response) => {
    if (isDraining) response.setHeader('connection', 'close');
    unanswered.add(response);
    response.once('close', () => unanswered.delete(response));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    async drain(milliseconds) {
      isDraining = true;
      for (const response of unanswered) if (!response.headersSent) response.setHeader('connection', 'close');
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      let quiet = 0;
      const sweep = setInterval(() => {
        // Connections that are idle now, and those that become idle as their answers go out.
        server.closeIdleConnections();
        // Those that browsers opened in advance and never used do not count as idle: they go when nobody waits for an answer.
        quiet = unanswered.size === 0 ? quiet + 1 : 0;
        if (quiet > 2) server.closeAllConnections();
      }, 100);
      server.closeIdleConnections();
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, milliseconds).unref())]);
      clearInterval(sweep);
      server.closeAllConnections();
    },
  };
}
