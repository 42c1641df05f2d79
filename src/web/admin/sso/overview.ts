import { type ConnectionUse, getConnectionUse, listStopped } from '../../../domain/federation/connection-queries.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { standingOf } from '../../../domain/federation/enforce.ts';
import { refreshMetadata } from '../../../domain/federation/metadata-commands.ts';
import { stopWords } from '../../../domain/federation/person-mapping.ts';
import { acceptEmptiedGroups } from '../../../domain/federation/stop-commands.ts';
import { isTested } from '../../../domain/federation/tested.ts';
import { notFound } from '../../../lib/errors.ts';
import { isId, type UserId } from '../../../lib/ids.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { readMetadata } from '../../sso/saml-metadata.ts';
import { type Desk, type DeskHandler, showDesk } from '../console.ts';
import { counted } from '../groups/group-head.ts';
import type { StatusWords } from '../views.ts';
import { certificateLines, ourWords } from './certificates.ts';
import { connectionAt, connectionHead, connectionPath, connectionStatus, guarded, ssoPath } from './connection-head.ts';
import { guideFacts } from './new.ts';
import { guideOf, productOf } from './products.ts';
import { setupFacts, setupOf } from './setup.ts';
import type { SsoViews } from './views.ts';

type Locals = SsoViews['admin/sso/overview'];

const on: StatusWords = { tone: 'good', word: 'On', more: '' };
const off: StatusWords = { tone: 'off', word: 'Off', more: '' };

function switchesOf(connection: StoredConnection, { rules }: ConnectionUse, now: Date): Locals['switches'] {
  const { id, creation, asksSecondFactor, mapping, enabled } = connection;
  const status = connectionStatus(connection, now);
  const isInForce = ['on', 'trial'].includes(standingOf(connection, now));
  const ruleWords = rules === 0 ? 'No rule yet' : `${rules} ${rules === 1 ? 'rule' : 'rules'}`;
  return [
    {
      label: 'Enable Single Sign-On',
      status: enabled ? on : off,
      words: '',
      href: connectionPath(id, 'settings'),
    },
    {
      label: 'Enforce Log In with SSO',
      status: isInForce ? status : off,
      words: '',
      href: connectionPath(id, 'enforce'),
    },
    {
      label: 'Enable Automatic User Creation',
      status: creation.on ? on : off,
      words: creation.on ? `As ${creation.role}` : '',
      href: connectionPath(id, 'settings'),
    },
    { label: 'Enable Mapping Rules', status: mapping ? on : off, words: ruleWords, href: connectionPath(id, 'rules') },
    {
      label: 'Ask for 2FA here as well',
      status: asksSecondFactor ? on : off,
      words: asksSecondFactor ? '' : 'The Root Admin is asked either way',
      href: connectionPath(id, 'settings'),
    },
  ];
}

const factsOf = ({ settings }: StoredConnection): Locals['facts'] =>
  settings.kind === 'saml'
    ? [
        { label: 'Issuer', value: settings.entityId },
        { label: 'Sign-on URL', value: settings.ssoUrl },
        ...(settings.sloUrl === null ? [] : [{ label: 'Single logout', value: settings.sloUrl }]),
      ]
    : [
        { label: 'Issuer', value: settings.issuer },
        { label: 'Client ID', value: settings.clientId },
        { label: 'Scopes', value: settings.scopes },
      ];

async function metadataOf({ id, settings, metadata }: StoredConnection, desk: Desk): Promise<Locals['metadata']> {
  if (settings.kind !== 'saml') return null;
  return {
    words:
      settings.metadataUrl === null
        ? 'The metadata has no address, so new certificates are yours to bring.'
        : 'New certificates come from the metadata by themselves, once a day.',
    read: metadata.readAt && desk.moment(metadata.readAt),
    problem: metadata.problem ?? '',
    ours: await ourWords(desk),
    refresh: settings.metadataUrl === null ? '' : connectionPath(id, 'refresh'),
    bring: connectionPath(id, 'metadata'),
  };
}

const shownStopped = 20;

async function stoppedOf(connection: StoredConnection, desk: Desk): Promise<Locals['stopped']> {
  const { count, people } = await listStopped(desk.work, connection, shownStopped);
  if (count === 0) return null;
  const latest = count > people.length ? ` These are the latest ${people.length}.` : '';
  return {
    words: `${counted(count, 'person', 'people')} came without the groups that the rules read. Nothing was changed for them, whatever the rules say: look at what your identity provider sends.${latest}`,
    people: people.map(({ userId, name, username, because, at }) => ({
      name: name === '' ? username : name,
      href: `/admin/users/${userId}`,
      words: stopWords[because],
      at: desk.moment(at),
      userId,
      mayAccept: because === 'groups-emptied',
    })),
    accept: connectionPath(connection.id, 'accept-emptied'),
  };
}

const show: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const { id, enabled, testedAt, attributes } = connection;
  const use = await getConnectionUse(desk.work, connection);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/overview', title: connection.name, place: 'sso' },
    {
      connection: connectionHead(connection, desk, ''),
      setup: setupOf(connection, use, await setupFacts(desk), desk.work.now),
      enable: {
        words: enabled
          ? 'People find it on the login page.'
          : 'It is off: nobody sees it on the login page, and its rules touch nobody.',
        href: connectionPath(id, enabled ? 'disable' : 'enable'),
        button: enabled ? 'Disable' : 'Enable',
      },
      switches: switchesOf(connection, use, desk.work.now),
      facts: factsOf(connection),
      lastSeen: use.lastSeenAt && desk.moment(use.lastSeenAt),
      people: counted(use.people, 'person', 'people'),
      tested: testedAt && desk.moment(testedAt),
      isTested: isTested(connection),
      certificates: certificateLines(connection, desk),
      metadata: await metadataOf(connection, desk),
      stopped: await stoppedOf(connection, desk),
      guide: guideOf(productOf(connection.settings), {
        ...(await guideFacts(runtime, desk)),
        attributes,
        connectionId: id,
      }),
      remove: connection.enabled ? null : connectionPath(id, 'delete'),
    },
  );
};

const refresh: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const means = { outgoing: runtime.outgoing, readMetadata };
  const read = await refreshMetadata(desk.work, desk.companyId, connection.id, means);
  if (read.outcome === 'failed') setFlash(ctx, runtime, { kind: 'danger', text: read.problem });
  else {
    const added =
      read.added === 0 ? 'nothing new' : `${read.added} new ${read.added === 1 ? 'certificate' : 'certificates'}`;
    setFlash(ctx, runtime, { kind: 'success', text: `The metadata is read: ${added}.` });
  }
  seeOther(ctx, connectionPath(connection.id));
};

const acceptEmptied: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const { person = '' } = ctx.state.form;
  if (!isId(person)) throw notFound('person');
  // Whose id it is, the command asks the company's own table.
  await acceptEmptiedGroups(desk.work, desk.companyId, connection.id, person as UserId);
  const text = 'The empty list counts from their next login, and in the next plan.';
  setFlash(ctx, runtime, { kind: 'success', text });
  seeOther(ctx, connectionPath(connection.id));
};

const path = `${ssoPath}/:connection`;

export const ssoOverviewRoutes: Route[] = [
  { method: 'get', path, handle: guarded(show) },
  { method: 'post', path: `${path}/accept-emptied`, handle: guarded(acceptEmptied) },
  { method: 'post', path: `${path}/refresh`, handle: guarded(refresh) },
];
