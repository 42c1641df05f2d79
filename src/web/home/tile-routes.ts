// My Settings, My Modules: names, order and first page of one's own tiles (B.6).
import { arrangeOwnTiles, listOwnTiles, resetOwnTiles, type TypedTile } from '../../domain/modules/tile-commands.ts';
import { landingOf, originOf } from '../../domain/modules/tiles.ts';
import { AppError } from '../../lib/errors.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { setFlash, showPage } from '../page.ts';
import { type Route, seeOther } from '../routes.ts';
import { homePaths } from '../views.ts';
import { type PersonHandler, signedInOnly } from './home-routes.ts';
import { getUser, own, type Person, shellOf } from './person.ts';

interface Refused {
  sentence: string;
  /** "name <id>" or "landing <id>" */
  field: string;
  typed: TypedTile[];
}

async function draw(ctx: Context, runtime: Runtime, person: Person, refused: Refused | null): Promise<void> {
  const [user, tiles] = await Promise.all([getUser(person), listOwnTiles(person.work, own(person))]);
  const order = new Map(refused?.typed.map(({ id }, i) => [id, i]));
  const inOrder = refused ? tiles.toSorted((a, b) => (order.get(a.id) ?? 999) - (order.get(b.id) ?? 999)) : tiles;
  await showPage(
    ctx,
    runtime,
    'home/modules',
    'My Modules',
    {
      shell: await shellOf(person, user, 'modules'),
      problem: refused && { sentence: refused.sentence, field: null, code: null },
      action: homePaths.modules,
      reset: tiles.some(({ ownName, ownLanding }) => ownName !== null || ownLanding !== null) ? resetPath : null,
      tiles: inOrder.map((tile, i) => {
        const typed = refused?.typed.find(({ id }) => id === tile.id);
        return {
          id: tile.id,
          icon: tile.icon,
          name: tile.name,
          module: tile.module,
          ownName: typed?.name ?? tile.ownName ?? '',
          landing: typed?.landingUrl ?? tile.ownLanding ?? '',
          opensAt: landingOf(tile, null) ?? '',
          origin: originOf(tile),
          isNameWrong: refused?.field === `name ${tile.id}`,
          isLandingWrong: refused?.field === `landing ${tile.id}`,
          isFirst: i === 0,
          isLast: i === inOrder.length - 1,
        };
      }),
    },
    user.theme,
  );
}

const show: PersonHandler = (ctx, runtime, person) => draw(ctx, runtime, person, null);

/** The tiles as the form has them, in its order; `move` shifts one of them by one place. */
function typedTiles({ form, formLists }: Context['state']): TypedTile[] {
  const { id: ids = [], name: names = [], landing: landings = [] } = formLists;
  const tiles = ids.map((id, i) => ({ id, name: names[i] ?? '', landingUrl: landings[i] ?? '' }));
  const [moved, way] = (form.move ?? '').split(':');
  const at = tiles.findIndex(({ id }) => id === moved);
  if (at >= 0) tiles.splice(Math.max(0, at + (way === 'up' ? -1 : 1)), 0, ...tiles.splice(at, 1));
  return tiles;
}

const save: PersonHandler = async (ctx, runtime, person) => {
  const typed = typedTiles(ctx.state);
  try {
    await arrangeOwnTiles(person.work, own(person), typed);
  } catch (error) {
    if (!(error instanceof AppError) || error.status !== 422) throw error;
    const [field = ''] = Object.keys(error.fields);
    await draw(ctx, runtime, person, { sentence: error.message, field, typed });
    ctx.status = 422;
    return;
  }
  if (ctx.state.form.move === undefined) setFlash(ctx, runtime, { kind: 'success', text: 'Your modules are saved.' });
  seeOther(ctx, homePaths.modules);
};

const resetPath = `${homePaths.modules}/reset`;

const reset: PersonHandler = async (ctx, runtime, person) => {
  await resetOwnTiles(person.work, own(person));
  setFlash(ctx, runtime, { kind: 'success', text: 'Your modules have their original names and order again.' });
  seeOther(ctx, homePaths.modules);
};

export const tileRoutes: Route[] = [
  { method: 'get', path: homePaths.modules, handle: signedInOnly(show) },
  { method: 'post', path: homePaths.modules, handle: signedInOnly(save) },
  { method: 'post', path: resetPath, handle: signedInOnly(reset) },
];
