// Stands between the product and its database, and can be cut, or fall silent.
import { connect, createServer, type Socket } from 'node:net';

export interface DatabaseProxy {
  /** The given address, by way of here. */
  url: string;
  /** Everything that is open breaks, and nothing new gets in. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** Connections stay, and new ones are accepted, but not a byte gets through. */
  silence(): void;
  /** What was held back goes on its way. */
  speak(): void;
  stop(): Promise<void>;
}

export async function startProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let isSilent = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    near.pipe(far).pipe(near);
    if (isSilent) hold(near, far);
  });
  const hold = (...held: Socket[]) => {
    for (const socket of held) socket.pause();
  };
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  return {
    url: url.href,
    cut: close,
    mend: () => listen(port),
    silence() {
      isSilent = true;
      hold(...sockets);
    },
    speak() {
      isSilent = false;
      for (const socket of sockets) socket.resume();
    },
    stop: async () => (server.listening ? close() : undefined),
  };
}
