// What people do to their own tiles (B.6). Self-service: commands of its own.
import { invalid } from '../../lib/errors.ts';
import type { Work } from '../../work.ts';
import { type Own, own } from '../users/own-commands.ts';
import { moduleNameSchema } from './module.ts';
import type { ReachableTile } from './repository.ts';
import { arrange, landingProblem, type OwnTile, parseTiles, tilesPreference } from './tiles.ts';

/** A person's tiles as they see them. */
export async function listOwnTiles(work: Work, { companyId, userId }: Own) {
  const { instances, preferences } = work.store.of(companyId);
  const [reachable, stored] = await Promise.all([
    instances.listReachable(userId),
    preferences.find(userId, tilesPreference),
  ]);
  return arrange(reachable, parseTiles(stored));
}

/** What somebody typed for a tile; empty: as it comes. */
export interface TypedTile {
  id: string;
  name: string;
  landingUrl: string;
}

function check(tile: ReachableTile, { name: typedName, landingUrl: typedUrl }: TypedTile): OwnTile {
  const [name, landingUrl] = [typedName.trim(), typedUrl.trim()];
  if (name !== '' && (!moduleNameSchema.safeParse(name).success || /\p{Cc}/u.test(name)))
    throw invalid(`A name has 60 characters at most: "${name.slice(0, 20)}…" is longer.`, {
      [`name ${tile.id}`]: name,
    });
  const problem = landingUrl === '' ? null : landingProblem(tile, landingUrl);
  if (problem !== null) throw invalid(`${tile.name}: ${problem}`, { [`landing ${tile.id}`]: problem });
  return {
    id: tile.id,
    name: name === '' || name === tile.name ? null : name,
    landingUrl: landingUrl === '' || landingUrl === tile.landingUrl ? null : landingUrl,
  };
}

/**
 * Keeps names, addresses and order; the order is that of the list. Tiles that the person does not reach now keep what was chosen
 * for them before, behind the others.
 * @throws AppError 422; `fields` names what is wrong as "name <id>" or "landing <id>"
 */
export async function arrangeOwnTiles(work: Work, who: Own, typed: TypedTile[]): Promise<void> {
  own(work, who);
  const { instances, preferences } = work.store.of(who.companyId);
  const [reachable, stored] = await Promise.all([
    instances.listReachable(who.userId),
    preferences.find(who.userId, tilesPreference),
  ]);
  const tiles = new Map(reachable.map((tile) => [tile.id as string, tile]));
  const chosen: OwnTile[] = [];
  for (const one of typed) {
    const tile = tiles.get(one.id);
    tiles.delete(one.id);
    if (tile) chosen.push(check(tile, one));
  }
  const rest = parseTiles(stored).filter(({ id }) => !chosen.some((one) => one.id === id));
  await preferences.save(who.userId, tilesPreference, [...chosen, ...rest].slice(0, mostKept));
}

/** More than anybody's company connects; what is kept for a person has an end. */
const mostKept = 500;

export async function resetOwnTiles(work: Work, who: Own): Promise<void> {
  own(work, who);
  await work.store.of(who.companyId).preferences.save(who.userId, tilesPreference, []);
}
