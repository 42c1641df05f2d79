// Our rules as the engine's prompts and checks, each with its reason.
import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { decideEntry } from '../domain/modules/entry.ts';
import { currentAccount } from './account.ts';

const { Check, Prompt, base } = interactionPolicy;

/** D.5 step 6: without effective access a page says so, never a token; `prompt=none` is answered with access_denied. */
function mayNotEnter(ctx: KoaContextWithOIDC): boolean {
  const { client } = ctx.oidc;
  const account = currentAccount(ctx);
  if (!client || !account) return false;
  const entry = decideEntry({
    isBuiltIn: client.is_built_in === true,
    clientId: client.clientId,
    reachable: account.reachable,
  });
  return !entry.allowed;
}

/** Somebody whose session the database no longer vouches for has to sign in again. */
function isUnknownPerson(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.session?.accountId !== undefined && ctx.oidc.entities.Account === undefined;
}

export function createPolicy() {
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
      new Check('no_access', 'this person has no access to this module', 'access_denied', mayNotEnter),
    ),
    1,
  );
  return prompts;
}
