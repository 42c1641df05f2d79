// One's own tiles (B.6): each person may rename and reorder the modules they reach, and say where one opens. Pure.
import { type InstanceId, isId } from '../../lib/ids.ts';
import type { Instance } from './module.ts';

/** What a person has chosen for a tile; null: as it comes. */
export interface OwnTile {
  id: InstanceId;
  name: string | null;
  landingUrl: string | null;
}

export const tilesPreference = 'tiles';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const textOrNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** What was stored, whichever version of us stored it. */
export function parseTiles(stored: unknown): OwnTile[] {
  const list = Array.isArray(stored) ? stored : [];
  return list.flatMap((one: unknown) => {
    if (!isRecord(one) || typeof one.id !== 'string' || !isId(one.id)) return [];
    return [{ id: one.id as InstanceId, name: textOrNull(one.name), landingUrl: textOrNull(one.landingUrl) }];
  });
}

type Places = Pick<Instance, 'initiateLoginUri' | 'landingUrl'>;

/** Where an instance lives: the only place to which one of its tiles may lead (no open redirect, OAU-11). */
export function originOf({ landingUrl, initiateLoginUri }: Places): string | null {
  return URL.parse(landingUrl ?? initiateLoginUri ?? '')?.origin ?? null;
}

/** The address that a tile opens at; a choice that does not lie in the instance (any more) counts for nothing. */
export function landingOf(instance: Places, own: string | null): string | null {
  return own !== null && landingProblem(instance, own) === null ? own : instance.landingUrl;
}

/** Why an address is none for this tile, or null. */
export function landingProblem(instance: Places, address: string): string | null {
  const origin = originOf(instance);
  if (origin === null) return 'This module has no address of its own to open at.';
  const url = URL.parse(address);
  // `blob:` has the origin of what made it.
  if (url?.origin !== origin || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    return `Enter an address that begins with ${origin}/.`;
  return address.length > 500 ? 'An address has 500 characters at most.' : null;
}

/** The tiles in the person's order and under the person's names; those that came later stand at the end. */
export function arrange<T extends { id: InstanceId; name: string }>(
  reachable: T[],
  own: OwnTile[],
): (T & { ownName: string | null; ownLanding: string | null })[] {
  const places = new Map(own.map((tile, place) => [tile.id, { tile, place }]));
  const placeOf = ({ id }: T) => places.get(id)?.place ?? own.length;
  return reachable
    .map((tile) => {
      const chosen = places.get(tile.id)?.tile;
      return { ...tile, ownName: chosen?.name ?? null, ownLanding: chosen?.landingUrl ?? null };
    })
    .sort((one, other) => placeOf(one) - placeOf(other));
}
