// Single logout that an identity provider begins: the sessions that it vouched for end here, at once and everywhere.
import type { UserId } from '../../lib/ids.ts';
import { tokenHash } from '../../lib/secrets.ts';
import { after } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { endSessions } from '../sessions/commands.ts';
import type { Connection } from './connection.ts';
import { loggedOut, noteAttempt, requestLife, subjectHash } from './request-commands.ts';

/** What a message says that has been verified. */
export interface UpstreamLogout {
  issuer: string;
  /** Null: only sessions are named. */
  subject: string | null;
  /** The upstream's own names of them; none: all sessions of the subject. */
  sessions: string[];
  /** It counts once; until when it would count is how long it is remembered. */
  message: { id: string; expiresAt: Date };
  /** For the log: by which way it came. */
  details: Record<string, unknown>;
}

export type UpstreamLoggedOut = { outcome: 'ended'; sessions: number } | { outcome: 'replayed' };

/** The message is taken, the sessions are dead and the modules' logouts are queued in one transaction. Nobody by that name: nothing ends. */
export async function endUpstreamSessions(
  work: Work,
  connection: Connection,
  logout: UpstreamLogout,
): Promise<UpstreamLoggedOut> {
  const { companyId, id, name } = connection;
  const by: Work = { ...work, actor: { kind: 'system', name: `identity provider ${name}` } };
  return transaction(by, async (work) => {
    const { ssoRequests } = work.store;
    const { issuer, subject } = logout;
    const upstream = { connectionId: id, sessionHashes: logout.sessions.map(tokenHash) };
    const names = { ...upstream, subjectHash: subject === null ? null : subjectHash(issuer, subject) };
    // An answer that is being judged just now meets it when it is fetched.
    const keptUntil = new Date(Math.max(logout.message.expiresAt.getTime(), after(work.now, requestLife).getTime()));
    await ssoRequests.holdLogout(id);
    // A name of its own, so that no assertion of the same id stands in its way.
    if (!(await ssoRequests.takeMessage(id, tokenHash(`logout ${logout.message.id}`), keptUntil, names)))
      return { outcome: 'replayed' };
    // Who has arrived and is not in yet, at our second factor or on the way to fetch the answer, gets in by it no more.
    const completing = await ssoRequests.takeBack(id, names);
    const { sessions } = work.store.of(companyId);
    let ended = 0;
    const people = [...new Set([...(await whoIsMeant(work, connection, logout)), ...completing])];
    for (const userId of people) {
      // Who is on the way in comes too late, as when everything ends.
      await sessions.dropUpstreamSignIns(userId, upstream);
      ended += await endSessions(work, { companyId, userId, upstream }, 'upstream-logout');
    }
    const details = { ...logout.details, ended };
    await noteAttempt(work, connection, { outcome: loggedOut, userId: people[0] ?? null, details });
    return { outcome: 'ended', sessions: ended };
  });
}

async function whoIsMeant(
  work: Work,
  { companyId, id }: Connection,
  { issuer, subject, sessions: named }: UpstreamLogout,
): Promise<UserId[]> {
  const { identities, sessions } = work.store.of(companyId);
  if (subject !== null) {
    const userId = await identities.findPerson({ connectionId: id, issuer, subject });
    return userId === null ? [] : [userId];
  }
  const found = await Promise.all(named.map((name) => sessions.listUpstreamPeople(id, tokenHash(name))));
  return [...new Set(found.flat())];
}
