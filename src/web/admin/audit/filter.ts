// The audit log's filter as the address holds it. Whatever makes no sense is left out.
import { actionWords } from '../../../domain/audit/action-words.ts';
import { readSupportCode } from '../../../domain/audit/audit-event.ts';
import { type ActionGroup, type AuditFilter, actionGroups, actionsOf } from '../../../domain/reports/audit-filter.ts';
import { findPersonFor, type Suggestion } from '../../../domain/reports/audit-queries.ts';
import { cut } from '../../../lib/cut.ts';
import { after, days, hours } from '../../../lib/time.ts';
import { instantOf } from '../../../lib/zones.ts';
import { zoneOf } from '../../home/person.ts';
import type { Desk } from '../console.ts';
import type { Choice } from '../views.ts';

export const ranges = [
  { value: 'hour', label: 'Last hour', length: hours(1) },
  { value: 'day', label: 'Last 24 hours', length: days(1) },
  { value: 'week', label: 'Last 7 days', length: days(7) },
  { value: 'month', label: 'Last 30 days', length: days(30) },
  { value: 'quarter', label: 'Last 90 days', length: days(90) },
] as const;

export const filterNames = ['person', 'action', 'range', 'from', 'to', 'ip', 'code'] as const;

export interface AskedFilter {
  filter: AuditFilter;
  /** What was typed or chosen, where it makes sense. */
  asked: Record<(typeof filterNames)[number], string>;
  person: Suggestion | null;
  /** Somebody was asked for whom nobody knows: then nothing matches. */
  isPersonUnknown: boolean;
}

const groups = Object.keys(actionGroups) as ActionGroup[];

export async function readFilter(query: URLSearchParams, desk: Desk): Promise<AskedFilter> {
  const text = (name: string) => cut((query.get(name) ?? '').replaceAll('\0', '').trim(), 100);
  const zone = zoneOf(desk.user);
  const from = instantOf(text('from'), zone);
  const to = instantOf(text('to'), zone);
  const range = from || to ? undefined : ranges.find(({ value }) => value === text('range'));
  const { value: action, actions } = actionsFor(text('action'));
  const word = text('person');
  const person = word === '' ? null : await findPersonFor(desk.work, desk.companyId, word);
  return {
    filter: {
      personId: person?.id ?? null,
      actions,
      from: range ? after(desk.work.now, -range.length) : from,
      to,
      ip: text('ip'),
      code: readSupportCode(text('code')),
    },
    asked: {
      person: person?.username ?? word,
      action,
      range: range?.value ?? '',
      from: from ? text('from') : '',
      to: to ? text('to') : '',
      ip: text('ip'),
      code: readSupportCode(text('code')),
    },
    person,
    isPersonUnknown: word !== '' && person === null,
  };
}

/** A whole group is `all:<group>`, one action its name. */
function actionsFor(value: string): { value: string; actions: AuditFilter['actions'] } {
  const group = groups.find((group) => value === `all:${group}`);
  if (group) return { value, actions: actionsOf(group) };
  const action = groups.flatMap(actionsOf).find((action) => action === value);
  return action ? { value, actions: [action] } : { value: '', actions: [] };
}

export function actionChoices(chosen: string): { label: string; choices: Choice[] }[] {
  const choice = (value: string, label: string): Choice => ({ value, label, selected: value === chosen });
  return groups.map((group) => ({
    label: actionGroups[group],
    choices: [
      choice(`all:${group}`, `${actionGroups[group]}: all`),
      ...actionsOf(group).map((action) => choice(action, actionWords(action))),
    ],
  }));
}

export function labelOfAction(value: string): string {
  const group = groups.find((group) => value === `all:${group}`);
  return group ? actionGroups[group] : actionWords(value);
}
