// What all pages of one connected module share: its head, its state in words, its tabs.
import {
  type ExceptionCounts,
  getInstance,
  type InstanceDetail,
  isLaneFailing,
} from '../../../domain/integrations/instance-queries.ts';
import type { Settings } from '../../../domain/integrations/settings.ts';
import type { InstanceId } from '../../../lib/ids.ts';
import { minutes } from '../../../lib/time.ts';
import type { Context } from '../../context.ts';
import { type Desk, idParam } from '../console.ts';
import type { StatusWords } from '../views.ts';
import type { InstanceHead } from './views.ts';

export const modulesPath = '/admin/modules';

export const instancePath = (id: string, tab = ''): string => `${modulesPath}/${id}${tab === '' ? '' : `/${tab}`}`;

/** The instance of the path (`:instance`), of one's own company. */
export const instanceAt = (ctx: Context, desk: Desk): Promise<InstanceDetail> =>
  getInstance(desk.work, desk.companyId, idParam<InstanceId>(ctx, 'instance', 'module'));

const tabs = [
  ['', 'Overview'],
  ['settings', 'Settings'],
  ['exceptions', 'Exceptions'],
  ['access-groups', 'Access groups'],
  ['accounts', 'Accounts'],
  ['deliveries', 'Deliveries'],
  ['test', 'Test'],
] as const;

export type InstanceTab = (typeof tabs)[number][0];

type StateFacts = Pick<Settings, 'enabled' | 'require'>;

/** Minutes until a trial reverts by itself; null while there is none. The last minute counts as one. */
export function trialLeft({ enabled, require }: StateFacts, now: Date): { until: Date; words: string } | null {
  const { state, trialEndsAt: until } = require;
  if (!enabled || state !== 'trial' || until === null || until <= now) return null;
  const left = Math.ceil((until.getTime() - now.getTime()) / minutes(1));
  return { until, words: `${left} ${left === 1 ? 'minute' : 'minutes'} left` };
}

export function instanceStatus(settings: StateFacts, now: Date): StatusWords {
  if (!settings.enabled) return { tone: 'off', word: 'Off', more: '' };
  if (settings.require.state === 'on') return { tone: 'good', word: 'Required', more: '' };
  const trial = trialLeft(settings, now);
  return trial ? { tone: 'wait', word: 'Trial', more: trial.words } : { tone: 'good', word: 'Enabled', more: '' };
}

/** Of those that are in force. */
export function exceptionWords({ count, withoutEnd }: ExceptionCounts): string {
  if (count === 0) return 'nobody is exempt';
  const open = withoutEnd > 0 ? `, ${withoutEnd} without end` : '';
  return `${count} ${count === 1 ? 'exception' : 'exceptions'}${open}`;
}

export function instanceHead(instance: InstanceDetail, desk: Desk, here: InstanceTab): InstanceHead {
  const { id, name, module, icon, isTest, settings, lane } = instance;
  const { now } = desk.work;
  const trial = trialLeft(settings, now);
  return {
    id,
    name,
    icon,
    product: module === name ? '' : module,
    status: instanceStatus(settings, now),
    isTest,
    trial: trial && { left: trial.words, until: desk.moment(trial.until), href: instancePath(id, 'require') },
    failing: isLaneFailing(lane, now)
      ? { words: lane.lastProblem ?? 'It does not answer.', href: instancePath(id, 'deliveries') }
      : null,
    tabs: tabs.map(([tab, label]) => ({ label, href: instancePath(id, tab), isHere: tab === here })),
  };
}
