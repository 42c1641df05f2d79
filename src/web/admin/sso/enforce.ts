// Enforce Log In with SSO (C26): what it would mean, the trial, and its end. Nobody locks everybody out by a mistake.
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import {
  type EnforceCheck,
  type EnforcePreflight,
  type LossReason,
  standingOf,
} from '../../../domain/federation/enforce.ts';
import { enforceSso, preflightEnforce, stopEnforcing } from '../../../domain/federation/enforce-commands.ts';
import { canMend } from '../../../domain/users/sso-ways-in.ts';
import { trialMinutes } from '../../../lib/trial.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { type Desk, type DeskHandler, orRedraw, showDesk } from '../console.ts';
import { companyOf } from '../security/company.ts';
import { connectionAt, connectionHead, connectionPath, guarded, ssoPath, trialLeft } from './connection-head.ts';
import type { SsoViews } from './views.ts';

type Locals = SsoViews['admin/sso/enforce'];

const number = new Intl.NumberFormat('en');
const plural = (n: number, one: string, many: string) => `${number.format(n)} ${n === 1 ? one : many}`;

const titles: Record<EnforceCheck['name'], string> = {
  signed_in: 'You have tried it yourself',
  tested: 'The connection works as it stands',
  ways_in: 'Somebody can get in without it',
};

/** Where what is not yet right is made right; signing in is done in another window, by whom the connection can find. */
function mendOf(
  name: EnforceCheck['name'],
  { mustBind }: EnforcePreflight,
  { id, name: called }: StoredConnection,
): Locals['checks'][number]['mend'] {
  if (name === 'tested' || (name === 'signed_in' && mustBind))
    return { href: connectionPath(id, 'test'), words: `Test ${called}` };
  return name === 'ways_in' ? { href: `${ssoPath}/break-glass`, words: 'Choose break-glass people' } : null;
}

const manyWords: Record<LossReason, string> = {
  unseen: 'have never logged in through this connection: make sure that it knows them',
  known: 'have logged in through this connection before',
};

function lossOf({ losesPassword }: EnforcePreflight): Locals['loses'] {
  const { count, of, reasons, sample } = losesPassword;
  return {
    words: `${plural(count, 'person', 'people')} of ${number.format(of)} active ${count === 1 ? 'loses' : 'lose'} the password as a way in.`,
    reasons: reasons.map(({ reason, count, sentence }) =>
      count === 1 ? `1 person ${sentence}` : `${plural(count, 'person', 'people')} ${manyWords[reason]}`,
    ),
    sample: sample.map(({ name, username, sentence }) => ({ name, username, reason: sentence })),
    more: count > sample.length ? `and ${number.format(count - sample.length)} more` : '',
  };
}

function stateOf(connection: StoredConnection, now: Date): Locals['state'] {
  if (!connection.enabled) return 'disabled';
  const standing = standingOf(connection, now);
  return standing === 'over' ? 'off' : standing;
}

async function draw(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  connection: StoredConnection,
  { problem, found }: { problem: Locals['problem']; found?: EnforcePreflight },
): Promise<void> {
  const read = found ?? (await preflightEnforce(desk.work, desk.companyId, connection.id));
  const path = connectionPath(connection.id, 'enforce');
  const trial = trialLeft(connection, desk.work.now);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/enforce', title: `Enforce Log In with SSO: ${connection.name}`, place: 'sso' },
    {
      connection: connectionHead(connection, desk, 'enforce'),
      problem,
      state: stateOf(connection, desk.work.now),
      checks: read.checks.map(({ name, passed, sentence }) => ({
        title: titles[name],
        passed,
        sentence,
        mend: passed ? null : mendOf(name, read, connection),
      })),
      isReady: read.ready,
      loses: lossOf(read),
      ways: read.waysIn.map((way) => ({
        name: way.name === '' ? way.username : way.name,
        username: way.username,
        kind: way.kind === 'root' ? 'Root Admin' : canMend(way) ? 'administrator, break-glass' : 'break-glass',
        endsAt: way.endsAt && desk.moment(way.endsAt),
      })),
      trial: trial && { left: trial.words, until: desk.moment(trial.until) },
      minutes: trialMinutes,
      version: String(connection.version),
      path,
      start: `${path}/start`,
      end: `${path}/end`,
      overview: connectionPath(connection.id),
      breakGlass: `${ssoPath}/break-glass`,
      loginUrl: `${runtime.config.publicUrl}/login/${(await companyOf(desk)).loginSlug}`,
    },
  );
}

const show: DeskHandler = async (ctx, runtime, desk) =>
  draw(ctx, runtime, desk, await connectionAt(ctx, desk), { problem: null });

const start: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      const begun = await enforceSso(desk.work, desk.companyId, connection.id, {
        version: Number(ctx.state.form.version),
      });
      if (begun.outcome === 'trial' || begun.outcome === 'unchanged') {
        const text =
          begun.outcome === 'trial' ? `The trial has begun: ${trialMinutes} minutes.` : 'It is enforced already.';
        setFlash(ctx, runtime, { kind: 'success', text });
        return seeOther(ctx, connectionPath(connection.id, 'enforce'));
      }
      const sentence =
        begun.outcome === 'stale'
          ? 'The connection was changed while you had this page open. Look again at what it would mean.'
          : 'It can’t begin like this: something stands in the way.';
      const found = begun.outcome === 'preflight' ? { found: begun.preflight } : {};
      const problem = { sentence, field: null, code: null, fields: {} };
      await draw(ctx, runtime, desk, await connectionAt(ctx, desk), { problem, ...found });
      ctx.status = 409;
    },
    (problem) => draw(ctx, runtime, desk, connection, { problem: { ...problem, field: null } }),
  );
};

const end: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  await stopEnforcing(desk.work, desk.companyId, connection.id);
  const text = 'Passwords count again. Break-glass people stay on their list.';
  setFlash(ctx, runtime, { kind: 'success', text });
  seeOther(ctx, connectionPath(connection.id, 'enforce'));
};

const path = `${ssoPath}/:connection/enforce`;

export const ssoEnforceRoutes: Route[] = [
  { method: 'get', path, handle: guarded(show) },
  { method: 'post', path: `${path}/start`, handle: guarded(start) },
  { method: 'post', path: `${path}/end`, handle: guarded(end) },
];
