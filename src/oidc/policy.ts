// Our rules as the engine's prompts and checks, each with its reason.
import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { EntryReason } from '../domain/integrations/entry.ts';
import { currentAccount } from './account.ts';
import { type EntryDoor, isConnecting, mayConnect } from './entry-door.ts';
import { currentExchange } from './exchange.ts';

const { Check, Prompt, base } = interactionPolicy;

/** D.5 step 6: without effective access a page says so, never a token; `prompt=none` is answered with access_denied. */
async function refusalOf(ctx: KoaContextWithOIDC, door: EntryDoor): Promise<EntryReason | null> {
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

/** Somebody whose session the database no longer vouches for has to sign in again. */
function isUnknownPerson(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.session?.accountId !== undefined && ctx.oidc.entities.Account === undefined;
}

export function createPolicy(door: EntryDoor) {
  const prompts = base();
  const login = prompts.get('login');
  login?.checks.add(new Check('session_ended', 'the session has ended', 'login_required', isUnknownPerson));

  // Modules are registered by the operator and connected by the company's administrators, so nobody is asked to consent,
  // unless the module asks for it (prompt=consent).
  const consent = prompts.get('consent');
  consent?.checks.remove('native_client_prompt');

  prompts.add(
    new Prompt(
      { name: 'entry', requestable: false },
      new Check(
        'no_access',
        'this person has no access to this module',
        'access_denied',
        async (ctx) => (await refusalOf(ctx, door)) !== null,
        // For the page, and for the record.
        async (ctx) => ({ because: await refusalOf(ctx, door) }),
      ),
    ),
    1,
  );
  return prompts;
}
