// Asks at the door of a module, wherever the engine comes by: at the request, and whenever a code or token is used.
import type { KoaContextWithOIDC } from 'oidc-provider';
import { connectScope } from '../domain/integrations/ceremony-commands.ts';
import { decideEntry, type Entry, type EntryReason } from '../domain/integrations/entry.ts';
import type { SettingsCopies } from '../domain/integrations/settings-copies.ts';
import { type Profile, plainProfile } from '../domain/modules/profile.ts';
import { can, type Role } from '../domain/roles/role.ts';
import type { AccountFacts } from '../domain/sessions/record-repository.ts';
import { currentAccount } from './account.ts';
import type { ClientCatalogue } from './clients.ts';
import { currentExchange } from './exchange.ts';

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

/** Why the person of this request may not enter the module that it names; null when they may, or when nobody is signed in yet. */
export type RefusalAtTheDoor = (ctx: KoaContextWithOIDC) => Promise<EntryReason | null>;

/**
 * D.5 step 6: without effective access a page says so, never a token; `prompt=none` is answered with access_denied.
 * Decided once a request, so that what is stored and what is answered agree.
 */
export function createRefusal(door: EntryDoor): RefusalAtTheDoor {
  const decided = new WeakMap<KoaContextWithOIDC, Promise<EntryReason | null>>();
  return (ctx) => {
    const before = decided.get(ctx);
    if (before) return before;
    const decision = decide(ctx, door);
    decided.set(ctx, decision);
    return decision;
  };
}

async function decide(ctx: KoaContextWithOIDC, door: EntryDoor): Promise<EntryReason | null> {
  const { client, params } = ctx.oidc;
  const account = currentAccount(ctx);
  if (!client || !account) return null;
  // Connecting comes before there is anything to enter.
  if (isConnecting(params?.scope)) return mayConnect(account) ? null : 'not-administrator';
  const entry = await door.decide(account, {
    clientId: client.clientId,
    isBuiltIn: client.is_built_in === true,
    asked: typeof params?.instance === 'string' ? params.instance : null,
  });
  if (!entry.allowed) return entry.because;
  const exchange = currentExchange();
  if (exchange) exchange.instanceId = entry.entered?.instance.id ?? null;
  return null;
}
