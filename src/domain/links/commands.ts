import { type CompanyId, newId, type UserId } from '../../lib/ids.ts';
import { randomToken, tokenHash } from '../../lib/secrets.ts';
import { after } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { type LinkKind, linkAddress } from './link.ts';

interface Request {
  kind: Exclude<LinkKind, 'installation'>;
  companyId: CompanyId;
  userId: UserId;
  sentTo: string;
  /** Milliseconds. */
  lifetime: number;
}

/** A new link voids the open one of its kind (A7.9, C14). @returns its whole address; only here is the token in clear. */
export async function createLink(work: Work, request: Request): Promise<{ address: string; expiresAt: Date }> {
  const token = randomToken();
  const expiresAt = after(work.now, request.lifetime);
  await transaction(work, async ({ store, now }) => {
    // One at a time for a person: of two at once, each would want to be the one live link.
    await store.of(request.companyId).users.lockById(request.userId);
    await store.links.voidOpen(request.companyId, request.userId, [request.kind], now);
    await store.links.insert(
      {
        id: newId(),
        companyId: request.companyId,
        userId: request.userId,
        kind: request.kind,
        sentTo: request.sentTo,
        createdAt: now,
        expiresAt,
        usedAt: null,
        voidedAt: null,
      },
      tokenHash(token),
    );
  });
  return { address: linkAddress(work.config.publicUrl, request.kind, token), expiresAt };
}

/** The way to the first company on an empty database (A1.6, AUT-11): random, single-use, a day long. */
export async function createInstallationLink(work: Work, lifetime: number): Promise<string> {
  const token = randomToken();
  await transaction(work, async ({ store, now }) => {
    await store.links.voidInstallation(now);
    await store.links.insert(
      {
        id: newId(),
        companyId: null,
        userId: null,
        kind: 'installation',
        sentTo: null,
        createdAt: now,
        expiresAt: after(now, lifetime),
        usedAt: null,
        voidedAt: null,
      },
      tokenHash(token),
    );
  });
  return linkAddress(work.config.publicUrl, 'installation', token);
}
