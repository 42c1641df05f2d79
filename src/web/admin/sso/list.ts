// Single Sign-On: the connections of the company, and choosing what a new one is to.
import { listBreakGlass } from '../../../domain/federation/break-glass-commands.ts';
import { type ConnectionRow, listConnections } from '../../../domain/federation/connection-queries.ts';
import { listEmailDomains } from '../../../domain/federation/email-domain-commands.ts';
import { isInForce } from '../../../domain/federation/enforce.ts';
import type { Route } from '../../routes.ts';
import { type Desk, type DeskHandler, showDesk } from '../console.ts';
import { counted } from '../groups/group-head.ts';
import { endingWords, nextEnd } from './certificates.ts';
import { connectionPath, connectionStatus, guarded, kindWords, ssoPath } from './connection-head.ts';
import { products } from './products.ts';
import { nextStep } from './setup.ts';
import type { ConnectionLine } from './views.ts';

function toLine({ connection, ...use }: ConnectionRow, desk: Desk): ConnectionLine {
  const { now } = desk.work;
  const { lastSeenAt, people } = use;
  const end = nextEnd(connection);
  const ended = end !== null && end <= now;
  return {
    href: connectionPath(connection.id),
    name: connection.name,
    kind: kindWords(connection),
    status: connectionStatus(connection, now),
    next: nextStep(connection, use),
    people: counted(people, 'person', 'people'),
    lastSeen: lastSeenAt && desk.moment(lastSeenAt),
    certificate: end && {
      moment: desk.moment(end),
      warning: endingWords(end, desk) === '' ? '' : ended ? 'Ended' : 'Ends soon',
    },
  };
}

const show: DeskHandler = async (ctx, runtime, desk) => {
  const { work, companyId } = desk;
  const rows = await listConnections(work, companyId);
  const domains = await listEmailDomains(work, companyId);
  const exempt = (await listBreakGlass(work, companyId)).filter((one) => isInForce(one, work.now));
  const proved = domains.filter(({ verifiedAt }) => verifiedAt !== null).length;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/list', title: 'Single Sign-On', place: 'sso' },
    {
      connections: rows.map((row) => toLine(row, desk)),
      add: `${ssoPath}/new`,
      domains: {
        href: `${ssoPath}/domains`,
        words:
          domains.length === 0
            ? 'None yet. People of a proved domain are led to your identity provider by their address.'
            : `${proved} of ${domains.length} proved.`,
      },
      breakGlass: {
        href: `${ssoPath}/break-glass`,
        words:
          exempt.length === 0
            ? 'Nobody yet. They log in with a password whatever is enforced.'
            : `${counted(exempt.length, 'person logs', 'people log')} in with a password whatever is enforced.`,
      },
    },
  );
};

const choose: DeskHandler = (ctx, runtime, desk) =>
  showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/choose', title: 'Add a connection', place: 'sso' },
    {
      back: ssoPath,
      products: products.map(({ key, name, words }) => ({
        href: `${ssoPath}/new/${key}`,
        name,
        words,
      })),
    },
  );

export const ssoListRoutes: Route[] = [
  { method: 'get', path: ssoPath, handle: guarded(show) },
  { method: 'get', path: `${ssoPath}/new`, handle: guarded(choose) },
];
