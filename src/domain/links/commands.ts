import { type CompanyId, newId, type UserId } from '../../lib/ids.ts';
import { randomToken, tokenHash } from '../../lib/secrets.ts';
import { after } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { type LinkKind, linkAddress } from './link.ts';

interface Kind {
  kind: Exclude<LinkKind, 'installation'>;
  companyId: CompanyId;
  /** Milliseconds. */
  lifetime: number;
}

interface Owner {
  userId: UserId;
  /** The mailbox that it goes to, which using it proves; null for one that is handed over. */
  sentTo: string | null;
}

/** A new link voids the open one of its kind (A7.9, C14). @returns its whole address; only here is the token in clear. */
export async function createLink(
  work: Work,
  { userId, sentTo, ...kind }: Kind & Owner,
): Promise<{ address: string; expiresAt: Date }> {
  const { addresses, expiresAt } = await createLinks(work, kind, [{ userId, sentTo }]);
  return { address: addresses[0] ?? '', expiresAt };
}

/** One link of a kind for each of many people, in as many statements as for one. @returns their addresses, in the order of the people. */
export async function createLinks(
  work: Work,
  { kind, companyId, lifetime }: Kind,
  people: Owner[],
): Promise<{ addresses: string[]; expiresAt: Date }> {
  const expiresAt = after(work.now, lifetime);
  const tokens = people.map(() => randomToken());
  await transaction(work, async ({ store, now }) => {
    const userIds = people.map(({ userId }) => userId);
    // One at a time for a person: of two at once, each would want to be the one live link.
    await store.of(companyId).users.holdAll(userIds);
    await store.links.voidOpen(companyId, userIds, [kind], now);
    await store.links.insert(
      people.map(({ userId, sentTo }, i) => ({
        id: newId(),
        companyId,
        userId,
        kind,
        tokenHash: tokenHash(tokens[i] ?? ''),
        sentTo,
        createdAt: now,
        expiresAt,
        usedAt: null,
        voidedAt: null,
      })),
    );
  });
  return { addresses: tokens.map((token) => linkAddress(work.config.publicUrl, kind, token)), expiresAt };
}

/** The way to the first company on an empty database (A1.6, AUT-11): random, single-use, a day long. */
export async function createInstallationLink(work: Work, lifetime: number): Promise<string> {
  const token = randomToken();
  await transaction(work, async ({ store, now }) => {
    await store.links.voidInstallation(now);
    await store.links.insert([
      {
        id: newId(),
        companyId: null,
        userId: null,
        kind: 'installation',
        tokenHash: tokenHash(token),
        sentTo: null,
        createdAt: now,
        expiresAt: after(now, lifetime),
        usedAt: null,
        voidedAt: null,
      },
    ]);
  });
  return linkAddress(work.config.publicUrl, 'installation', token);
}
