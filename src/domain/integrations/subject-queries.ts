// Whom a module means by a `sub`. Those that know people by pairwise names (OpenID Connect Core section 8.1) say them here, too:
// what they were told in ID tokens is all that they know.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { after, minutes } from '../../lib/time.ts';
import type { Work } from '../../work.ts';
import { ensureLastingSecret } from '../keys/commands.ts';
import { subjectOf } from '../keys/subject.ts';

/** A pairwise name is a keyed hash, which nobody can turn back: it is found among those of the company's people. */
interface Names {
  byName: Map<string, UserId>;
  last: UserId | null;
  since: Date;
}

// Made once and then added to: whoever asks for names that nobody has must not have them all made each time (DOS-07).
const known = new Map<string, Names>();
const mostKnown = 20;
const anew = minutes(1);

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
  const nameOf = (id: UserId) => subjectOf(key, metadata, id);
  const names = namesFor(`${companyId} ${clientId} ${nameOf(nobody)}`, work.now);
  const found = names.byName.get(sub);
  if (found !== undefined) return found;
  await add(work, companyId, names, nameOf);
  return names.byName.get(sub) ?? '';
}

/** Shows by its own name when the sector is another. */
const nobody = '00000000-0000-0000-0000-000000000000' as UserId;

function namesFor(place: string, now: Date): Names {
  const names = known.get(place) ?? { byName: new Map(), last: null, since: now };
  known.delete(place);
  known.set(place, names);
  for (const oldest of known.keys()) if (known.size > mostKnown) known.delete(oldest);
  // Ids grow with time, but not to the second on every node.
  if (names.since <= after(now, -anew)) Object.assign(names, { last: null, since: now });
  return names;
}

async function add(work: Work, companyId: CompanyId, names: Names, nameOf: (id: UserId) => string): Promise<void> {
  for (;;) {
    const ids: UserId[] = await listIdsAfter(work, companyId, names.last);
    for (const id of ids) names.byName.set(nameOf(id), id);
    names.last = ids.at(-1) ?? names.last;
    if (ids.length < atOnce) return;
  }
}

async function listIdsAfter(work: Work, companyId: CompanyId, last: UserId | null): Promise<UserId[]> {
  const { rows }: { rows: { id: UserId }[] } = await work.store.db.raw(
    `select id from users where company_id = ? and base_status <> 'Deleted' and (?::uuid is null or id > ?) order by id limit ?`,
    [companyId, last, last, atOnce],
  );
  return rows.map(({ id }) => id);
}
