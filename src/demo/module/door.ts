/** Where the kit meets the module's own accounts: who may come in through the provider, and whose request this is. */
import type { Context } from 'koa';
import {
  type Acceptance,
  buildCookie,
  decideAccount,
  type EndReason,
  type EntryOutcome,
  type ModuleSession,
  type SessionReading,
  type SignIn,
} from '../../sdk/module.ts';
import type { Account } from './account.ts';
import type { ModuleRuntime } from './runtime.ts';

export type Visit =
  | { session: ModuleSession; account: Account }
  | { session: null; notice: EndReason | null; hadCookie: boolean };

export interface Door {
  /** The account of this person, linked or made at the first time, or the plain reason why there is none (C28). */
  accept(signIn: SignIn): Promise<Acceptance>;
  /** A live session, fresh at the provider, of an account that is still active. */
  visit(ctx: Context): Promise<Visit>;
}

/** After a failure the provider is left alone for so long, since each request would wait for it. */
const PAUSE_MS = 30_000;
const PROOF_SECONDS = 600;

/** Keeps who somebody is at the provider until they have logged in here once (B.8). */
export const proofCookie = (slug: string) => `${slug}_link`;

export function createDoor(runtime: ModuleRuntime): Door {
  const { kit, accounts, config, integration, hooks, log, clock, url } = runtime;
  let askAgainAt = 0;

  /** Without an integration there are no settings: an account that exists is all that can be entered. */
  async function enterPlainly({ user }: SignIn): Promise<EntryOutcome> {
    const link = { issuer: config.issuer, sub: user.sub };
    const known = await hooks.matching({ link, names: user.email ? [user.email] : [] });
    const decision = decideAccount({ ...user, access: null }, known, { issuer: config.issuer, profile: null });
    if (decision.outcome === 'refused') return { enter: false, reason: decision.reason };
    if (decision.outcome !== 'enter') return { enter: false, reason: 'no_account' };
    const isIn = !decision.isNewLink || (await hooks.link(decision.account.id, link));
    return isIn
      ? { enter: true, account: decision.account, created: false }
      : { enter: false, reason: 'linked_elsewhere' };
  }

  async function accept(signIn: SignIn): Promise<Acceptance> {
    const entry = await (integration ? integration.enter(signIn) : enterPlainly(signIn));
    if (entry.enter) return { enter: true, data: { accountId: entry.account.id } };
    if (entry.reason === 'prove') {
      const options = { secure: url.startsWith('https:'), maxAge: PROOF_SECONDS };
      return {
        enter: false,
        location: '/login/link',
        setCookie: buildCookie(proofCookie(config.slug), entry.proof, options),
      };
    }
    log.info({ reason: entry.reason, subject: signIn.user.sub }, 'entry refused');
    return { enter: false, location: `/login?problem=${entry.reason}` };
  }

  /** While the provider is away the module works on: the session ends by its own times at the latest. */
  async function freshen(session: ModuleSession): Promise<SessionReading> {
    if (clock() < askAgainAt) return { state: 'live', session };
    try {
      return await kit.sessions.freshen(session);
    } catch (error) {
      askAgainAt = clock() + PAUSE_MS;
      log.warn({ err: error }, 'session not renewed');
      return { state: 'live', session };
    }
  }

  async function visit(ctx: Context): Promise<Visit> {
    const stored = await kit.sessions.read(ctx.get('cookie'));
    const reading = stored.state === 'live' ? await freshen(stored.session) : stored;
    if (reading.state === 'none') return { session: null, notice: null, hadCookie: false };
    if (reading.state === 'ended') return { session: null, notice: reading.reason, hadCookie: true };
    const { session } = reading;
    const account = accounts.find(String(session.data.accountId));
    const isOver = account !== undefined && session.createdAt <= account.sessionsEndedAt;
    if (account?.status === 'active' && !isOver) return { session, account };
    await kit.sessions.end(session);
    return { session: null, notice: isOver && session.user ? 'provider' : null, hadCookie: true };
  }

  return { accept, visit };
}
