// The person as the engine and the modules see them: claims of D.5 step 7.
import type { Account, KoaContextWithOIDC } from 'oidc-provider';
import { type Entered, moduleAccess } from '../domain/integrations/entry.ts';
import { type Profile, plainProfile } from '../domain/modules/profile.ts';
import type { AccountFacts } from '../domain/sessions/record-repository.ts';
import type { EntryDoor } from './entry-door.ts';
import { currentExchange } from './exchange.ts';

/** Which claims each scope opens; groups are only those linked to the instance that is entered. */
export const claims = {
  acr: null,
  auth_time: null,
  iss: null,
  sid: null,
  openid: ['sub', 'acr', 'amr', 'company_id', 'company', 'company_role', 'groups', 'module_access'],
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

export function claimsOf(facts: AccountFacts, entered: Entered | null, profile: Profile) {
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
    groups: entered?.instance.groups.map(({ name }) => name) ?? [],
    module_access: entered ? moduleAccess(profile, entered) : undefined,
  };
}

/** Only people who came with a record of this very request exist for the engine; nobody is fetched by id alone. */
export const createFindAccount =
  (door: EntryDoor) =>
  async (ctx: KoaContextWithOIDC, id: string): Promise<Account | undefined> => {
    const facts = currentExchange()?.accounts.get(id);
    return facts && { accountId: id, claims: () => claimsHere(ctx, facts, door) };
  };

async function claimsHere(ctx: KoaContextWithOIDC, facts: AccountFacts, door: EntryDoor) {
  const { client } = ctx.oidc;
  if (!client) return claimsOf(facts, null, plainProfile);
  const asked = currentExchange()?.instanceId ?? null;
  const { clientId, is_built_in: isBuiltIn } = client;
  const entry = await door.decide(facts, { clientId, isBuiltIn: isBuiltIn === true, asked });
  return claimsOf(facts, entry.allowed ? entry.entered : null, entry.profile);
}

export function currentAccount(ctx: KoaContextWithOIDC): AccountFacts | undefined {
  const id = ctx.oidc.entities.Account?.accountId;
  return id === undefined ? undefined : currentExchange()?.accounts.get(id);
}
