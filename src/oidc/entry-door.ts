// Asks at the door of a module, wherever the engine comes by: at the request, and whenever a code or token is used.
import { connectScope } from '../domain/integrations/ceremony-commands.ts';
import { decideEntry, type Entry } from '../domain/integrations/entry.ts';
import type { SettingsCopies } from '../domain/integrations/settings-copies.ts';
import { type Profile, plainProfile } from '../domain/modules/profile.ts';
import { can, type Role } from '../domain/roles/role.ts';
import type { AccountFacts } from '../domain/sessions/record-repository.ts';
import type { ClientCatalogue } from './clients.ts';

export interface EntryDoor {
  decide(
    account: AccountFacts,
    at: { clientId: string; isBuiltIn: boolean; asked: string | null },
  ): Promise<Entry & { profile: Profile }>;
}

export function createEntryDoor(clients: ClientCatalogue, copies: SettingsCopies): EntryDoor {
  return {
    async decide({ reachable: all, role }, { clientId, isBuiltIn, asked }) {
      const reachable = (Object.hasOwn(all, clientId) ? all[clientId] : undefined) ?? [];
      const profile = (await clients.module(clientId))?.profile ?? plainProfile;
      const settings = await copies.get(reachable);
      const entry = decideEntry({ isBuiltIn, profile, role: role as Role, reachable, asked, settings });
      return { ...entry, profile };
    },
  };
}

/** A request, code or token of the connect ceremony. */
export const isConnecting = (scope: unknown): boolean =>
  typeof scope === 'string' && scope.split(' ').includes(connectScope);

/** A8.4: administrators of a company connect modules for it, and nobody else. */
export const mayConnect = ({ role }: AccountFacts): boolean => can(role as Role, 'modules.manage');
