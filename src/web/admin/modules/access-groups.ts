// Access Groups (D.7, C34, C35): ordered rules from a group to a permission of the module. A draft is drawn anew with each change of
// a rule, by script or without; it counts once it is saved.
import { countPeopleOf } from '../../../domain/integrations/connected-queries.ts';
import type { InstanceDetail } from '../../../domain/integrations/instance-queries.ts';
import {
  listRuleGroups,
  mostRuleGroups,
  previewRules,
  type RuleGroup,
  type RulePreview,
} from '../../../domain/integrations/rule-queries.ts';
import type { Settings, SettingsInput } from '../../../domain/integrations/settings.ts';
import { saveSettings } from '../../../domain/integrations/settings-commands.ts';
import { canDo, permissionField } from '../../../domain/modules/profile.ts';
import { notFound } from '../../../lib/errors.ts';
import { isId } from '../../../lib/ids.ts';
import { reach } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { askFirst, type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { instanceAt, instanceHead, instancePath, modulesPath } from './instance-head.ts';
import { fieldsOf, inputFrom } from './settings-form.ts';
import type { ModuleViews, RuleLine } from './views.ts';

type Locals = ModuleViews['admin/modules/access-groups'];

interface Rule {
  groupId: string;
  permission: string;
}

interface Draft {
  on: boolean;
  rules: Rule[];
}

const number = new Intl.NumberFormat('en');
const people = (n: number) => `${number.format(n)} ${n === 1 ? 'person' : 'people'}`;

async function mappableAt(ctx: Context, desk: Desk): Promise<InstanceDetail> {
  const instance = await instanceAt(ctx, desk);
  if (!canDo(instance.profile, 'accessGroups')) throw notFound('page');
  return instance;
}

const draftOf = ({ accessGroups }: Settings): Draft => ({
  on: accessGroups.on,
  rules: accessGroups.rules.map(({ groupId, permission }) => ({ groupId, permission })),
});

const isEmpty = ({ groupId, permission }: Rule) => groupId === '' && permission === '';

function draftFrom({ form, formLists }: Context['state']): Draft {
  const permissions = formLists.permission ?? [];
  const rules = (formLists.group ?? [])
    .slice(0, 200)
    .map((groupId, at) => ({ groupId: groupId.trim(), permission: permissions[at] ?? '' }));
  return { on: form.on === 'yes', rules };
}

/** What a button beside a rule does to the draft; anything else leaves it as it is. */
export function changed(rules: Rule[], act: string): Rule[] {
  const [, verb = '', place = ''] = /^(up|down|remove)\.(\d{1,3})$/.exec(act) ?? [];
  const at = Number(place);
  const rule = rules[at];
  if (act === 'add') return [...rules, { groupId: '', permission: '' }];
  if (verb === '' || rule === undefined) return rules;
  const others = rules.filter((_, other) => other !== at);
  if (verb === 'remove') return others;
  return others.toSpliced(verb === 'up' ? Math.max(0, at - 1) : at + 1, 0, rule);
}

function groupChoices(groups: RuleGroup[], chosen: string): RuleLine['groups'] {
  return [
    { value: '', label: 'Choose a group', selected: chosen === '' },
    ...groups.map(({ id, name, isActive, opens }) => ({
      value: id,
      label: `${name}${opens ? '' : ' (doesn’t open this module)'}${isActive ? '' : ' (inactive)'}`,
      selected: id === chosen,
    })),
  ];
}

interface Drawn {
  draft: Draft;
  /** Asked for on purpose, so that it is counted however many people there are. */
  isCounted?: boolean;
  version: number;
  problem: Locals['problem'];
  theirs: string[];
}

const ruleErrors = (problem: Drawn['problem'], at: number): string => problem?.fields[`rules.${at}`] ?? '';

function ruleLines(instance: InstanceDetail, groups: RuleGroup[], { draft, problem }: Drawn): RuleLine[] {
  const permissions = permissionField(instance.profile)?.choices ?? [];
  return draft.rules.map(({ groupId, permission }, at) => ({
    number: String(at + 1),
    groups: groupChoices(groups, groupId),
    permissions: [
      { value: '', label: 'Choose a permission', selected: permission === '' },
      ...permissions.map((one) => ({ value: one, label: one, selected: one === permission })),
    ],
    up: at === 0 ? null : `up.${at}`,
    down: at === draft.rules.length - 1 ? null : `down.${at}`,
    remove: `remove.${at}`,
    error: ruleErrors(problem, at),
  }));
}

const previewOf = (desk: Desk, instance: InstanceDetail, { rules }: Draft): Promise<RulePreview> =>
  previewRules(desk.work, desk.companyId, instance.id, {
    mode: instance.profile.permissionMode,
    rules: rules.filter(({ groupId, permission }) => isId(groupId) && permission !== ''),
  });

function whoWords({ none }: RulePreview): string {
  const rest = none.count - none.sample.length;
  const names = none.sample.map(({ name }) => name);
  return rest > 0 ? `${names.join(', ')} and ${number.format(rest)} more` : new Intl.ListFormat('en').format(names);
}

const previewWords = (preview: RulePreview, { on, rules }: Draft): NonNullable<Locals['preview']> => ({
  words: `${people(preview.people)} may enter through their groups.`,
  permissions: preview.permissions.map(({ permission, count }) => ({ permission, count: people(count) })),
  none:
    preview.none.count === 0 || rules.length === 0
      ? null
      : { count: people(preview.none.count), isLoss: on, who: whoWords(preview) },
});

async function draw(ctx: Context, runtime: Runtime, desk: Desk, instance: InstanceDetail, drawn: Drawn): Promise<void> {
  const { draft, version, problem, theirs } = drawn;
  const groups = await listRuleGroups(desk.work, desk.companyId, instance.id, mostRuleGroups);
  // Where it would take long, the page comes first, and the count by itself.
  const counts = drawn.isCounted || (await countPeopleOf(desk.work, desk.companyId, instance.id)) <= reach;
  const error = problem?.fields.accessGroups ?? '';
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/modules/access-groups', title: `Access groups of ${instance.name}`, place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'access-groups'),
      problem: problem && { ...problem, field: error === '' ? null : 'on' },
      action: instancePath(instance.id, 'access-groups'),
      version: String(version),
      setting: {
        name: 'on',
        label: 'Access groups decide the permission',
        help: 'At every entry the account gets the permission of these rules. Who fits none is refused. Off: existing accounts are never touched.',
        checked: draft.on,
        isWrong: error !== '',
        error,
        theirs: '',
      },
      mode: instance.profile.permissionMode,
      rules: ruleLines(instance, groups, drawn),
      theirs,
      preview: counts ? previewWords(await previewOf(desk, instance, draft), draft) : null,
      groupsHref: '/admin/groups',
      hasGroups: groups.length > 0,
    },
  );
}

