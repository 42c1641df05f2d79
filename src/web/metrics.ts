// Numbers for operators (prom-client): requests by route, sign-ins by outcome, password queue, and the process itself.
// With WORKERS they are those of all processes: sums would jump with each scrape, if each answered for itself.
import { AggregatorRegistry, Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { unavailable } from '../lib/errors.ts';
import { joinSiblings } from '../lib/siblings.ts';

export interface Metrics {
  registry: {
    contentType: string;
    /** @throws AppError 503 when a process does not answer: a sum without it would look as if counters had gone back. */
    metrics(): Promise<string>;
  };
  observe(request: { method: string; route: string; status: number; seconds: number }): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'ul_http_requests_total',
    help: 'HTTP requests',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'ul_http_request_seconds',
    help: 'Time from request to answer',
    labelNames: ['route'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });
  const ofAll = joinSiblings(() => registry.getMetricsAsJSON());
  return {
    registry: {
      contentType: registry.contentType,
      async metrics() {
        if (!ofAll) return registry.metrics();
        const all = await ofAll().catch((error) => {
          throw unavailable(error);
        });
        return AggregatorRegistry.aggregate(all).metrics();
      },
    },
    observe({ method, route, status, seconds }) {
      requests.inc({ method, route, status: String(status) });
      durations.observe({ route }, seconds);
    },
  };
}
