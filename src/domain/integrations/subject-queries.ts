// Whom a module means by a `sub`. Those that know people by pairwise names (OpenID Connect Core section 8.1) say them here, too:
// what they were told in ID tokens is all that they know.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { ensureLastingSecret } from '../keys/commands.ts';
import { subjectOf } from '../keys/subject.ts';

/** A pairwise name is a keyed hash, which nobody can turn back: it is found by making those of the company's people. */
const atOnce = 1000;

const form = /^[\w-]{43}$/;

/** @returns our id of the person, or what names nobody. Asks for no permission: for the API, which has authenticated the module. */
export async function ownSubject(
  work: Work,
  { companyId, clientId }: { companyId: CompanyId; clientId: string },
  sub: string,
): Promise<string> {
  const metadata = (await work.store.modules.findByClientId(clientId))?.metadata;
  if (metadata?.subject_type !== 'pairwise') return sub;
  if (!form.test(sub)) return '';
  const key = await ensureLastingSecret(work, 'pairwise');
  for (let last: UserId | null = null; ; ) {
    const ids: UserId[] = await listIdsAfter(work, companyId, last);
    const found = ids.find((id) => subjectOf(key, metadata, id) === sub);
    if (found !== undefined) return found;
    last = ids.at(-1) ?? null;
    if (ids.length < atOnce) return '';
  }
}

async function listIdsAfter(work: Work, companyId: CompanyId, last: UserId | null): Promise<UserId[]> {
  const { rows }: { rows: { id: UserId }[] } = await work.store.db.raw(
    `select id from users where company_id = ? and base_status <> 'Deleted' and (?::uuid is null or id > ?) order by id limit ?`,
    [companyId, last, last, atOnce],
  );
  return rows.map(({ id }) => id);
}