const show: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await mappableAt(ctx, desk);
  const { settings } = instance;
  const draft = draftOf(settings);
  await draw(ctx, runtime, desk, instance, { draft, version: settings.version, problem: null, theirs: [] });
};

/** All else stays as it is. */
const inputOf = ({ profile, settings }: InstanceDetail, { on, rules }: Draft, now: Date): SettingsInput => ({
  ...inputFrom(profile, settings, fieldsOf(profile, settings, now), now),
  accessGroups: { on, rules },
});

const save: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await mappableAt(ctx, desk);
  const { form } = ctx.state;
  const typed = draftFrom(ctx.state);
  const version = Number(form.version);
  if (form.act !== undefined) {
    const draft = { ...typed, rules: changed(typed.rules, form.act) };
    return draw(ctx, runtime, desk, instance, {
      draft,
      version,
      problem: null,
      theirs: [],
      isCounted: form.act === 'preview',
    });
  }
  const draft = { ...typed, rules: typed.rules.filter((rule) => !isEmpty(rule)) };
  if (draft.on && form.confirmed !== 'yes' && version === instance.settings.version) {
    const preview = await previewOf(desk, instance, draft);
    const isWhole = draft.rules.every(({ groupId, permission }) => isId(groupId) && permission !== '');
    if (preview.none.count > 0 && isWhole && draft.rules.length > 0)
      return ask(ctx, runtime, desk, { instance, draft, preview });
  }
  await orRedraw(
    ctx,
    async () => {
      const settings = inputOf(instance, draft, desk.work.now);
      const saved = await saveSettings(desk.work, desk.companyId, instance.id, { version, settings });
      if (saved.outcome === 'stale') return stale(ctx, runtime, desk, { instance, draft, theirs: saved.settings });
      setFlash(ctx, runtime, { kind: 'success', text: `The access groups of ${instance.name} are saved.` });
      seeOther(ctx, instancePath(instance.id, 'access-groups'));
    },
    (problem) => draw(ctx, runtime, desk, instance, { draft, version, problem, theirs: [] }),
  );
};

