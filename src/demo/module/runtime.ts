import type { Logger } from 'pino';
import type { LoginModule } from '../../sdk/module.ts';
import type { AccountTable } from './account-table.ts';
import type { ModuleConfig } from './config.ts';

/** What the parts of one running module share. */
export interface ModuleRuntime {
  config: ModuleConfig;
  /** The module's own origin. */
  url: string;
  secret: string;
  kit: LoginModule;
  accounts: AccountTable;
  log: Logger;
  clock: () => number;
}
