/** The module's side of the integration: where it is reached, what it keeps, and what it takes over at its first start. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import {
  type Accounts,
  createFileStore,
  createIntegration,
  type Integration,
  type LoginModule,
} from '../../sdk/module.ts';
import type { ModuleConfig } from './config.ts';

export const localLoginPath = '/login/local';

interface Parts {
  config: ModuleConfig;
  url: string;
  kit: LoginModule;
  hooks: Accounts;
  log: Logger;
}

export async function openIntegration({ config, url, kit, hooks, log }: Parts): Promise<Integration> {
  const store = createFileStore(join(config.dataDir, `${config.slug}-integration.json`));
  const isFirstStart = (await store.load()) === null;
  const integration = await createIntegration({
    module: kit,
    tenant: config.tenant,
    addresses: {
      landing: `${url}/`,
      initiateLogin: `${url}/initiate-login`,
      localLogin: `${url}${localLoginPath}`,
      events: `${url}/events`,
      scim: `${url}/scim/v2`,
    },
    store,
    accounts: hooks,
    heard: (what, facts) => log.info(facts, `integration: ${what}`),
  });
  const { connection, scimToken } = config;
  if (isFirstStart && connection) await integration.adopt({ ...connection, ...(scimToken ? { scimToken } : {}) });
  // In the background: the module starts, and lets people in, whether or not the provider answers.
  integration.start();
  return integration;
}
