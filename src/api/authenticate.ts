// Who calls the API. Bearer secrets only: no cookie counts here, so no form of another site can act (WEB-06).
import { findCeremony } from '../domain/integrations/ceremony-commands.ts';
import { findMachine } from '../domain/integrations/credential-commands.ts';
import { unauthorized } from '../lib/errors.ts';
import type { ApiContext } from './context.ts';
import type { Auth, Callers } from './endpoint.ts';

// RFC 6750 section 2.1; the scheme's name knows no letters' case (RFC 9110 section 11.1).
const bearer = /^Bearer ([A-Za-z0-9._~+/-]{1,2000}=*)$/i;

export const bearerOf = (ctx: ApiContext): string => bearer.exec(ctx.get('authorization'))?.[1] ?? '';

const waysIn: { [A in Auth]: (ctx: ApiContext) => Promise<Callers[A]> } = {
  anybody: async () => null,
  async instance(ctx) {
    const machine = await findMachine(ctx.state.work, bearerOf(ctx));
    if (!machine) throw unauthorized();
    return machine;
  },
  async ceremony(ctx) {
    const token = await findCeremony(ctx.state.work, bearerOf(ctx));
    if (!token) throw unauthorized();
    return token;
  },
};

/** @throws AppError 401, the same for every key that does not open (API-08) */
export async function authenticate(ctx: ApiContext, auth: Auth): Promise<Callers[Auth]> {
  return waysIn[auth](ctx);
}
