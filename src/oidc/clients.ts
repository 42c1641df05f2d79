// Clients as the engine wants them, from the modules table, kept in memory until another node says they changed.
import { type ClientMetadata as EngineMetadata, errors, type Provider } from 'oidc-provider';
import { connectScope } from '../domain/integrations/ceremony-commands.ts';
import type { Module } from '../domain/modules/module.ts';

export interface ClientCatalogue {
  find(clientId: string): Promise<EngineMetadata | undefined>;
  /** Module behind a client, for pages. */
  module(clientId: string): Promise<Module | undefined>;
  /** True when some client's scripts run on this origin (OAU-12). */
  isKnownOrigin(origin: string): Promise<boolean>;
  /** Forget everything; the next question reads anew. */
  invalidate(): void;
}

interface Snapshot {
  modules: Map<string, Module>;
  clients: Map<string, EngineMetadata>;
  origins: Set<string>;
}

/** @param list reads all modules; there are dozens, not thousands, so they are read together. */
export function createClientCatalogue(list: () => Promise<Module[]>): ClientCatalogue {
  let snapshot: Promise<Snapshot> | null = null;

  async function load(): Promise<Snapshot> {
    const modules = await list();
    return {
      modules: new Map(modules.map((module) => [module.clientId, module])),
      clients: new Map(modules.map((module) => [module.clientId, toEngine(module)])),
      origins: new Set(
        modules.flatMap(({ metadata }) => metadata.cors_origins.map((origin) => new URL(origin).origin)),
      ),
    };
  }

  function current(): Promise<Snapshot> {
    if (!snapshot) {
      const loading = load();
      snapshot = loading;
      // A failed read must not be remembered as the answer.
      loading.catch(() => {
        if (snapshot === loading) snapshot = null;
      });
    }
    return snapshot;
  }

  return {
    find: async (clientId) => (await current()).clients.get(clientId),
    module: async (clientId) => (await current()).modules.get(clientId),
    isKnownOrigin: async (origin) => (await current()).origins.has(origin),
    invalidate() {
      snapshot = null;
    },
  };
}

/** @returns the engine's complaint about a module that is to be registered, or null. */
export function complaintAbout(provider: Provider, module: Module): string | null {
  try {
    // The engine checks metadata when it makes a client of them, and says what is wrong in its error.
    new (provider.Client as unknown as new (metadata: EngineMetadata) => unknown)(toEngine(module));
    return null;
  } catch (error) {
    if (error instanceof errors.OIDCProviderError) return error.error_description ?? error.message;
    throw error;
  }
}

function toEngine(module: Module): EngineMetadata {
  // Tiles are ours, and the engine refuses http even on localhost.
  const { initiate_login_uri: _, ...metadata } = module.metadata;
  return {
    client_id: module.clientId,
    client_name: module.name,
    // The engine compares through `compareClientSecret`, which hashes what the client sends (see provider.ts).
    ...(module.secretHash ? { client_secret: module.secretHash } : {}),
    ...metadata,
    scope: mayBeConnected(module) ? `${metadata.scope} ${connectScope}` : metadata.scope,
    // Without a redirect address there is no code flow, and the engine insists that response types say so.
    response_types: metadata.grant_types.includes('authorization_code') ? metadata.response_types : [],
    is_built_in: module.isBuiltIn,
  };
}

/** Whatever has something to set up has an Integration Center of its own, and so a connect ceremony. */
const mayBeConnected = ({ isBuiltIn, profile, metadata }: Module): boolean =>
  !isBuiltIn && profile.capabilities.length > 0 && metadata.grant_types.includes('authorization_code');
