// Requiring the login (A8.6, C30): what it would mean, the trial, and its end. Nobody locks everybody out by a mistake.

import type { InstanceDetail } from '../../../domain/integrations/instance-queries.ts';
import type { Check, Preflight } from '../../../domain/integrations/requirement.ts';
import { preflight, requireLogin, stopRequiring } from '../../../domain/integrations/requirement-commands.ts';
import { canDo } from '../../../domain/modules/profile.ts';
import { notFound } from '../../../lib/errors.ts';
import { trialMinutes } from '../../../lib/trial.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { instanceAt, instanceHead, instancePath, instanceStatus, modulesPath, trialLeft } from './instance-head.ts';
import type { ModuleViews } from './views.ts';

type Locals = ModuleViews['admin/modules/require'];

const number = new Intl.NumberFormat('en');
const plural = (n: number, one: string, many: string) => `${number.format(n)} ${n === 1 ? one : many}`;

/** Only products that can do it have these pages. */
async function requirableAt(ctx: Context, desk: Desk): Promise<InstanceDetail> {
  const instance = await instanceAt(ctx, desk);
  if (!canDo(instance.profile, 'require')) throw notFound('page');
  return instance;
}

const titles: Record<Check['name'], string> = {
  signed_in: 'You have tried the new way yourself',
  ways_in: 'Somebody can get in without it',
  accounts: 'It is known who is there',
};

function lossOf({ losesLocal }: Preflight): Locals['loses'] {
  const { count, of, reasons, sample } = losesLocal;
  const shown = sample.map(({ userName, reason }) => ({ userName, reason }));
  return {
    words:
      of === 0
        ? 'No account of the module is known yet.'
        : `${plural(count, 'account', 'accounts')} of ${number.format(of)} active ${count === 1 ? 'loses' : 'lose'} the local login.`,
    reasons: reasons.map(({ count, sentence }) => `${plural(count, 'account', 'accounts')}: ${sentence}`),
    sample: shown,
    more: count > shown.length ? `and ${number.format(count - shown.length)} more` : '',
  };
}

function stateOf(instance: InstanceDetail, now: Date): Locals['state'] {
  const { word } = instanceStatus(instance.settings, now);
  return word === 'Off' ? 'disabled' : word === 'Required' ? 'on' : word === 'Trial' ? 'trial' : 'off';
}

async function draw(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  instance: InstanceDetail,
  { problem, found }: { problem: Locals['problem']; found?: Preflight },
): Promise<void> {
  const read = found ?? (await preflight(desk.work, desk.companyId, instance.id));
  const brand = runtime.config.brandName;
  const path = instancePath(instance.id, 'require');
  const trial = trialLeft(instance.settings, desk.work.now);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/modules/require', title: `Require Log In with ${brand}: ${instance.name}`, place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'settings'),
      problem,
      state: stateOf(instance, desk.work.now),
      checks: read.checks.map(({ name, passed, isUnderWay, sentence }) => ({
        title: titles[name],
        passed,
        isUnderWay,
        sentence,
      })),
      isReady: read.ready,
      isUnderWay: read.checks.some(({ isUnderWay }) => isUnderWay),
      loses: lossOf(read),
      ways: read.waysIn.map(({ userName, kind, endsAt }) => ({
        userName,
        kind: kind === 'emergency' ? 'Sealed emergency account' : 'Administrator of the module',
        endsAt: endsAt && desk.moment(endsAt),
      })),
      exceptions: instancePath(instance.id, 'exceptions'),
      settings: instancePath(instance.id, 'settings'),
      trial: trial && { left: trial.words, until: desk.moment(trial.until) },
      minutes: trialMinutes,
      version: String(instance.settings.version),
      path,
      start: `${path}/start`,
      end: `${path}/end`,
      address: instance.landingUrl ?? instance.initiateLoginUri,
    },
  );
}

const show: DeskHandler = async (ctx, runtime, desk) =>
  draw(ctx, runtime, desk, await requirableAt(ctx, desk), { problem: null });

const start: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await requirableAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      const version = Number(ctx.state.form.version);
      const begun = await requireLogin(desk.work, desk.companyId, instance.id, { version });
      if (begun.outcome === 'trial' || begun.outcome === 'unchanged') {
        const text =
          begun.outcome === 'trial'
            ? `The trial has begun: ${trialMinutes} minutes.`
            : 'The login is required already.';
        setFlash(ctx, runtime, { kind: 'success', text });
        return seeOther(ctx, instancePath(instance.id, 'require'));
      }
      const sentence =
        begun.outcome === 'stale'
          ? 'The settings were changed while you had this page open. Look again at what it would mean.'
          : 'It can’t begin like this: something stands in the way.';
      const found = begun.outcome === 'preflight' ? { found: begun.preflight } : {};
      const problem = { sentence, field: null, code: null, fields: {} };
      await draw(ctx, runtime, desk, await requirableAt(ctx, desk), { problem, ...found });
      ctx.status = 409;
    },
    (problem) => draw(ctx, runtime, desk, instance, { problem: { ...problem, field: null } }),
  );
};

const end: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await requirableAt(ctx, desk);
  await stopRequiring(desk.work, desk.companyId, instance.id);
  const text = `${instance.name} can be entered with a local login again. Exceptions are kept.`;
  setFlash(ctx, runtime, { kind: 'success', text });
  seeOther(ctx, instancePath(instance.id, 'settings'));
};

const path = `${modulesPath}/:instance/require`;

export const instanceRequireRoutes: Route[] = [
  { method: 'get', path, handle: deskOf('modules.manage', show) },
  { method: 'post', path: `${path}/start`, handle: deskOf('modules.manage', start) },
  { method: 'post', path: `${path}/end`, handle: deskOf('modules.manage', end) },
];
