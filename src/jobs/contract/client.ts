// What the cases ask of our SCIM client. Each request is the one that a delivery sends (jobs/scim-write.ts), and so is the waiting.
import type { Wanted } from '../../domain/provisioning/account.ts';
import type { SeenAccount } from '../../domain/provisioning/drift.ts';
import { retryAt } from '../../domain/provisioning/lane.ts';
import type { Outgoing } from '../../lib/outgoing.ts';
import type { Sent } from '../module-answer.ts';
import { ScimError, type ScimService } from '../scim.ts';
import { createAccount, deleteAccount, find, patchAccount, readBack } from '../scim-write.ts';

/** Waits and tries again where it may pass; what is refused is a ScimError in the module's words. */
export interface AccountClient {
  /** Makes the account, or finds the one that an earlier try made. */
  create(wanted: Wanted): Promise<SeenAccount>;
  read(id: string): Promise<SeenAccount | null>;
  find(by: 'userName' | 'emails.value', value: string): Promise<SeenAccount[]>;
  /** @param etag the change is meant for this version alone, and tried once; null: for any */
  change(id: string, wanted: Wanted, etag: string | null): Promise<void>;
  /** `kept`: it cannot be deleted, and was disabled instead (C36). */
  remove(id: string): Promise<'gone' | 'kept'>;
}

export interface Patience {
  sleep(milliseconds: number): Promise<void>;
  now(): Date;
}

const mostTries = 5;
/** A test does not wait as long as a delivery would. */
const mostWaitMs = 60_000;

export function createClient(send: Outgoing, service: ScimService, patience: Patience): AccountClient {
  const ask = <T extends Sent | { outcome: 'read' }>(once: () => Promise<T>) => patiently(once, patience);
  return {
    async create(wanted) {
      const newcomer = {
        wanted,
        subject: wanted.knownAs ?? '',
        // What fits by its address is not ours: only an account of this very test is taken over.
        linkMode: 'explicit' as const,
        severalMatches: 'refuse' as const,
        takenOf: async () => [],
      };
      const sent = await ask(() => createAccount(send, service, newcomer));
      if (sent.account) return sent.account;
      throw new ScimError('It did not say which account it made.');
    },
    async read(id) {
      return (await ask(() => readBack(send, service, id))).account;
    },
    async find(by, value) {
      const found = await find(send, service, by, value);
      if (Array.isArray(found)) return found;
      throw errorOf(found);
    },
    async change(id, wanted, etag) {
      const once = () => patchAccount(etag === null ? send : forVersion(send, etag), service, id, wanted);
      const sent = etag === null ? await ask(once) : await once();
      if (sent.outcome !== 'accepted') throw errorOf(sent);
      if (sent.isGone) throw new ScimError('It has no such account any more.');
    },
    async remove(id) {
      return (await ask(() => deleteAccount(send, service, id))).isKept ? 'kept' : 'gone';
    },
  };
}

/** RFC 9110 section 13.1.1; deliveries do without: a module's newest word counts for them. */
const forVersion =
  (send: Outgoing, etag: string): Outgoing =>
  (address, request) =>
    send(address, { ...request, headers: { ...request.headers, 'if-match': etag } });

function errorOf(sent: Sent): ScimError {
  if (sent.outcome === 'passing')
    return new ScimError(sent.words, { isPassing: true, retryAfterMs: sent.retryAfterMs });
  return new ScimError(sent.words);
}

type Done<T> = Extract<T, { outcome: 'accepted' | 'read' }>;

/** What may pass is tried again after the wait that a delivery would keep, and never before the module wants it. */
async function patiently<T extends Sent | { outcome: 'read' }>(
  once: () => Promise<T>,
  { sleep, now }: Patience,
): Promise<Done<T>> {
  for (let tries = 1; ; tries++) {
    const sent: Sent | { outcome: 'read' } = await once();
    // What is neither refused nor passing is done.
    if (sent.outcome === 'accepted' || sent.outcome === 'read') return sent as Done<T>;
    if (sent.outcome === 'refused' || tries >= mostTries) throw errorOf(sent);
    const at = now();
    const next = retryAt(tries, at, sent.retryAfterMs === null ? {} : { retryAfterMs: sent.retryAfterMs });
    await sleep(Math.min(next.getTime() - at.getTime(), mostWaitMs));
  }
}
