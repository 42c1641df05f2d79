// What a node does beside answering requests: jobs, deliveries, housekeeping, and listening for what other nodes announce.
import { type Listener, listen } from './db/announcements.ts';
import type { Deliverer } from './jobs/deliver.ts';
import { keepHouse } from './jobs/housekeeping.ts';
import { keepUpstreams, type Upkeep } from './jobs/keep-upstreams.ts';
import { type Jobs, jobAnnouncement } from './jobs/queue.ts';
import { sealAnew } from './jobs/reseal.ts';
import { keepSealing, type Sealing } from './jobs/seal-audit.ts';
import { sweepStanding } from './jobs/standing-sweep.ts';
import type { Log } from './lib/log.ts';
import { minutes } from './lib/time.ts';
import { announcements } from './store.ts';
import type { Actor, Work } from './work.ts';

interface Node {
  databaseUrl: string;
  log: Log;
  work(actor: Actor): Work;
  jobs: Jobs;
  deliverer: Deliverer;
  upkeep: Parameters<typeof keepUpstreams>[1];
  /** Something changed that this node keeps copies of: modules, companies or signing keys. */
  onChange(topic: string): void;
  /** Announcements may be missed from now on: every copy is in doubt. */
  onLost(): void;
  /** They arrive again: anything may have changed meanwhile. */
  onConnected(): void;
}

export interface Background {
  start(): Promise<void>;
  /** Ends what may still start jobs first, then the jobs. */
  stop(): Promise<void>;
}

export function createBackground(node: Node): Background {
  const { databaseUrl, log, work, jobs, deliverer, upkeep, onChange, onLost, onConnected } = node;
  const system = () => work({ kind: 'system', name: 'jobs' });
  const rounds: NodeJS.Timeout[] = [];
  let listener: Listener | null = null;
  let sealing: Sealing | null = null;
  let upstreams: Upkeep | null = null;

  function everyMinute(act: (work: Work) => Promise<unknown>, failed: string): void {
    rounds.push(setInterval(() => void act(system()).catch((err) => log.warn({ err }, failed)), minutes(1)).unref());
  }

  function hear(topic: string): void {
    if (topic.startsWith(jobAnnouncement)) jobs.wake(topic.slice(jobAnnouncement.length));
    else if (topic === 'deliveries') deliverer.wake();
    else onChange(topic);
  }

  return {
    async start() {
      listener = listen(databaseUrl, announcements, { log, onAnnouncement: hear, onLost, onConnected });
      await jobs.run((name) => work({ kind: 'system', name }));
      void sealAnew(system()).then(
        (count) => count > 0 && log.info({ count }, 'sealed anew with the first encryption key'),
        (err) => log.warn({ err }, 'could not seal anew with the first encryption key'),
      );
      everyMinute(keepHouse, 'housekeeping failed');
      sealing = keepSealing(system);
      upstreams = keepUpstreams(system, upkeep);
      deliverer.start();
      everyMinute(sweepStanding, 'the sweep failed');
    },
    async stop() {
      for (const round of rounds.splice(0)) clearInterval(round);
      await deliverer.stop();
      await sealing?.stop();
      await upstreams?.stop();
      await listener?.stop();
      await jobs.stop();
    },
  };
}
