// The processes of one server (WORKERS) share a port, so a question reaches any of them; this way it can be answered for all.
// They know only the primary, which passes questions and answers on.
import cluster, { type Worker } from 'node:cluster';

/** Enough for a process that is busy; one that is stuck must not keep whoever asks. */
const patienceMs = 2000;

type Message =
  /** A worker can answer from now on. */
  | { siblings: 'here' }
  /** A worker asks all; a number of its own. */
  | { siblings: 'ask'; ask: number }
  /** The primary asks a worker; a number of the primary's. */
  | { siblings: 'tell'; tell: number }
  | { siblings: 'told'; tell: number; answer: unknown }
  /** What all have answered, or null when one of them did not. */
  | { siblings: 'all'; ask: number; answers: unknown[] | null };

const isOurs = (message: unknown): message is Message => message instanceof Object && 'siblings' in message;

/** In the primary: passes on what workers ask each other. */
export function passQuestionsOn(): void {
  const present = new Set<Worker>();
  const waiting = new Map<number, { told: (from: Worker, answer: unknown) => void; gone: (worker: Worker) => void }>();
  let count = 0;

  function askAll(asker: Worker, ask: number): void {
    count += 1;
    const tell = count;
    const open = new Set(present);
    const answers: unknown[] = [];
    const finish = (isComplete: boolean) => {
      if (!waiting.delete(tell)) return;
      clearTimeout(timer);
      send(asker, { siblings: 'all', ask, answers: isComplete ? answers : null });
    };
    const timer = setTimeout(() => finish(false), patienceMs);
    const close = (worker: Worker) => {
      open.delete(worker);
      if (open.size === 0) finish(true);
    };
    waiting.set(tell, {
      told(from, answer) {
        answers.push(answer);
        close(from);
      },
      gone: close,
    });
    for (const worker of open) send(worker, { siblings: 'tell', tell });
  }

  cluster.on('message', (worker, message: unknown) => {
    if (!isOurs(message)) return;
    if (message.siblings === 'here') present.add(worker);
    if (message.siblings === 'ask') askAll(worker, message.ask);
    if (message.siblings === 'told') waiting.get(message.tell)?.told(worker, message.answer);
  });
  cluster.on('disconnect', (worker) => {
    present.delete(worker);
    for (const { gone } of [...waiting.values()]) gone(worker);
  });
}

/** A worker may end between the look and the sending; its end is heard of on its own. */
function send(worker: Worker, message: Message): void {
  if (worker.isConnected()) worker.send(message, () => {});
}

/**
 * In a worker: gives what asks all workers, this one included; elsewhere null, since there is nobody else.
 * @param answer this worker's own, as something that JSON can carry
 */
export function joinSiblings<T>(answer: () => Promise<T>): (() => Promise<T[]>) | null {
  const { worker } = cluster;
  if (!cluster.isWorker || !worker) return null;
  const waiting = new Map<number, (answers: unknown[] | null) => void>();
  let count = 0;

  worker.on('message', (message: unknown) => {
    if (!isOurs(message)) return;
    if (message.siblings === 'tell')
      // No answer is told by silence: whoever asks then hears that there is none.
      void answer().then(
        (own) => send(worker, { siblings: 'told', tell: message.tell, answer: own }),
        () => {},
      );
    if (message.siblings === 'all') {
      waiting.get(message.ask)?.(message.answers);
      waiting.delete(message.ask);
    }
  });
  send(worker, { siblings: 'here' });

  return () =>
    new Promise((resolve, reject) => {
      count += 1;
      waiting.set(count, (answers) => {
        // Each is what `answer` gave in a process of the same code.
        if (answers) resolve(answers as T[]);
        else reject(new Error('a process of this server does not answer'));
      });
      send(worker, { siblings: 'ask', ask: count });
    });
}
