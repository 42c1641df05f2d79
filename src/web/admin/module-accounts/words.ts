// What the classes of a report and the acts of a plan are called.
import type { DriftClass } from '../../../domain/provisioning/drift.ts';
import type { PlanAct } from '../../../domain/provisioning/plan.ts';
import { instancePath } from '../modules/instance-head.ts';
import type { StatusWords } from '../views.ts';

export const accountsPath = (instanceId: string, rest = ''): string =>
  `${instancePath(instanceId, 'accounts')}${rest === '' ? '' : `/${rest}`}`;

export const number = new Intl.NumberFormat('en');

export const counted = (count: number, one: string, many: string): string =>
  `${number.format(count)} ${count === 1 ? one : many}`;

type Tone = StatusWords['tone'];

const classes: Record<DriftClass, [label: string, tone: Tone]> = {
  matched: ['Matched', 'good'],
  orphan: ['Orphan in the module', 'wait'],
  missing: ['Missing', 'wait'],
  status: ['Wrong status', 'danger'],
  permission: ['Wrong permission', 'danger'],
  timeZone: ['Wrong time zone', 'wait'],
  duplicate: ['Duplicate', 'wait'],
  localPassword: ['Local password works', 'danger'],
};

export const classWords = (name: DriftClass): StatusWords => ({
  word: classes[name][0],
  tone: classes[name][1],
  more: '',
});

const acts: Record<PlanAct, [label: string, tone: Tone]> = {
  create: ['Create', 'good'],
  update: ['Change', 'wait'],
  suspend: ['Suspend', 'danger'],
  restore: ['Give back', 'good'],
  none: ['Leave alone', 'off'],
};

export const actWords = (act: PlanAct): StatusWords => ({ word: acts[act][0], tone: acts[act][1], more: '' });
