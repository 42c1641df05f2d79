// My Settings, Module access: what modules may do for the person, and taking it back (OAU-24).
import { revokeOwnAccess } from '../../domain/sessions/commands.ts';
import { listModuleAccess, type ModuleAccess } from '../../domain/sessions/queries.ts';
import { AppError, notFound } from '../../lib/errors.ts';
import { isId, type ModuleId } from '../../lib/ids.ts';
import type { Runtime } from '../../runtime.ts';
import { claimWords, scopeWords } from '../access-words.ts';
import type { Context } from '../context.ts';
import { setFlash, showPage } from '../page.ts';
import { param, type Route, seeOther } from '../routes.ts';
import { type FormProblem, homePaths } from '../views.ts';
import { type PersonHandler, signedInOnly } from './home-routes.ts';
import { getUser, momentOf, own, type Person, shellOf, zoneOf } from './person.ts';

/** More modules than any company connects. */
const mostShown = 200;

const revokePath = `${homePaths.access}/revoke`;

const accessOf = (person: Person, limit: number, moduleId?: ModuleId): Promise<ModuleAccess[]> =>
  listModuleAccess(
    person.work.store.db,
    { ...own(person), ...(moduleId === undefined ? {} : { moduleId }) },
    person.work.now,
    limit,
  );

/** Staying is no reading: it is told beside it. */
function readsOf({ scopes, claims }: ModuleAccess): string[] {
  return [...scopeWords(scopes.filter((scope) => scope !== 'offline_access')), ...claimWords(claims, scopes)];
}

async function drawList(ctx: Context, runtime: Runtime, person: Person, problem: FormProblem | null): Promise<void> {
  const [user, held] = await Promise.all([getUser(person), accessOf(person, mostShown + 1)]);
  await showPage(
    ctx,
    runtime,
    'home/access',
    'Module access',
    {
      shell: await shellOf(person, user, 'access'),
      problem,
      modules: held.slice(0, mostShown).map((access) => ({
        name: access.name,
        icon: access.icon,
        reads: readsOf(access),
        since: momentOf(access.since, person.work.now, zoneOf(user)),
        outlivesLogout: access.outlivesLogout,
        revoke: `${homePaths.access}/${access.moduleId}`,
      })),
      cutAt: held.length > mostShown ? mostShown : null,
    },
    user.theme,
  );
}

const list: PersonHandler = (ctx, runtime, person) => drawList(ctx, runtime, person, null);

function moduleIdOf(text: string): ModuleId {
  if (!isId(text)) throw notFound('module');
  return text as ModuleId;
}

function consequencesOf({ name, outlivesLogout, hearsOfLogout }: ModuleAccess, brand: string) {
  return {
    stops: [
      `${name} can no longer read anything about you from ${brand}.`,
      ...(outlivesLogout ? [`Its access while you are not logged in ends.`] : []),
      hearsOfLogout
        ? `You are logged out of ${name} on every device.`
        : `${name} cannot be told to log you out: where it is open, it stays open until you log out there.`,
    ],
    stays: [
      `You stay logged in to ${brand} and to your other modules.`,
      `${name} keeps what it has stored about you already.`,
      `You may still enter ${name}; when you do, it gets access anew.`,
    ],
  };
}

const ask: PersonHandler = async (ctx, runtime, person) => {
  const [access] = await accessOf(person, 1, moduleIdOf(param(ctx, 'module')));
  if (!access) return refuse(ctx, runtime, person);
  const user = await getUser(person);
  await showPage(
    ctx,
    runtime,
    'home/access-revoke',
    'Revoke access',
    {
      shell: await shellOf(person, user, 'access'),
      module: { name: access.name, icon: access.icon },
      ...consequencesOf(access, runtime.config.brandName),
      action: revokePath,
      id: access.moduleId,
      cancel: homePaths.access,
    },
    user.theme,
  );
};

/** Never held, or not any more: whoever pressed twice, or in two windows, sees what is left. */
async function refuse(ctx: Context, runtime: Runtime, person: Person): Promise<void> {
  const sentence = 'That module has no access to your account. It may have been revoked already.';
  await drawList(ctx, runtime, person, { sentence, field: null, code: null });
  ctx.status = 404;
}

const revoke: PersonHandler = async (ctx, runtime, person) => {
  try {
    const module = await revokeOwnAccess(person.work, own(person), moduleIdOf(ctx.state.form.module ?? ''));
    setFlash(ctx, runtime, { kind: 'success', text: `${module} has no access to your account any more.` });
    seeOther(ctx, homePaths.access);
  } catch (error) {
    if (!(error instanceof AppError) || error.status !== 404) throw error;
    await refuse(ctx, runtime, person);
  }
};

export const accessRoutes: Route[] = [
  { method: 'get', path: homePaths.access, handle: signedInOnly(list) },
  { method: 'get', path: `${homePaths.access}/:module`, handle: signedInOnly(ask) },
  { method: 'post', path: revokePath, handle: signedInOnly(revoke) },
];
