// Taking the suspension of a held account back: what comes back, or what has to be changed first (A8.8).
import { readUndo, type Undo, undoSuspension } from '../../../domain/provisioning/undo-commands.ts';
import { fullName } from '../../../domain/users/user.ts';
import type { InstanceId, UserId } from '../../../lib/ids.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, idParam, orRedraw, showDesk } from '../console.ts';
import { instancePath } from '../modules/instance-head.ts';
import { usersPath } from '../users/list.ts';
import { personPath } from '../users/person-head.ts';

export const undoPath = (userId: string, instanceId: string): string =>
  `${personPath(userId)}/accounts/${instanceId}/undo`;

const list = new Intl.ListFormat('en');

/** What the act brings back, and what it does not. */
function sentencesOf({ account, step, receiver, person }: Undo, desk: Desk): string[] {
  const { permissions } = step?.wanted ?? {};
  const now = account.permissions.length === 0 ? 'no permission' : list.format(account.permissions);
  return [
    `${fullName(person)} can enter ${receiver.name} again with the account ${account.userName || account.email}.`,
    permissions
      ? `It comes back with the permission that the access groups decide: ${list.format(permissions)}.`
      : `It comes back as it was: ${now}.`,
    account.heldUntil ? `What was to happen on ${desk.moment(account.heldUntil).exact} does not happen.` : '',
    'Sessions that were ended stay ended: they log in anew.',
  ].filter((sentence) => sentence !== '');
}

/** Where what stands in the way is changed. */
function changeOf({ refusal, receiver, person }: Undo): { href: string; label: string } | null {
  const { userId } = person;
  switch (refusal?.stands) {
    case 'account':
      return { href: `${personPath(userId)}/activate`, label: `Activate ${fullName(person)}` };
    case 'group':
      return { href: `${personPath(userId)}/edit#groups`, label: `Edit the groups of ${fullName(person)}` };
    case 'module':
      return { href: instancePath(receiver.id, 'settings'), label: `Settings of ${receiver.name}` };
    case 'permission':
      return { href: instancePath(receiver.id, 'access-groups'), label: `Access groups of ${receiver.name}` };
    default:
      return null;
  }
}

async function draw(ctx: Context, runtime: Runtime, desk: Desk, problem: FormProblem | null): Promise<void> {
  const { userId, instanceId } = at(ctx);
  const undo = await readUndo(desk.work, desk.companyId, instanceId, userId);
  const { receiver, person, account, refusal } = undo;
  const name = fullName(person);
  const since = account.suspendedAt ? ` since ${desk.moment(account.suspendedAt).exact}` : '';
  const lead = `The account ${account.userName || account.email} in ${receiver.name} is suspended${since}. ${account.lifeReason ?? ''}`;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/deliveries/undo', title: `Undo the suspension of ${name}`, place: 'users' },
    {
      title: `Undo the suspension of ${name} in ${receiver.name}${refusal ? '' : '?'}`,
      lead: account.life === 'suspended' ? lead.trim() : '',
      sentences: sentencesOf(undo, desk),
      // What is in the way says the same, and where to change it.
      problem: refusal ? null : problem,
      refusal: refusal && { sentence: refusal.sentence, change: changeOf(undo) },
      action: undoPath(userId, instanceId),
      button: `Restore the account of ${name}`,
      cancel: `${personPath(userId)}/accounts`,
    },
  );
}

const at = (ctx: Context): { userId: UserId; instanceId: InstanceId } => ({
  userId: idParam(ctx, 'id', 'person'),
  instanceId: idParam<InstanceId>(ctx, 'instance', 'module'),
});

const ask: DeskHandler = (ctx, runtime, desk) => draw(ctx, runtime, desk, null);

const undo: DeskHandler = async (ctx, runtime, desk) => {
  const { userId, instanceId } = at(ctx);
  await orRedraw(
    ctx,
    async () => {
      await undoSuspension(desk.work, desk.companyId, instanceId, userId);
      setFlash(ctx, runtime, { kind: 'success', text: 'The account is being restored.' });
      seeOther(ctx, `${personPath(userId)}/accounts`);
    },
    (problem) => draw(ctx, runtime, desk, { ...problem, field: null }),
  );
};

const path = `${usersPath}/:id/accounts/:instance/undo`;

export const undoRoutes: Route[] = [
  { method: 'get', path, handle: deskOf('modules.manage', ask) },
  { method: 'post', path, handle: deskOf('modules.manage', undo) },
];
