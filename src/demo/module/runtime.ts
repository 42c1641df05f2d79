import type { Logger } from 'pino';
import type { Accounts, Integration, LoginModule } from '../../sdk/module.ts';
import type { AccountTable } from './account-table.ts';
import type { ModuleConfig } from './config.ts';
import type { Forms } from './forms.ts';

/** What the parts of one running module share. */
export interface ModuleRuntime {
  config: ModuleConfig;
  /** The module's own origin. */
  url: string;
  kit: LoginModule;
  accounts: AccountTable;
  hooks: Accounts;
  /** Null: an ordinary OpenID Connect client that never connects. */
  integration: Integration | null;
  forms: Forms;
  log: Logger;
  clock: () => number;
}
