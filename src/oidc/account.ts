// The person as the engine and the modules see them: claims of D.5 step 7.
import type { Account, KoaContextWithOIDC } from 'oidc-provider';
import type { AccountFacts } from '../domain/sessions/record-repository.ts';
import { currentExchange } from './exchange.ts';

/** Which claims each scope opens; groups are only those linked to the asking module. */
export const claims = {
  acr: null,
  auth_time: null,
  iss: null,
  sid: null,
  openid: ['sub', 'acr', 'amr', 'company_id', 'company', 'company_role', 'groups'],
  profile: ['name', 'given_name', 'family_name', 'preferred_username', 'zoneinfo'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
};

const byScope = new Map<string, unknown>(Object.entries(claims));

/** Claims that a module may ask for one by one: those of the scopes that it is registered for, and no more (OAU-14). */
export function claimsWithin(scopes: string): Set<string> {
  return new Set(
    scopes.split(' ').flatMap((scope) => {
      const opened = byScope.get(scope);
      return Array.isArray(opened) ? opened : [];
    }),
  );
}

export function claimsOf(facts: AccountFacts, clientId: string | undefined) {
  return {
    sub: facts.id,
    email: facts.email,
    email_verified: facts.emailVerified,
    name: `${facts.firstName} ${facts.lastName}`.trim(),
    given_name: facts.firstName,
    family_name: facts.lastName,
    preferred_username: facts.username,
    zoneinfo: facts.timeZone ?? undefined,
    phone_number: facts.phone ?? undefined,
    phone_number_verified: facts.phone ? false : undefined,
    company_id: facts.companyId,
    company: facts.company,
    company_role: facts.role,
    groups: clientId ? (facts.reachable[clientId] ?? []) : [],
  };
}

/** Only people who came with a record of this very request exist for the engine; nobody is fetched by id alone. */
export async function findAccount(ctx: KoaContextWithOIDC, id: string): Promise<Account | undefined> {
  const facts = currentExchange()?.accounts.get(id);
  if (!facts) return undefined;
  return { accountId: id, claims: async () => claimsOf(facts, ctx.oidc.client?.clientId) };
}

export function currentAccount(ctx: KoaContextWithOIDC): AccountFacts | undefined {
  const id = ctx.oidc.entities.Account?.accountId;
  return id === undefined ? undefined : currentExchange()?.accounts.get(id);
}
