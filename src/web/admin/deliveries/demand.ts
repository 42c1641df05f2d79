// Provision on demand: the exact payload that would be sent for one person right now, and why; a button queues exactly that.
import { queueDemand } from '../../../domain/provisioning/demand-commands.ts';
import { type Demand, readDemand, whyNothing } from '../../../domain/provisioning/demand-queries.ts';
import { fullName, type User } from '../../../domain/users/user.ts';
import { isId, type UserId } from '../../../lib/ids.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { instanceAt, instanceHead, instancePath } from '../modules/instance-head.ts';
import type { DeliveryViews } from './views.ts';
import { actWords } from './words.ts';

/** By id, as links say, or by username, as people type. */
async function personOf(
  desk: Desk,
  { user = '', person = '' }: { user?: string; person?: string },
): Promise<User | null> {
  const { users } = desk.work.store.of(desk.companyId);
  if (isId(user)) return users.findById(user as UserId);
  const username = person.trim();
  return username === '' ? null : users.findByUsername(username);
}

const permissionWords = {
  rules: 'Its permission is decided by the access groups, at every change.',
  role: 'Its permission follows the company role, for a new account only.',
  default: 'Its permission is the default for new people.',
};

function whyOf({ wish, step, account, person }: Demand): string[] {
  if (!step) return [];
  return [
    `${step.because}`,
    wish.access && wish.permissionsFrom && step.wanted.permissions ? permissionWords[wish.permissionsFrom] : '',
    account
      ? `The module last confirmed the account ${account.userName}: ${account.isActive ? 'active' : 'not active'}${account.permissions.length > 0 ? `, ${account.permissions.join(', ')}` : ''}.`
      : `${person.username} has no account there that is known.`,
  ].filter((sentence) => sentence !== '');
}

type Shown = NonNullable<DeliveryViews['admin/deliveries/demand']['shown']>;

async function shownOf(runtime: Runtime, desk: Desk, demand: Demand | null, user: User): Promise<Shown> {
  const name = fullName(user);
  const base = { name, userId: user.id, href: `/admin/users/${user.id}/accounts` };
  const nothing = demand ? whyNothing(demand) : 'This module has no address to which anything could be sent.';
  if (!demand?.step)
    return {
      ...base,
      title: `Nothing would be sent for ${name}`,
      nothing,
      why: [],
      requests: [],
      mark: '',
      button: '',
    };
  const act = actWords[demand.step.act];
  return {
    ...base,
    title: `${act} the account of ${name}`,
    nothing: '',
    why: whyOf(demand),
    requests: (await runtime.demandRequests(desk.work, demand)).map(({ channel, method, address, headers, body }) => ({
      title: channel === 'scim' ? 'Change of the account (SCIM)' : 'Security Event Token, its claims',
      asked: `${method} ${address}`,
      headers: Object.entries(headers)
        .map((pair) => pair.join(': '))
        .join('\n'),
      body,
    })),
    mark: demand.mark,
    button: `${act} the account of ${name} now`,
  };
}

interface Asked {
  user: string;
  person: string;
  problem: FormProblem | null;
}

async function draw(ctx: Context, runtime: Runtime, desk: Desk, asked: Asked): Promise<void> {
  const instance = await instanceAt(ctx, desk);
  const user = await personOf(desk, asked);
  const demand = user && (await readDemand(desk.work, desk.companyId, instance.id, user.id));
  const isUnknown = user === null && (asked.user !== '' || asked.person.trim() !== '');
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/deliveries/demand', title: `Provision on demand: ${instance.name}`, place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'deliveries'),
      action: instancePath(instance.id, 'provision'),
      back: instancePath(instance.id, 'deliveries'),
      person: user?.username ?? asked.person,
      unknown: isUnknown ? 'There is nobody of this username here.' : '',
      problem: asked.problem,
      shown: user ? await shownOf(runtime, desk, demand, user) : null,
    },
  );
  if (isUnknown) ctx.status = 404;
}

const show: DeskHandler = (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const word = (name: string) => (query.get(name) ?? '').replaceAll('\0', '').slice(0, 200);
  return draw(ctx, runtime, desk, { user: word('user'), person: word('person'), problem: null });
};

const queue: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const { user = '', mark = '' } = ctx.state.form;
  await orRedraw(
    ctx,
    async () => {
      // A person who is none is refused as one of nothing to send.
      const userId = (isId(user) ? user : instance.id) as UserId;
      await queueDemand(desk.work, desk.companyId, { instanceId: instance.id, userId, mark });
      setFlash(ctx, runtime, { kind: 'success', text: 'It is queued, and goes out now.' });
      seeOther(ctx, `${instancePath(instance.id, 'deliveries')}?user=${userId}`);
    },
    (problem) => draw(ctx, runtime, desk, { user, person: '', problem: { ...problem, field: null } }),
  );
};

const at = instancePath(':instance', 'provision');

export const demandRoutes: Route[] = [
  { method: 'get', path: at, handle: deskOf('modules.manage', show) },
  { method: 'post', path: at, handle: deskOf('modules.manage', queue) },
];
