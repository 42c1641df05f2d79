// Disconnecting: who and how many lose what, what is gone, what stays; then the command (A8.3).
import { disconnectInstance } from '../../../domain/integrations/connect-commands.ts';
import { countPeopleOf } from '../../../domain/integrations/connected-queries.ts';
import { readInstanceOverview } from '../../../domain/integrations/instance-queries.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { askFirst, type DeskHandler, deskOf } from '../console.ts';
import { counted } from '../groups/group-head.ts';
import { instanceAt, instancePath, modulesPath } from './instance-head.ts';

const plural = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

const ask: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const { id, name, module, settings } = instance;
  const [people, read] = [
    await countPeopleOf(desk.work, desk.companyId, id),
    await readInstanceOverview(desk.work, desk.companyId, instance),
  ];
  const brand = runtime.config.brandName;
  const rules = settings.accessGroups.rules.length;
  const linked = read.accounts.linked;
  const button = `Disconnect ${name}`;
  await askFirst(ctx, runtime, desk, {
    place: 'instances',
    lead: `${counted(people, 'person loses', 'people lose')} ${name} in ${brand} at once, on every device.`,
    sentences: [
      'Its tile disappears, and every access group loses it. Who is in through it is logged out there.',
      settings.require.state === 'off'
        ? 'Local logins at the module go on as before.'
        : 'The login is not required any more: everybody can log in locally again. Who has no local password has to get one at the module.',
      `Its settings are gone: ${plural(read.exceptions.count, 'exception', 'exceptions')}, ${plural(rules, 'rule', 'rules')} of access groups, and its machine credentials.`,
      `${linked === 0 ? 'Accounts at the module stay' : `${plural(linked, 'account', 'accounts')} at the module that ${linked === 1 ? 'belongs' : 'belong'} to people here ${linked === 1 ? 'stays' : 'stay'}`} as they are now. Nobody is provisioned or deprovisioned from here any more.`,
      'The audit log and the receipts of deliveries are kept.',
      `You can’t undo it. It can be connected anew, by an administrator of ${module}, in the module itself.`,
    ],
    action: instancePath(id, 'disconnect'),
    button,
    isDanger: true,
    cancel: instancePath(id),
  });
};

const disconnect: DeskHandler = async (ctx, runtime, desk) => {
  const { id, name } = await instanceAt(ctx, desk);
  await disconnectInstance(desk.work, desk.companyId, id);
  setFlash(ctx, runtime, { kind: 'success', text: `${name} is disconnected.` });
  seeOther(ctx, modulesPath);
};

const path = `${modulesPath}/:instance/disconnect`;

export const instanceDisconnectRoutes: Route[] = [
  { method: 'get', path, handle: deskOf('modules.manage', ask) },
  { method: 'post', path, handle: deskOf('modules.manage', disconnect) },
];