async function stale(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  { instance, draft, theirs }: { instance: InstanceDetail; draft: Draft; theirs: Settings },
): Promise<void> {
  const { on, rules } = theirs.accessGroups;
  await draw(
    ctx,
    runtime,
    desk,
    { ...instance, settings: theirs },
    {
      draft,
      version: theirs.version,
      problem: {
        sentence:
          'Somebody else saved the settings of this module while you had them open, so nothing of yours is saved yet. Your rules are still in the form, and theirs stand below. Look through them, and save again.',
        field: null,
        code: null,
        fields: {},
      },
      theirs: [
        `Access groups are ${on ? 'on' : 'off'}`,
        ...rules.map(({ group, permission }, at) => `${at + 1}. ${group} → ${permission}`),
      ],
    },
  );
  ctx.status = 409;
}

async function ask(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  { instance, draft, preview }: { instance: InstanceDetail; draft: Draft; preview: RulePreview },
): Promise<void> {
  const action = instancePath(instance.id, 'access-groups');
  const button = `Save the access groups of ${instance.name}`;
  const { count } = preview.none;
  const { enabled, deprovisioning } = instance.settings;
  await askFirst(ctx, runtime, desk, {
    place: 'instances',
    lead: `${people(count)} of ${people(preview.people)} who may enter ${count === 1 ? 'fits' : 'fit'} no rule, and ${count === 1 ? 'is' : 'are'} refused at the door.`,
    who: whoWords(preview),
    sentences: [
      ...preview.permissions.map(
        ({ permission, count }) => `${people(count)} ${count === 1 ? 'gets' : 'get'} ${permission}.`,
      ),
      'Existing accounts get the permission of the rules at their next entry.',
      ...(enabled && deprovisioning.on
        ? [
            `Automatic User Deprovisioning is on: accounts that fit no rule are suspended, and held for ${deprovisioning.graceDays} days.`,
          ]
        : ['Accounts that fit no rule are not touched in the module.']),
      'You can undo it: change the rules, or switch access groups off.',
    ],
    action,
    hidden: [
      { name: 'confirmed', value: 'yes' },
      { name: 'version', value: String(instance.settings.version) },
      { name: 'on', value: 'yes' },
      ...draft.rules.flatMap(({ groupId, permission }) => [
        { name: 'group', value: groupId },
        { name: 'permission', value: permission },
      ]),
    ],
    button,
    isDanger: true,
    cancel: action,
  });
}

const path = `${modulesPath}/:instance/access-groups`;

export const instanceAccessGroupRoutes: Route[] = [
  { method: 'get', path, handle: deskOf('modules.manage', show) },
  { method: 'post', path, handle: deskOf('modules.manage', save) },
];
