// Mapping rules (C22 to C24): ordered, from what the identity provider says to role and access groups. A draft is drawn anew with each
// change, by script or without; saving it makes a plan, and nothing counts before that is applied.
import { seenClaims } from '../../../domain/federation/connection-queries.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import type { MappingRule } from '../../../domain/federation/mapping.ts';
import { conditionWords } from '../../../domain/federation/person-mapping.ts';
import { doneCount } from '../../../domain/federation/plan.ts';
import { makePlan } from '../../../domain/federation/plan-commands.ts';
import { getPlan, listPlans } from '../../../domain/federation/plan-queries.ts';
import type { RuleInput } from '../../../domain/federation/rule.ts';
import { mostRules } from '../../../domain/federation/rule.ts';
import { listRules, listSeenGroups } from '../../../domain/federation/rule-queries.ts';
import type { Group } from '../../../domain/groups/group.ts';
import { choosableRoles } from '../../../domain/roles/role.ts';
import { isId } from '../../../lib/ids.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { type Route, seeOther } from '../../routes.ts';
import { type Desk, type DeskHandler, orRedraw, showDesk } from '../console.ts';
import { counted } from '../groups/group-head.ts';
import { connectionAt, connectionHead, connectionPath, guarded, ssoPath } from './connection-head.ts';
import type { SsoRuleLine, SsoViews } from './views.ts';

type Locals = SsoViews['admin/sso/rules'];

const tests = [
  ['group', 'Group is'],
  ['equals', 'Claim is'],
  ['contains', 'Claim contains'],
  ['one-of', 'Claim is one of'],
] as const;

/** A rule as it is typed. */
export interface DraftRule {
  id: string;
  test: string;
  claim: string;
  value: string;
  role: string;
  groupIds: string[];
  stops: boolean;
}

export interface Draft {
  on: boolean;
  rules: DraftRule[];
}

const separator = '; ';

export const draftRule = ({ id, when, role, groupIds, stops }: MappingRule): DraftRule => ({
  id,
  test: when.kind === 'group' ? 'group' : when.test,
  claim: when.kind === 'group' ? '' : when.name,
  value: when.kind === 'group' ? when.value : when.values.join(separator),
  role: role ?? '',
  groupIds,
  stops,
});

/** Lists of equal length, and boxes that name the place of their rule. */
export function draftFrom({ form, formLists }: Pick<Context['state'], 'form' | 'formLists'>): Draft {
  const at = (name: string, i: number) => formLists[name]?.[i] ?? '';
  const stops = new Set(formLists.stops);
  const rules = (formLists.test ?? []).slice(0, mostRules).map((test, i) => ({
    id: at('id', i),
    test,
    claim: at('claim', i),
    value: at('value', i),
    role: at('role', i),
    groupIds: (formLists.group ?? []).filter((one) => one.startsWith(`${i}:`)).map((one) => one.slice(`${i}:`.length)),
    stops: stops.has(String(i)),
  }));
  return { on: form.on === 'yes', rules };
}

const empty: DraftRule = { id: '', test: 'group', claim: '', value: '', role: '', groupIds: [], stops: false };

/** What a button beside a rule does to the draft; anything else leaves it as it is. */
export function changed(rules: DraftRule[], act: string): DraftRule[] {
  if (act === 'add') return [...rules, empty];
  const [, verb = '', place = ''] = /^(up|down|remove)\.(\d{1,3})$/.exec(act) ?? [];
  const at = Number(place);
  const rule = rules[at];
  if (verb === '' || rule === undefined) return rules;
  const others = rules.filter((_, other) => other !== at);
  if (verb === 'remove') return others;
  return others.toSpliced(verb === 'up' ? Math.max(0, at - 1) : at + 1, 0, rule);
}

const isEmpty = ({ claim, value, role, groupIds }: DraftRule) =>
  claim.trim() === '' && value.trim() === '' && role === '' && groupIds.length === 0;

function conditionOf({ test, claim, value }: DraftRule): RuleInput['when'] {
  if (test === 'group') return { kind: 'group', value };
  const values =
    test === 'one-of'
      ? value
          .split(';')
          .map((one) => one.trim())
          .filter(Boolean)
      : [value];
  // What is none of the tests is refused by the command.
  return { kind: 'claim', name: claim, test: test as 'equals', values };
}

export const inputOf = (rule: DraftRule): RuleInput => ({
  ...(isId(rule.id) ? { id: rule.id } : {}),
  when: conditionOf(rule),
  // What is none of the roles is refused by the command.
  role: rule.role === '' ? null : (rule.role as 'User'),
  groupIds: rule.groupIds,
  stops: rule.stops,
});

interface Drawn {
  draft: Draft;
  version: number;
  problem: Locals['problem'];
  theirs: string[];
}

/** "rules.3.when.value" is about the fourth rule. */
const errorAt = (problem: Drawn['problem'], at: number): string => {
  const fields = problem?.fields ?? {};
  const keys = Object.keys(fields).filter((key) => key === `rules.${at}` || key.startsWith(`rules.${at}.`));
  return [...new Set(keys.map((key) => fields[key]))].join(' ');
};

const groupWords = (count: number): string =>
  count === 0 ? 'No access group' : `${count} access ${count === 1 ? 'group' : 'groups'}`;

