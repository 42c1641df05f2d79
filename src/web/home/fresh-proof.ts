// Before a sensitive act on one's own account: password and code, unless both were given just now (AUT-19). Who signs in with single
// sign-on alone has neither here: their proof is a login that the identity provider is asked to make anew.
import { proveOneself } from '../../domain/users/own-commands.ts';
import { mustUseSso } from '../../domain/users/sso-queries.ts';
import { minutes } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { browserToken, showPage } from '../page.ts';
import { startSignIn } from '../public/sign-in-routes.ts';
import type { Route } from '../routes.ts';
import { hasFreshLogin } from '../sso/fresh-login.ts';
import { type FormProblem, homePaths, type ViewLocals } from '../views.ts';
import { type PersonHandler, signedInOnly } from './home-routes.ts';
import { getUser, own, type Person, shellOf } from './person.ts';

/** AUT-19: password and code within the last five minutes, or give them now. */
const freshFor = minutes(5);

export interface Sensitive {
  title: string;
  sentence: string;
  path: string;
  button: string;
  danger: boolean;
  /** Something stops working: said and confirmed first, however short ago the person logged in. */
  asksFirst?: boolean;
  /** The page that it belongs to, and leads back to. */
  place?: 'security' | 'profile';
  /** Where Cancel leads, if not to that page. */
  cancel?: string;
  /** However short ago the person logged in. */
  always?: boolean;
  /** Fields of the first form that have to come along. */
  carries?: string[];
  act: PersonHandler;
}

/** Where somebody without a password here logs in anew. */
export const provePath = '/settings/prove';

/** `none`: only a password would do, and there is none. */
type Way = ViewLocals['home/confirm']['way'];

const waySentences: Record<Way, string> = {
  password: '',
  button: '',
  again:
    'You log in with single sign-on, so there is no password to ask for. Log in there once more; then come back and do it again within five minutes.',
  none: 'You log in with single sign-on and have no password here, so this cannot be confirmed. Ask another administrator.',
};

async function drawConfirm(
  ctx: Context,
  runtime: Runtime,
  person: Person,
  what: Sensitive,
  { way, problem }: { way: Way; problem: FormProblem | null },
): Promise<void> {
  const user = await getUser(person);
  const factor = await person.work.store.of(person.companyId).credentials.findTotp(person.userId);
  const { place = 'security', carries = [] } = what;
  await showPage(
    ctx,
    runtime,
    'home/confirm',
    what.title,
    {
      shell: await shellOf(person, user, place),
      title: what.title,
      sentence: what.sentence,
      way,
      waySentence: waySentences[way],
      action: way === 'again' ? provePath : what.path,
      problem,
      button: what.button,
      askCode: factor !== null,
      cancel: what.cancel ?? homePaths[place],
      danger: what.danger,
      hidden:
        way === 'again'
          ? [{ name: 'place', value: place }]
          : carries.map((name) => ({ name, value: ctx.state.form[name] ?? '' })),
    },
    user.theme,
  );
}

export function sensitive(what: Sensitive): PersonHandler {
  return async (ctx, runtime, person) => {
    const { password, code, confirmed } = ctx.state.form;
    const isFreshThere = hasFreshLogin(ctx, runtime, person.userId);
    const isFresh = person.isFederated
      ? isFreshThere
      : person.work.now.getTime() - person.signedInAt.getTime() <= freshFor;
    if (await hasNoPassword(person)) {
      const way = wayWithout(what, { isFresh: isFreshThere, isConfirmed: confirmed === 'yes' });
      return way === null
        ? what.act(ctx, runtime, person)
        : drawConfirm(ctx, runtime, person, what, { way, problem: null });
    }
    if (password === undefined) {
      // The first post asks; even a fresh sign-in confirms who and what before anything is lost.
      if (!isFresh || what.danger || what.always)
        return drawConfirm(ctx, runtime, person, what, { way: 'password', problem: null });
      if (what.asksFirst && confirmed !== 'yes')
        return drawConfirm(ctx, runtime, person, what, { way: 'button', problem: null });
      return what.act(ctx, runtime, person);
    }
    const proof = await proveOneself(person.work, own(person), {
      password,
      code: code ?? '',
      browserToken: browserToken(ctx, runtime),
    });
    if (proof.outcome === 'proved') return what.act(ctx, runtime, person);
    const problem = { sentence: proof.sentence, field: proof.field, code: null };
    await drawConfirm(ctx, runtime, person, what, { way: 'password', problem });
    ctx.status = 422;
  };
}

/** None that counts: they never set one, or single sign-on is enforced for them (C26). */
async function hasNoPassword({ work, companyId, userId, account }: Person): Promise<boolean> {
  if ((await work.store.of(companyId).credentials.findPassword(userId)) === null) return true;
  return mustUseSso(work, { name: account.company }, account);
}

/** Null: it may be done. A session at the identity provider lets anybody at the browser log in, so only a login that was asked for anew counts. */
function wayWithout(
  { always, danger, asksFirst }: Sensitive,
  now: { isFresh: boolean; isConfirmed: boolean },
): Way | null {
  // A lasting way in is given for what the person knows here.
  if (always) return 'none';
  if (!now.isFresh) return 'again';
  return (danger || asksFirst) && !now.isConfirmed ? 'button' : null;
}

/** To the identity provider once more, and back to the page. */
const prove: PersonHandler = async (ctx, runtime) => {
  const place = ctx.state.form.place === 'profile' ? 'profile' : 'security';
  startSignIn(ctx, runtime, homePaths[place], { prompt: 'login' });
};

export const proveRoutes: Route[] = [{ method: 'post', path: provePath, handle: signedInOnly(prove) }];
