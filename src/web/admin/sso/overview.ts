// One connection at a glance: facts, certificates, switches; and what touches everybody at once: enabling, disabling, deleting.
import { deleteConnection } from '../../../domain/federation/connection-commands.ts';
import { type ConnectionUse, getConnectionUse, listStopped } from '../../../domain/federation/connection-queries.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { standingOf } from '../../../domain/federation/enforce.ts';
import { refreshMetadata } from '../../../domain/federation/metadata-commands.ts';
import { stopWords } from '../../../domain/federation/person-mapping.ts';
import { acceptEmptiedGroups } from '../../../domain/federation/stop-commands.ts';
import { switchConnection } from '../../../domain/federation/switch-commands.ts';
import { isTested } from '../../../domain/federation/tested.ts';
import { notFound } from '../../../lib/errors.ts';
import { isId, type UserId } from '../../../lib/ids.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { readMetadata } from '../../sso/saml-metadata.ts';
import { type Desk, type DeskHandler, orRedraw, showDesk } from '../console.ts';
import { counted } from '../groups/group-head.ts';
import type { StatusWords } from '../views.ts';
import { certificateLines } from './certificates.ts';
import { connectionAt, connectionHead, connectionPath, connectionStatus, guarded, ssoPath } from './connection-head.ts';
import { guideFacts } from './new.ts';
import { guideOf, productOf } from './products.ts';
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
      words: '',
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

function nextOf(connection: StoredConnection): Locals['next'] {
  const { id, enabled } = connection;
  if (!isTested(connection))
    return {
      words: 'Nobody has come through it with its present settings yet.',
      href: connectionPath(id, 'test'),
      button: 'Test it',
    };
  return enabled
    ? null
    : { words: 'It passed its test, and is off.', href: connectionPath(id, 'enable'), button: 'Enable it' };
}

function metadataOf({ id, settings, metadata }: StoredConnection, desk: Desk): Locals['metadata'] {
  if (settings.kind !== 'saml') return null;
  return {
    words:
      settings.metadataUrl === null
        ? 'The metadata has no address, so new certificates are yours to bring.'
        : 'New certificates come from the metadata by themselves, once a day.',
    read: metadata.readAt && desk.moment(metadata.readAt),
    problem: metadata.problem ?? '',
    refresh: settings.metadataUrl === null ? '' : connectionPath(id, 'refresh'),
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
      next: nextOf(connection),
      enable: {
        words: enabled
          ? 'People find it on the login page.'
          : 'It is off: nobody sees it on the login page, and its rules touch nobody.',
        href: connectionPath(id, enabled ? 'disable' : 'enable'),
        button: enabled ? 'Disable' : 'Enable',
        isDanger: enabled,
      },
      switches: switchesOf(connection, use, desk.work.now),
      facts: factsOf(connection),
      lastSeen: use.lastSeenAt && desk.moment(use.lastSeenAt),
      people: counted(use.people, 'person', 'people'),
      tested: testedAt && desk.moment(testedAt),
      isTested: isTested(connection),
      certificates: certificateLines(connection, desk),
      metadata: metadataOf(connection, desk),
      stopped: await stoppedOf(connection, desk),
      guide: guideOf(productOf(connection.settings), { ...(await guideFacts(runtime, desk)), attributes }),
      remove: connectionPath(id, 'delete'),
    },
  );
};

interface Asked {
  verb: 'Enable' | 'Disable' | 'Delete';
  lead: string;
  sentences: string[];
  isDanger: boolean;
}

