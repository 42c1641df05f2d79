// What touches everybody at once: enabling, disabling and deleting a connection, each with a question before.
import { deleteConnection } from '../../../domain/federation/connection-commands.ts';
import { getConnectionUse } from '../../../domain/federation/connection-queries.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { standingOf } from '../../../domain/federation/enforce.ts';
import { switchConnection } from '../../../domain/federation/switch-commands.ts';
import { isTested } from '../../../domain/federation/tested.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { askFirst, type Desk, type DeskHandler, orRedraw } from '../console.ts';
import { counted } from '../groups/group-head.ts';
import { connectionAt, connectionPath, guarded, ssoPath } from './connection-head.ts';
import type { SsoViews } from './views.ts';

interface Asked {
  verb: 'Enable' | 'Disable' | 'Delete';
  lead: string;
  sentences: string[];
  isDanger: boolean;
  before?: { href: string; button: string };
}

/** It would be refused: the way to the test stands there instead. */
const untested = ({ id, name }: StoredConnection): Asked => ({
  verb: 'Enable',
  lead: 'It can be enabled once a test has passed with its present settings.',
  sentences: ['You log in there once, and see everything that comes back.', 'Nobody is changed by it.'],
  isDanger: false,
  before: { href: connectionPath(id, 'test'), button: `Test ${name}` },
});

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
      if (!isTested(connection)) return untested(connection);
      return {
        verb,
        lead: 'People find it on the login page from now on.',
        sentences: [
          'Passwords work as before, until Log In with SSO is enforced.',
          ...(connection.creation.on
            ? [`Whoever logs in and is not here yet is created as ${connection.creation.role}.`]
            : ['Whoever logs in has to be here already, with the same verified e-mail.']),
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
  const asked = await askedOf(connection, desk, verb, runtime.config.brandName);
  const { lead, sentences, isDanger, before = null } = asked;
  const button = `${verb} ${connection.name}`;
  await askFirst(ctx, runtime, desk, {
    place: 'sso',
    lead,
    sentences,
    problem,
    before,
    action: connectionPath(connection.id, verb.toLowerCase()),
    button,
    isDanger,
    cancel: connectionPath(connection.id),
  });
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

const path = `${ssoPath}/:connection`;

export const ssoSwitchRoutes: Route[] = [
  { method: 'get', path: `${path}/enable`, handle: guarded(asking('Enable')) },
  { method: 'post', path: `${path}/enable`, handle: guarded(switching('Enable')) },
  { method: 'get', path: `${path}/disable`, handle: guarded(asking('Disable')) },
  { method: 'post', path: `${path}/disable`, handle: guarded(switching('Disable')) },
  { method: 'get', path: `${path}/delete`, handle: guarded(asking('Delete')) },
  { method: 'post', path: `${path}/delete`, handle: guarded(remove) },
];
