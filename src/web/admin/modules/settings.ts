// The settings of one connected module (A8.5-A8.9): one form in the order of dependence, with effect on Save only.

import { contractStanding } from '../../../domain/integrations/contract-queries.ts';
import { type InstanceDetail, readExceptionCounts } from '../../../domain/integrations/instance-queries.ts';
import { graceDays, type Settings } from '../../../domain/integrations/settings.ts';
import { saveSettings } from '../../../domain/integrations/settings-commands.ts';
import { canDo } from '../../../domain/modules/profile.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { askFirst, type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import {
  exceptionWords,
  instanceAt,
  instanceHead,
  instancePath,
  instanceStatus,
  modulesPath,
} from './instance-head.ts';
import { type Effects, effectsOf } from './settings-effects.ts';
import {
  differences,
  type Fields,
  fieldErrors,
  fieldNames,
  fieldsOf,
  graceOf,
  inputFrom,
  type Marks,
  moduleFields,
  removalsOf,
  switchOf,
  wantsRequirement,
} from './settings-form.ts';
import type { ModuleViews } from './views.ts';

interface Drawn {
  fields: Fields;
  /** Which settings the form was made from. */
  version: number;
  problem: (FormProblem & { fields: Record<string, string> }) | null;
  theirs: Record<string, string>;
}

/** The field that a problem is tied to, if it is one of this page. */
function placed(problem: Drawn['problem'], instance: InstanceDetail): { problem: Drawn['problem']; marks: Marks } {
  const errors = fieldErrors(problem?.fields ?? {});
  const wrong = fieldNames(instance.profile).find((name) => errors[name] !== undefined) ?? null;
  return { problem: problem && { ...problem, field: wrong }, marks: { wrong, errors, theirs: {} } };
}

type Locals = ModuleViews['admin/modules/settings'];

function requireOf(
  instance: InstanceDetail,
  desk: Desk,
  { fields, marks, brand, exceptions }: { fields: Fields; marks: Marks; brand: string; exceptions: string },
): Locals['require'] {
  const { settings } = instance;
  const status = instanceStatus(settings, desk.work.now);
  const isInForce = status.word === 'Required' || status.word === 'Trial';
  return {
    setting: switchOf('require', fields, marks, {
      label: `Require Log In with ${brand}`,
      help: 'Everybody but the exempt logs in this way only. Turning it on begins with a look at who would be locked out, and then with a trial that ends by itself.',
    }),
    status: isInForce ? status : { tone: 'off', word: 'Not required', more: '' },
    exceptions,
    exceptionsHref: instancePath(instance.id, 'exceptions'),
    preflight: instancePath(instance.id, 'require'),
    preflightWords: isInForce ? 'See who can still log in locally' : 'See what requiring it would mean',
  };
}

async function provisioningOf(
  instance: InstanceDetail,
  desk: Desk,
  fields: Fields,
  marks: Marks,
): Promise<Locals['provisioning']> {
  const { passed, because } = await contractStanding(desk.work, desk.companyId, instance.id);
  const isOn = instance.settings.enabled && instance.settings.provisioning.on;
  return {
    setting: switchOf('provisioning', fields, marks, {
      label: 'Enable Automatic User Provisioning',
      help: 'Whoever may enter and has no account there gets one: at the first entry, or ahead of it.',
    }),
    fields: moduleFields(instance.profile, fields, marks),
    contract: { passed, words: because, href: instancePath(instance.id, 'test') },
    override:
      passed || isOn
        ? null
        : { value: fields.override ?? '', error: marks.errors.override ?? '', isWrong: marks.wrong === 'override' },
  };
}

async function draw(ctx: Context, runtime: Runtime, desk: Desk, instance: InstanceDetail, drawn: Drawn): Promise<void> {
  const { profile, settings } = instance;
  const { fields, version } = drawn;
  const { problem, marks: found } = placed(drawn.problem, instance);
  const marks = { ...found, theirs: drawn.theirs };
  const brand = runtime.config.brandName;
  const exceptions = exceptionWords(await readExceptionCounts(desk.work, desk.companyId, instance.id));
  const { accessGroups } = settings;
  const rules = accessGroups.rules.length;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/modules/settings', title: `Settings of ${instance.name}`, place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'settings'),
      problem,
      action: instancePath(instance.id, 'settings'),
      version: String(version),
      enabled: switchOf('enabled', fields, marks, {
        label: `Enable Log In with ${brand}`,
        help: 'People whose access groups open this module enter it with one login. Everything below depends on it.',
      }),
      require: canDo(profile, 'require') ? requireOf(instance, desk, { fields, marks, brand, exceptions }) : null,
      provisioning: canDo(profile, 'provision') ? await provisioningOf(instance, desk, fields, marks) : null,
      deprovisioning: canDo(profile, 'deprovision')
        ? {
            setting: switchOf('deprovisioning', fields, marks, {
              label: 'Enable Automatic User Deprovisioning',
              help: 'Whoever loses the company account, the access group or the module is suspended there within seconds.',
            }),
            grace: { ...graceOf(fields, marks), least: graceDays.least, most: graceDays.most },
            removals: removalsOf(profile, fields),
            removalTheirs: drawn.theirs.removal ?? '',
          }
        : null,
      accessGroups: canDo(profile, 'accessGroups')
        ? {
            status: accessGroups.on ? { tone: 'good', word: 'On', more: '' } : { tone: 'off', word: 'Off', more: '' },
            words: rules === 0 ? 'no rule yet' : `${rules} ${rules === 1 ? 'rule' : 'rules'}`,
            href: instancePath(instance.id, 'access-groups'),
          }
        : null,
    },
  );
}

