// Our rules as the engine's prompts and checks, each with its reason.
import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { RefusalAtTheDoor } from './entry-door.ts';

const { Check, Prompt, base } = interactionPolicy;

/** Somebody whose session the database no longer vouches for has to sign in again. */
function isUnknownPerson(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.session?.accountId !== undefined && ctx.oidc.entities.Account === undefined;
}

export function createPolicy(refusalOf: RefusalAtTheDoor) {
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
        async (ctx) => (await refusalOf(ctx)) !== null,
        // For the page, and for the record.
        async (ctx) => ({ because: await refusalOf(ctx) }),
      ),
    ),
    1,
  );
  return prompts;
}
