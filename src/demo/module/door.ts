/** Where the kit meets the module's own accounts: who may come in through the provider, and whose request this is. */
import type { Context } from 'koa';
import type { Acceptance, EndReason, ModuleSession, SessionReading, SignIn } from '../../sdk/module.ts';
import { type Account, decideEntry } from './account.ts';
import type { ModuleRuntime } from './runtime.ts';

export type Visit =
  | { session: ModuleSession; account: Account }
  | { session: null; notice: EndReason | null; hadCookie: boolean };

export interface Door {
  /** The account of this person, linked at the first time, or the plain reason why there is none (C28). */
  accept(signIn: SignIn): Promise<Acceptance>;
  /** A live session, fresh at the provider, of an account that is still active. */
  visit(ctx: Context): Promise<Visit>;
}

/** After a failure the provider is left alone for so long, since each request would wait for it. */
const PAUSE_MS = 30_000;

export function createDoor({ kit, accounts, config, log, clock }: ModuleRuntime): Door {
  let askAgainAt = 0;

  async function accept({ user }: SignIn): Promise<Acceptance> {
    const { issuer } = config;
    const identity = { issuer, subject: user.sub, email: user.email, emailVerified: user.emailVerified };
    const entry = decideEntry(identity, accounts.all());
    if (entry.outcome === 'refused') {
      log.info({ reason: entry.reason, subject: user.sub }, 'entry refused');
      return { enter: false, location: `/login?problem=${entry.reason}` };
    }
    const { account, isNewLink } = entry;
    if (isNewLink) {
      const linkedAt = new Date(clock()).toISOString();
      const isLinked = await accounts.link(account.id, { issuer, subject: user.sub, linkedAt });
      if (!isLinked) return { enter: false, location: '/login?problem=linked-elsewhere' };
      log.info({ account: account.id, subject: user.sub }, 'account linked');
    }
    return { enter: true, data: { accountId: account.id } };
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
    const account = accounts.find(String(reading.session.data.accountId));
    if (account?.status === 'active') return { session: reading.session, account };
    await kit.sessions.end(reading.session);
    return { session: null, notice: null, hadCookie: true };
  }

  return { accept, visit };
}
