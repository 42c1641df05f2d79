// The engine wants something from the person: prepare the browser for the steps below /interaction/:uid.

import { z } from 'zod';
import { newSupportCode } from '../../domain/audit/audit-event.ts';
import { record } from '../../domain/audit/commands.ts';
import { findCompanyOfAddress } from '../../domain/federation/routing-queries.ts';
import type { AccountFacts } from '../../domain/sessions/record-repository.ts';
import { usernameSchema } from '../../domain/users/user.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { hours } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, getSealedCookie, setSealedCookie } from '../context.ts';
import { identified } from './next-step.ts';
import { routeOf } from './route.ts';
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
  const { uid, prompt, params, account } = interaction;
  const blank: Ticket = ticketSchema.parse({
    uid,
    clientId: String(params.client_id ?? ''),
    prompt: prompt.name,
    step: 'identify',
    isAnew: account !== undefined || String(params.prompt ?? '').includes('login') || params.max_age !== undefined,
    asksSecondFactor: prompt.reasons.some((reason) => reason.startsWith('essential_acr')),
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
  const { work } = ctx.state;
  if (account) return identified(blank, { ...named(account), sso: await routeOf(work, named(account)) });
  const only = await runtime.onlyCompany();
  const hint = companyHintSchema.safeParse(getSealedCookie(ctx, runtime, 'company'));
  const fixed = only?.name ?? (hint.success && hint.data.isFixed ? hint.data.name : null);
  const loginHint = usernameSchema.safeParse(params.login_hint);
  const username = loginHint.success ? loginHint.data : '';
  const company = fixed ?? (hint.success ? hint.data.name : '');
  const ticket = {
    ...blank,
    username,
    company,
    isCompanyFixed: fixed !== null,
    mayUseOtherCompany: fixed !== null && only === null,
  };
  // A proved e-mail domain says which company it is, so there is nothing left to ask.
  const proved = fixed === null && username !== '' ? await findCompanyOfAddress(work, username) : null;
  if (proved) {
    const who = { username, company: proved.name };
    return identified(ticket, { ...who, sso: await routeOf(work, who) });
  }
  if (fixed === null) return ticket;
  const led = username === '' ? null : await routeOf(work, { company, username });
  if (led?.isEnforced) return identified(ticket, { username, company, sso: led });
  // At a company's own address its upstreams are offered before anybody has said who they are.
  const { connections } = await routeOf(work, { company, username: '' });
  return { ...ticket, sso: { connections, isEnforced: false, isStraight: false } };
}

const named = ({ username, company }: AccountFacts) => ({ username, company });

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
  const code = newSupportCode();
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