const show: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const { profile, settings } = instance;
  const fields = fieldsOf(profile, settings, desk.work.now);
  await draw(ctx, runtime, desk, instance, { fields, version: settings.version, problem: null, theirs: {} });
};

const save: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const { profile, settings } = instance;
  const { form } = ctx.state;
  const fields: Fields = Object.fromEntries(
    fieldNames(profile).flatMap((name) => (form[name] === undefined ? [] : [[name, form[name]]])),
  );
  const version = Number(form.version);
  const input = inputFrom(profile, settings, fields, desk.work.now);
  if (form.confirmed !== 'yes' && version === settings.version) {
    const effects = await effectsOf(
      desk,
      instance,
      { input, override: fields.override ?? '' },
      runtime.config.brandName,
    );
    if (effects.losses.length + effects.gains.length > 0) return ask(ctx, runtime, desk, { instance, fields, effects });
  }
  await orRedraw(
    ctx,
    async () => {
      const override = form.override === undefined || form.override.trim() === '' ? null : form.override;
      const saved = await saveSettings(desk.work, desk.companyId, instance.id, { version, settings: input, override });
      if (saved.outcome === 'stale') return stale(ctx, runtime, desk, { instance, fields, theirs: saved.settings });
      const begins = wantsRequirement(settings, fields, desk.work.now);
      const text = begins
        ? 'The other settings are saved. Requiring the login begins here.'
        : `The settings of ${instance.name} are saved.`;
      setFlash(ctx, runtime, { kind: 'success', text });
      seeOther(ctx, instancePath(instance.id, begins ? 'require' : 'settings'));
    },
    (problem) => draw(ctx, runtime, desk, instance, { fields, version, problem, theirs: {} }),
  );
};

/** Somebody else was faster: what was typed stays in the form, what they saved stands beside it. */
async function stale(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  { instance, fields, theirs }: { instance: InstanceDetail; fields: Fields; theirs: Settings },
): Promise<void> {
  const found = differences(instance.profile, fields, fieldsOf(instance.profile, theirs, desk.work.now));
  const many = Object.keys(found).length;
  const rest =
    many === 0
      ? 'Nothing on this page differs from it.'
      : 'Your values are still in the form, and theirs stand beside where they differ.';
  await draw(
    ctx,
    runtime,
    desk,
    { ...instance, settings: theirs },
    {
      fields,
      version: theirs.version,
      problem: {
        sentence: `Somebody else saved these settings while you had them open, so nothing of yours is saved yet. ${rest} Look through them, and save again.`,
        field: null,
        code: null,
        fields: {},
      },
      theirs: found,
    },
  );
  ctx.status = 409;
}

async function ask(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  { instance, fields, effects }: { instance: InstanceDetail; fields: Fields; effects: Effects },
): Promise<void> {
  const isLoss = effects.losses.length > 0;
  const action = instancePath(instance.id, 'settings');
  const button = `Save the settings of ${instance.name}`;
  await askFirst(ctx, runtime, desk, {
    place: 'instances',
    lead: isLoss
      ? 'This takes something away. It takes effect at once.'
      : 'This makes accounts at the module. It takes effect at once.',
    sentences: [...effects.losses, ...effects.gains],
    action,
    hidden: [{ name: 'confirmed', value: 'yes' }, ...Object.entries(fields).map(([name, value]) => ({ name, value }))],
    button,
    isDanger: isLoss,
    cancel: action,
  });
}

const path = `${modulesPath}/:instance/settings`;

export const instanceSettingsRoutes: Route[] = [
  { method: 'get', path, handle: deskOf('modules.manage', show) },
  { method: 'post', path, handle: deskOf('modules.manage', save) },
];
