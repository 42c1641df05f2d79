// A contender with everything it needs to take part: a database of its own, filled, and a running server.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender, Estate, Server } from './contender.ts';
import { type Database, startDatabase } from './database.ts';
import { median, memoryMb } from './measure.ts';
import { openTarget, type People, type Target, takeTurns } from './target.ts';

export interface Contestant {
  name: string;
  contender: Contender;
  database: Database;
  estate: Estate;
  people: People;
}

export interface Running {
  server: Server;
  target: Target;
  /** The processes whose CPU time counts: the server's and its PostgreSQL's. */
  processes: number[];
}

export interface StartUp {
  coldStartMs: number;
  idleMemoryMb: number | undefined;
}

const idleMs = 2000;

/** Whatever has been started is put on the list of things to stop. */
export type OnStop = (stop: () => Promise<void>) => void;

export async function enter(contender: Contender, folder: string, people: number, onStop: OnStop): Promise<Contestant> {
  const database = await startDatabase(folder, `${contender.name}-database`);
  onStop(() => database.stop());
  const estate = await contender.prepare(database.url, people);
  return { name: contender.name, contender, database, estate, people: takeTurns(estate.people) };
}

export async function run(contestant: Contestant, databaseUrl: string, onStop: OnStop): Promise<Running> {
  const server = await contestant.contender.start(databaseUrl);
  onStop(() => server.stop());
  const target = await openTarget(server, contestant.estate, contestant.people);
  const { pid } = contestant.database;
  return { server, target, processes: pid === undefined ? [] : [server.pid, pid] };
}

export async function halt(running: Running): Promise<void> {
  running.target.http.close();
  await running.server.stop();
}

/** Cold start and memory at rest, over several starts, the contestants in turn. */
export async function measureStartUps(contestants: Contestant[], times: number, onStop: OnStop): Promise<StartUp[]> {
  const starts = contestants.map((): StartUp[] => []);
  for (let time = 0; time < times; time++) {
    for (const [index, contestant] of contestants.entries()) {
      const server = await contestant.contender.start(contestant.database.url);
      onStop(() => server.stop());
      await sleep(idleMs);
      starts[index]?.push({ coldStartMs: server.coldStartMs, idleMemoryMb: memoryMb(server.pid, 'VmRSS') });
      await server.stop();
    }
  }
  return starts.map((all) => ({
    coldStartMs: median(all.map(({ coldStartMs }) => coldStartMs)),
    idleMemoryMb: median(all.flatMap(({ idleMemoryMb }) => idleMemoryMb ?? [])),
  }));
}
