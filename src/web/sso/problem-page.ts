// The page that says in one sentence what went wrong on the way. Callbacks lead there, since they run without the browser's cookies.
import { arrivalSentences } from '../../domain/federation/arrival.ts';
import type { StoredConnection } from '../../domain/federation/connection-repository.ts';
import { problemSentences, type SsoProblem, ssoProblems } from '../../domain/federation/problem.ts';
import { noteAttempt } from '../../domain/federation/request-commands.ts';
import type { UserId } from '../../lib/ids.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { showPage } from '../page.ts';
import { seeOther } from '../routes.ts';

/** @param interactionUid of the sign-in that waits; the browser may or may not be the one that it belongs to */
export async function showProblem(
  ctx: Context,
  _runtime: Runtime,
  problem: SsoProblem,
  code: string | null,
  interactionUid: string | null = null,
): Promise<void> {
  const query = new URLSearchParams({
    problem,
    ...(code ? { code } : {}),
    ...(interactionUid ? { login: interactionUid } : {}),
  });
  seeOther(ctx, `/sso/problem?${query}`);
}

const text = (value: unknown, form: RegExp): string | null =>
  typeof value === 'string' && form.test(value) ? value : null;

/** Shows nothing that the address says but words of ours and a well-formed code: anybody can write an address. */
export async function problemPage(ctx: Context, runtime: Runtime): Promise<void> {
  const { query } = ctx;
  const problem = ssoProblems.find((name) => name === query.problem) ?? 'not-asked';
  const login = text(query.login, /^[\w-]{10,64}$/);
  await drawProblem(ctx, runtime, {
    sentence: problemSentences[problem],
    code: text(query.code, /^[A-Z2-9]{4}-[A-Z2-9]{4}$/),
    again: login ? `/interaction/${login}` : '/login',
  });
}

export async function drawProblem(
  ctx: Context,
  runtime: Runtime,
  { sentence, code, again }: { sentence: string; code: string | null; again: string },
): Promise<void> {
  ctx.status = 403;
  await showPage(ctx, runtime, 'interaction/sso-problem', 'That login did not work', {
    sentence,
    next: nextAfter(sentence, code !== null),
    code,
    again,
  });
  ctx.status = 403;
}

/** Sentences that say what to do, or whom to ask, are not told twice. */
function nextAfter(sentence: string, hasCode: boolean): string {
  if (Object.values(arrivalSentences).some((known) => known === sentence && known.includes('sk your administrator')))
    return '';
  const saysAgain = /\b(Log in|Try) again\b/.test(sentence);
  if (!hasCode) return saysAgain ? '' : 'Try again, or ask your administrator.';
  return `${saysAgain ? '' : 'Try again. '}If it keeps happening, give your administrator this code.`;
}

/** The upstream has logged somebody out while they were on the way in, as it does where they have logged out of another service. */
export async function drawLoggedOut(
  ctx: Context,
  runtime: Runtime,
  of: { connection: StoredConnection | null; arrival: string; userId: UserId | null; again: string },
): Promise<void> {
  const { connection, arrival, userId, again } = of;
  if (!connection) return drawProblem(ctx, runtime, { sentence: problemSentences['not-enabled'], code: null, again });
  // One line for each answer that was taken back, however often somebody comes with it.
  const attempt = { outcome: 'logged-out-meanwhile', userId, details: {}, isUnproven: true, about: arrival };
  const code = await noteAttempt(ctx.state.work, connection, attempt);
  await drawProblem(ctx, runtime, {
    sentence: `You were logged out at ${connection.name}. Log in again.`,
    code,
    again,
  });
}
