/**
 * `npm run demo`: the provider and a real module, twice, each its own process, on the embedded PostgreSQL.
 * A second start keeps the data; `-- --reset` begins anew; `-- --json` prints one JSON object instead of the screen;
 * `-- --reset --module-people 3000` gives each module so many people of its own, to import.
 */
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { lockOut } from './lock-out.ts';
import { type DemoOptions, demoHelp, readOptions } from './options.ts';
import { createProcesses, type Processes } from './processes.ts';
import { describe, screen } from './screen.ts';
import { type DemoClient, type DemoState, isSeeded, loadOrSeed, modules, tenantId } from './seed.ts';

const flags = optionsOrEnd();
const dataDir = resolve(process.env.DATA_DIR ?? './data/demo');
const port = Number(process.env.PORT ?? 3000);
const issuer = `http://localhost:${port}`;

const processes = createProcesses({
  ...process.env,
  DATA_DIR: dataDir,
  PORT: String(port),
  PUBLIC_URL: issuer,
  DEMO: 'true',
  LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
  ...links(),
});

function optionsOrEnd(): DemoOptions {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options) return options;
    process.stdout.write(demoHelp);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${demoHelp}`);
    process.exit(2);
  }
}

/** Places that are not ours, so that the pages show what each role may see. */
function links(): Record<string, string> {
  const places = [
    'STORE',
    'UNIVERSITY',
    'COMMUNITY',
    'MERCH_STORE',
    'SUPPORT',
    'COOPER',
    'PROFESSIONAL_SERVICES',
    'ORGANIZATION_DASHBOARD',
    'BILLING',
    'ACCOUNT_TEAM',
  ];
  return Object.fromEntries(
    places.map((place) => [`LINK_${place}`, `https://www.example.com/${place.toLowerCase().replaceAll('_', '-')}`]),
  );
}

async function startModules(processes: Processes, state: DemoState): Promise<void> {
  await Promise.all(
    modules.map(async (module, i) => {
      const client: DemoClient = state.clients[i] ?? { clientId: '', clientSecret: '' };
      const { clientId, clientSecret, scimToken, instanceId, credential } = client;
      const modulePort = String(module.port);
      processes.start(module.name, 'src/demo/module/main.ts', {
        MODULE_NAME: module.name,
        PORT: modulePort,
        MODULE_URL: module.url,
        ISSUER: issuer,
        CLIENT_ID: clientId,
        CLIENT_SECRET: clientSecret,
        DATA_DIR: resolve(dataDir, 'modules', module.name.toLowerCase()),
        // Data of an earlier version have none.
        ...(scimToken === undefined ? {} : { SCIM_TOKEN: scimToken }),
        ...(instanceId === undefined ? {} : { INSTANCE_ID: instanceId }),
        // Data of an earlier version know no credentials: their modules go on as plain clients.
        ...(credential === undefined ? { PLAIN_LOGIN: '1' } : { INSTANCE_CREDENTIAL: credential }),
        TENANT_ID: tenantId,
        TENANT_NAME: state.company.name,
        MODULE_PERMISSIONS: module.permissions.join(','),
        MODULE_ADMINISTRATORS: module.administrators.join(','),
        MODULE_CROWD: flags.modulePeople,
        MODULE_USERS: JSON.stringify(module.accounts(state.people)),
        LOG_LEVEL: 'warn',
      });
      await processes.answers(module.name, `${module.url}/health`);
    }),
  );
}

async function main(): Promise<void> {
  // A first start that was broken off has no record of what it made: it begins anew, too.
  if (flags.reset || !(await isSeeded(dataDir))) {
    await processes.command(['erase-database', '--yes']);
    await rm(dataDir, { recursive: true, force: true });
  }
  processes.start('KaseyaOne', 'src/main.ts', {});
  await processes.answers('KaseyaOne', `${issuer}/health/ready`);
  const notes = processes
    .wordsOf('KaseyaOne')
    .split('\n')
    .filter((line) => line.startsWith('Note: '));
  for (const note of notes) process.stderr.write(`${note}\n`);
  const state = await loadOrSeed(dataDir, (args, input) => processes.command(args, input));
  await startModules(processes, state);
  const locked = state.people.find(({ state }) => state === 'LockedOut');
  if (locked) await lockOut(issuer, locked.username);
  const answer = describe(issuer, state);
  process.stdout.write(flags.json ? `${JSON.stringify(answer)}\n` : screen(answer, issuer));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void processes.stop().then(() => process.exit(0)));
}
// Whoever started the demo is gone without a signal to us (npm was killed): nobody is left to end it.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) void processes.stop().then(() => process.exit(0));
}, 1000).unref();

processes.onDeath((name, words) => {
  process.stderr.write(`${name} has stopped.\n${words}\n`);
  void processes.stop().then(() => process.exit(1));
});

await main().catch(async (error: unknown) => {
  process.stderr.write(`The demo could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  await processes.stop();
  process.exit(1);
});
