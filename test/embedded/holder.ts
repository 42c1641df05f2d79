// A program of its own for the tests: holds a database until it is told to stop, or is killed.
import { startEmbedded } from '../../src/db/embedded.ts';

const [dataDir = '', role = 'server', base = ''] = process.argv.slice(2);

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

try {
  const database = await startEmbedded({
    dataDir,
    role: role === 'guest' ? 'guest' : 'server',
    log: (message, data) => say({ log: message, data }),
    ...(base ? { base } : {}),
  });
  say({ url: database.url, notice: database.notice, startedHere: database.startedHere });
  process.once('SIGTERM', async () => {
    await database.stop();
    say({ stopped: true });
    process.exit(0);
  });
  process.on('SIGINT', () => say({ log: 'Ctrl-C' }));
  process.on('SIGUSR2', () => {
    throw new Error('a bug');
  });
  setInterval(() => undefined, 60_000);
} catch (error) {
  say({ error: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
