/**
 * A module in a process of its own that finishes a connect ceremony, and is killed -9 in the middle of it:
 * `before` it asks the provider, or `after` the provider has answered and before anything is kept.
 */
import { createFileStore, createIntegration, createModule } from '../../../src/sdk/module.ts';

const { KIT = '{}', STORE = '', TRANSACTION = '', PARAMS = '', KILL = '' } = process.env;
const die = () => process.kill(process.pid, 'SIGKILL');

const module = createModule({
  ...JSON.parse(KIT),
  async fetch(input: string | URL | Request, init?: RequestInit) {
    const isTheStep = String(input).endsWith('/api/v1/instances');
    if (isTheStep && KILL === 'before') die();
    const answer = await fetch(input, init);
    if (isTheStep && KILL === 'after') {
      await answer.clone().text();
      die();
    }
    return answer;
  },
});
const integration = await createIntegration({
  module,
  tenant: { id: 'northwind', name: 'Northwind IT' },
  addresses: { landing: 'http://localhost:1/' },
  store: createFileStore(STORE),
  accounts: {
    list: () => ({ total: 0, accounts: [] }),
    find: () => undefined,
    matching: () => [],
    provision: () => Promise.reject(new Error('nobody is made here')),
    change: () => undefined,
    link: () => false,
    endSessions: () => undefined,
    administers: () => false,
    isLastAdministrator: () => false,
  },
});
const admin = { id: '17', name: 'Ada Root' };
await integration.finishConnect({ params: new URLSearchParams(PARAMS), transaction: TRANSACTION, admin });
process.stdout.write(JSON.stringify(integration.state));
