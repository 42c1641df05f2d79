// The engine wants something from the person: prepare the browser for the steps below /interaction/:uid.

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { supportCode } from '../../domain/audit/audit-event.ts';
import { record } from '../../domain/audit/commands.ts';
import type { AccountFacts } from '../../domain/sessions/record-repository.ts';
import { usernameSchema } from '../../domain/users/user.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { hours } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, getSealedCookie, setSealedCookie } from '../context.ts';
import { because, type Ticket, ticketSchema } from './ticket.ts';

/** What the engine waits for, and for whom. */
export interface Interaction {
  uid: string;
  prompt: { name: string; reasons: string[]; details: Record<string, unknown> };
  params: Record<string, unknown>;
  account: AccountFacts | undefined;
}

export const ticketPath = (uid: string) => `/interaction/${uid}`;

const companyHintSchema = z.object({ name: z.string(), isFixed: z.boolean() });

export async function beginInteraction(runtime: Runtime, ctx: Context, interaction: Interaction): Promise<void> {
  const { uid, prompt, params } = interaction;
  const blank: Ticket = ticketSchema.parse({
    uid,
    clientId: String(params.client_id ?? ''),
    prompt: prompt.name,
    step: 'identify',
  });
  const ticket = await prepare(runtime, ctx, interaction, blank);
  setSealedCookie(ctx, runtime, 'ticket', ticket, { path: ticketPath(uid), maxAge: hours(1) });
}

async function prepare(runtime: Runtime, ctx: Context, interaction: Interaction, blank: Ticket): Promise<Ticket> {
  const { prompt, params, account } = interaction;
  if (prompt.name === 'entry') {
    const refused: Ticket = {
      ...blank,
      step: 'entry',
      because: because.parse(prompt.details.because),
      company: account?.company ?? '',
    };
    const module = (await runtime.clients.module(refused.clientId))?.name;
    return {
      ...refused,
      code: await tellRefusedEntry(ctx, { module, ticket: refused, account, instance: params.instance }),
    };
  }
  if (prompt.name === 'consent') {
    const redirectHost = URL.parse(String(params.redirect_uri ?? ''))?.host ?? '';
    return {
      ...blank,
      step: 'consent',
      scopes: String(params.scope ?? 'openid').split(' '),
      redirectHost,
      username: account?.username ?? '',
      company: account?.company ?? '',
    };
  }
  // Somebody is signed in and has to prove it anew (prompt=login, max_age): no need to ask who.
  if (account) return { ...blank, step: 'password', username: account.username, company: account.company };
  const only = await runtime.onlyCompany();
  const hint = companyHintSchema.safeParse(getSealedCookie(ctx, runtime, 'company'));
  const fixed = only?.name ?? (hint.success && hint.data.isFixed ? hint.data.name : null);
  const loginHint = usernameSchema.safeParse(params.login_hint);
  return {
    ...blank,
    username: loginHint.success ? loginHint.data : '',
    company: fixed ?? (hint.success ? hint.data.name : ''),
    isCompanyFixed: fixed !== null,
    mayUseOtherCompany: fixed !== null && only === null,
  };
}

/** A code on the page leads an administrator to the reason. */
async function tellRefusedEntry(
  ctx: Context,
  of: {
    module: string | undefined;
    ticket: Ticket;
    account: { id: UserId; companyId: CompanyId } | undefined;
    instance: unknown;
  },
): Promise<string> {
  const { module, ticket, account, instance } = of;
  const code = supportCode(randomBytes(8));
  await record(ctx.state.work, {
    action: 'entry.refuse',
    companyId: account?.companyId ?? null,
    ...(account ? { target: { kind: 'user' as const, id: account.id } } : {}),
    details: {
      clientId: ticket.clientId,
      module,
      reason: ticket.because,
      ...(typeof instance === 'string' ? { instance } : {}),
    },
    code,
  });
  return code;
}
