// What all pages of one connection share: its head, its state in words, its tabs, and where everything is.
import type { ConnectionId } from '../../../domain/federation/connection.ts';
import { getConnection } from '../../../domain/federation/connection-queries.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { standingOf } from '../../../domain/federation/enforce.ts';
import { minutes } from '../../../lib/time.ts';
import type { Context } from '../../context.ts';
import { type Desk, type DeskHandler, deskOf, idParam } from '../console.ts';
import type { StatusWords } from '../views.ts';
import { endingWords, nextEnd } from './certificates.ts';
import { productOf } from './products.ts';
import type { SsoHead } from './views.ts';

export const ssoPath = '/admin/sso';

export const connectionPath = (id: string, tab = ''): string => `${ssoPath}/${id}${tab === '' ? '' : `/${tab}`}`;

export const guarded = (handle: DeskHandler) => deskOf('security.manage', handle);

/** The connection of the path (`:connection`), of one's own company. */
export const connectionAt = (ctx: Context, desk: Desk): Promise<StoredConnection> =>
  getConnection(desk.work, desk.companyId, idParam<ConnectionId>(ctx, 'connection', 'connection'));

const tabs = [
  ['', 'Overview'],
  ['test', 'Test'],
  ['settings', 'Settings'],
  ['rules', 'Mapping rules'],
  ['plans', 'Plans'],
  ['enforce', 'Enforce'],
  ['log', 'Log'],
] as const;

export type ConnectionTab = (typeof tabs)[number][0];

/** Minutes until a trial reverts by itself; null while there is none. The last minute counts as one. */
export function trialLeft(connection: StoredConnection, now: Date): { until: Date; words: string } | null {
  const until = connection.enforce.trialEndsAt;
  if (standingOf(connection, now) !== 'trial' || until === null) return null;
  const left = Math.ceil((until.getTime() - now.getTime()) / minutes(1));
  return { until, words: `${left} ${left === 1 ? 'minute' : 'minutes'} left` };
}

export function connectionStatus(connection: StoredConnection, now: Date): StatusWords {
  if (!connection.enabled) return { tone: 'off', word: 'Off', more: '' };
  if (standingOf(connection, now) === 'on') return { tone: 'good', word: 'Enforced', more: '' };
  const trial = trialLeft(connection, now);
  return trial ? { tone: 'wait', word: 'Trial', more: trial.words } : { tone: 'good', word: 'Enabled', more: '' };
}

const protocolWords = { saml: 'SAML 2.0', oidc: 'OpenID Connect' };

/** "Okta, SAML 2.0". */
export function kindWords({ settings }: Pick<StoredConnection, 'settings'>): string {
  const product = productOf(settings);
  const protocol = protocolWords[settings.kind];
  return product.isGeneric ? protocol : `${product.name}, ${protocol}`;
}

export function connectionHead(connection: StoredConnection, desk: Desk, here: ConnectionTab): SsoHead {
  const { now } = desk.work;
  const { id, name } = connection;
  const trial = trialLeft(connection, now);
  const end = nextEnd(connection);
  const warning = end === null ? '' : endingWords(end, desk);
  return {
    id,
    name,
    kind: kindWords(connection),
    status: connectionStatus(connection, now),
    trial: trial && { left: trial.words, until: desk.moment(trial.until), href: connectionPath(id, 'enforce') },
    ending: warning === '' ? null : { words: warning, href: connectionPath(id, 'metadata') },
    tabs: tabs.map(([tab, label]) => ({ label, href: connectionPath(id, tab), isHere: tab === here })),
  };
}

/** From what belongs to all connections back to each: the few that there are. */
export async function onwardOf({ work, companyId }: Desk): Promise<{ name: string; href: string }[]> {
  const connections = await work.store.of(companyId).connections.list();
  return connections.slice(0, 4).map(({ id, name }) => ({ name, href: connectionPath(id) }));
}
