// Before a sensitive act on one's own account: password and code, unless both were given just now (AUT-19).
import { proveOneself } from '../../domain/users/own-commands.ts';
import { minutes } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { browserToken, showPage } from '../page.ts';
import { type FormProblem, homePaths } from '../views.ts';
import type { PersonHandler } from './home-routes.ts';
import { getUser, own, type Person, shellOf } from './person.ts';

/** AUT-19: password and code within the last five minutes, or give them now. */
const freshFor = minutes(5);

export interface Sensitive {
  title: string;
  sentence: string;
  path: string;
  button: string;
  danger: boolean;
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

async function drawConfirm(
  ctx: Context,
  runtime: Runtime,
  person: Person,
  what: Sensitive,
  problem: FormProblem | null,
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
      action: what.path,
      problem,
      button: what.button,
      askCode: factor !== null,
      cancel: what.cancel ?? homePaths[place],
      danger: what.danger,
      hidden: carries.map((name) => ({ name, value: ctx.state.form[name] ?? '' })),
    },
    user.theme,
  );
}

export function sensitive(what: Sensitive): PersonHandler {
  return async (ctx, runtime, person) => {
    const { password, code } = ctx.state.form;
    const isFresh = person.work.now.getTime() - person.signedInAt.getTime() <= freshFor;
    if (password === undefined) {
      // The first post asks; even a fresh sign-in confirms who and what before anything is lost.
      if (!isFresh || what.danger || what.always) return drawConfirm(ctx, runtime, person, what, null);
      return what.act(ctx, runtime, person);
    }
    const proof = await proveOneself(person.work, own(person), {
      password,
      code: code ?? '',
      browserToken: browserToken(ctx, runtime),
    });
    if (proof.outcome === 'proved') return what.act(ctx, runtime, person);
    await drawConfirm(ctx, runtime, person, what, { sentence: proof.sentence, field: proof.field, code: null });
    ctx.status = 422;
  };
}