function toLine(rule: DraftRule, at: number, { draft, problem }: Drawn, groups: readonly Group[]): SsoRuleLine {
  return {
    number: String(at + 1),
    at: String(at),
    id: rule.id,
    tests: tests.map(([value, label]) => ({ value, label, selected: value === rule.test })),
    claim: rule.claim,
    value: rule.value,
    roles: [
      { value: '', label: 'Role as it is', selected: rule.role === '' },
      ...choosableRoles.map((role) => ({ value: role, label: role, selected: role === rule.role })),
    ],
    groups: groups.map(({ id, name, isActive }) => ({ id, name, isActive, checked: rule.groupIds.includes(id) })),
    groupWords: groupWords(groups.filter(({ id }) => rule.groupIds.includes(id)).length),
    stops: rule.stops,
    up: at === 0 ? null : `up.${at}`,
    down: at === draft.rules.length - 1 ? null : `down.${at}`,
    remove: `remove.${at}`,
    error: errorAt(problem, at),
  };
}

async function openPlan(desk: Desk, connection: StoredConnection): Promise<Locals['open']> {
  const [latest] = await listPlans(desk.work, desk.companyId, connection.id, 1);
  if (!latest || (latest.state !== 'ready' && latest.state !== 'waiting')) return null;
  const touched = counted(doneCount(latest.counts), 'person', 'people');
  return {
    href: connectionPath(connection.id, `plans/${latest.id}`),
    at: desk.moment(latest.madeAt),
    words:
      latest.state === 'waiting'
        ? `A plan that changes ${touched} waits for a second administrator`
        : `A plan that changes ${touched} has not been applied`,
  };
}

async function draw(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  connection: StoredConnection,
  drawn: Drawn,
): Promise<void> {
  const { work, companyId } = desk;
  const { draft, version, problem, theirs } = drawn;
  const groups = await work.store.of(companyId).groups.list();
  const error = problem?.fields.mapping ?? '';
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/rules', title: `Mapping rules of ${connection.name}`, place: 'sso' },
    {
      connection: connectionHead(connection, desk, 'rules'),
      problem: problem && { ...problem, field: error === '' ? null : 'on' },
      action: connectionPath(connection.id, 'rules'),
      version: String(version),
      setting: {
        name: 'on',
        label: 'Enable Mapping Rules',
        help: 'Whoever logs in and is in no mapped group is deactivated, and comes back by logging in with one. The Root Admin and break-glass people are exempt. Off: rules give roles and groups, and deactivate nobody.',
        checked: draft.on,
        isWrong: error !== '',
        error,
        theirs: '',
      },
      rules: draft.rules.map((rule, at) => toLine(rule, at, drawn, groups)),
      theirs,
      knownGroups: (await listSeenGroups(work, companyId, connection.id, 200)).map(({ name }) => name),
      knownClaims: await seenClaims(work, connection),
      open: await openPlan(desk, connection),
    },
  );
}

/** What counts now; or what a plan proposes, so that it can be gone on with instead of typed again. */
async function beginning(ctx: Context, desk: Desk, connection: StoredConnection): Promise<Draft> {
  const { plan } = ctx.query;
  if (typeof plan === 'string' && isId(plan)) {
    const { proposed } = await getPlan(desk.work, desk.companyId, connection.id, plan);
    const rules = proposed.rules.toSorted((one, other) => one.position - other.position);
    return { on: proposed.mapping, rules: rules.map(draftRule) };
  }
  const rules = await listRules(desk.work, desk.companyId, connection.id);
  return { on: connection.mapping, rules: rules.map(draftRule) };
}

/** The form of the rules, as a plan proposes them. */
export const rulesOfPlan = (connectionId: string, planId: string): string =>
  `${connectionPath(connectionId, 'rules')}?plan=${planId}`;

const show: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const draft = await beginning(ctx, desk, connection);
  await draw(ctx, runtime, desk, connection, { draft, version: connection.version, problem: null, theirs: [] });
};

const save: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const { form } = ctx.state;
  const typed = draftFrom(ctx.state);
  const version = Number(form.version);
  if (form.act !== undefined) {
    const draft = { ...typed, rules: changed(typed.rules, form.act) };
    return draw(ctx, runtime, desk, connection, { draft, version, problem: null, theirs: [] });
  }
  const draft = { ...typed, rules: typed.rules.filter((rule) => !isEmpty(rule)) };
  if (version !== connection.version) return stale(ctx, runtime, desk, connection, draft);
  await orRedraw(
    ctx,
    async () => {
      const proposal = { mapping: draft.on, rules: draft.rules.map(inputOf) };
      const { id } = await makePlan(desk.work, desk.companyId, connection.id, proposal);
      seeOther(ctx, connectionPath(connection.id, `plans/${id}`));
    },
    (problem) => draw(ctx, runtime, desk, connection, { draft, version, problem, theirs: [] }),
  );
};

/** "2. group “Sales” → User, 1 access group, stop here" */
export function ruleSentence(rule: MappingRule): string {
  const gives = [
    rule.role,
    rule.groupIds.length === 0 ? null : groupWords(rule.groupIds.length),
    rule.stops ? 'stop here' : null,
  ];
  return `${rule.position}. ${conditionWords(rule)} → ${gives.filter(Boolean).join(', ')}`;
}

async function stale(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  connection: StoredConnection,
  draft: Draft,
): Promise<void> {
  const rules = await listRules(desk.work, desk.companyId, connection.id);
  await draw(ctx, runtime, desk, connection, {
    draft,
    version: connection.version,
    problem: {
      sentence:
        'This connection was changed while you had its rules open. Your rules are still in the form, and what counts now stands below. Look through them, and make the plan again.',
      field: null,
      code: null,
      fields: {},
    },
    theirs: [`Enable Mapping Rules is ${connection.mapping ? 'on' : 'off'}`, ...rules.map(ruleSentence)],
  });
  ctx.status = 409;
}

const path = `${ssoPath}/:connection/rules`;

export const ssoRuleRoutes: Route[] = [
  { method: 'get', path, handle: guarded(show) },
  { method: 'post', path, handle: guarded(save) },
];