async function askedOf(connection: StoredConnection, desk: Desk, verb: Asked['verb'], brand: string): Promise<Asked> {
  const { people, rules } = await getConnectionUse(desk.work, connection);
  const isEnforced = ['on', 'trial'].includes(standingOf(connection, desk.work.now));
  const known = counted(people, 'person signs', 'people sign');
  const passwords = isEnforced
    ? [
        'Log In with SSO is not enforced any more: every password counts again. Whoever has none asks for one at the login page.',
      ]
    : [];
  switch (verb) {
    case 'Enable':
      return {
        verb,
        lead: 'People find it on the login page from now on.',
        sentences: [
          'Passwords work as before, until Log In with SSO is enforced.',
          ...(connection.creation.on
            ? [`Whoever signs in and is not here yet is created as ${connection.creation.role}.`]
            : ['Whoever signs in has to be here already, with the same verified e-mail.']),
          ...(rules > 0
            ? ['Its mapping rules begin to count. If they change anybody at once, you see a plan first.']
            : []),
          'You can undo it: disable it again.',
        ],
        isDanger: false,
      };
    case 'Disable':
      return {
        verb,
        lead: `${known} in through it, and can’t any more.`,
        sentences: [
          ...passwords,
          'Sessions that are open go on. People, roles and groups stay as they are.',
          'You can undo it: enable it again. All settings are kept.',
        ],
        isDanger: true,
      };
    case 'Delete':
      return {
        verb,
        lead: `${known} in through it, and can’t any more.`,
        sentences: [
          ...passwords,
          'Its settings, rules, plans and log go with it. What was done to people stays as it is.',
          `Who somebody is there is forgotten: a new connection finds them by their verified e-mail in ${brand} once more.`,
          'This can’t be undone.',
        ],
        isDanger: true,
      };
  }
}

async function ask(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  { connection, verb }: { connection: StoredConnection; verb: Asked['verb'] },
  problem: SsoViews['admin/sso/settings']['problem'],
): Promise<void> {
  const { lead, sentences, isDanger } = await askedOf(connection, desk, verb, runtime.config.brandName);
  const button = `${verb} ${connection.name}`;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/modules/confirm', title: button, place: 'sso' },
    {
      title: `${button}?`,
      lead,
      who: '',
      sentences,
      problem: problem && { ...problem, field: null },
      action: connectionPath(connection.id, verb.toLowerCase()),
      hidden: [],
      button,
      isDanger,
      cancel: connectionPath(connection.id),
    },
  );
}

const asking =
  (verb: Asked['verb']): DeskHandler =>
  async (ctx, runtime, desk) =>
    ask(ctx, runtime, desk, { connection: await connectionAt(ctx, desk), verb }, null);

const switching =
  (verb: 'Enable' | 'Disable'): DeskHandler =>
  async (ctx, runtime, desk) => {
    const connection = await connectionAt(ctx, desk);
    await orRedraw(
      ctx,
      async () => {
        const enabled = verb === 'Enable';
        const switched = await switchConnection(desk.work, desk.companyId, connection.id, { enabled });
        if (switched.outcome === 'plan') {
          const text = 'Its rules change people at once. Look through the plan: applying it enables the connection.';
          setFlash(ctx, runtime, { kind: 'success', text });
          return seeOther(ctx, connectionPath(connection.id, `plans/${switched.planId}`));
        }
        setFlash(ctx, runtime, { kind: 'success', text: `${connection.name} is ${enabled ? 'enabled' : 'disabled'}.` });
        seeOther(ctx, connectionPath(connection.id));
      },
      (problem) => ask(ctx, runtime, desk, { connection, verb }, problem),
    );
  };

const remove: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      await deleteConnection(desk.work, desk.companyId, connection.id);
      setFlash(ctx, runtime, { kind: 'success', text: `${connection.name} is deleted.` });
      seeOther(ctx, ssoPath);
    },
    (problem) => ask(ctx, runtime, desk, { connection, verb: 'Delete' }, problem),
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
  const text = 'The empty list counts from their next sign-in, and in the next plan.';
  setFlash(ctx, runtime, { kind: 'success', text });
  seeOther(ctx, connectionPath(connection.id));
};

const path = `${ssoPath}/:connection`;

export const ssoOverviewRoutes: Route[] = [
  { method: 'get', path, handle: guarded(show) },
  { method: 'get', path: `${path}/enable`, handle: guarded(asking('Enable')) },
  { method: 'post', path: `${path}/enable`, handle: guarded(switching('Enable')) },
  { method: 'get', path: `${path}/disable`, handle: guarded(asking('Disable')) },
  { method: 'post', path: `${path}/disable`, handle: guarded(switching('Disable')) },
  { method: 'get', path: `${path}/delete`, handle: guarded(asking('Delete')) },
  { method: 'post', path: `${path}/delete`, handle: guarded(remove) },
  { method: 'post', path: `${path}/accept-emptied`, handle: guarded(acceptEmptied) },
  { method: 'post', path: `${path}/refresh`, handle: guarded(refresh) },
];
