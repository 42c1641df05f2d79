// One connected module: how it is connected, what is on, what happened; and its name.

import { countPeopleOf } from '../../../domain/integrations/connected-queries.ts';
import {
  type CredentialFacts,
  type InstanceDetail,
  type InstanceOverview,
  readInstanceOverview,
} from '../../../domain/integrations/instance-queries.ts';
import { renameInstance } from '../../../domain/integrations/rename-commands.ts';
import { canDo } from '../../../domain/modules/profile.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { counted } from '../groups/group-head.ts';
import { told } from '../told.ts';
import {
  exceptionWords,
  instanceAt,
  instanceHead,
  instancePath,
  instanceStatus,
  modulesPath,
  trialLeft,
} from './instance-head.ts';
import type { ModuleViews, SwitchLine } from './views.ts';

const plural = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

const onOff = (on: boolean) =>
  on ? ({ tone: 'good', word: 'On', more: '' } as const) : ({ tone: 'off', word: 'Off', more: '' } as const);

function requireLine(instance: InstanceDetail, { exceptions }: InstanceOverview, desk: Desk): SwitchLine['status'] {
  const { settings } = instance;
  if (trialLeft(settings, desk.work.now) || (settings.enabled && settings.require.state === 'on')) {
    const status = instanceStatus(settings, desk.work.now);
    return status.word === 'Required' ? { ...onOff(true), more: exceptionWords(exceptions) } : status;
  }
  return onOff(false);
}

/** The switches in the order of their dependence, those alone that the product has. */
function switchesOf(instance: InstanceDetail, read: InstanceOverview, desk: Desk, brand: string): SwitchLine[] {
  const { profile, settings } = instance;
  const { provisioning, deprovisioning, accessGroups } = settings;
  const values = profile.fields.flatMap(({ name, label }) => {
    const value = provisioning.values[name];
    return value ? [`${label}: ${value}`] : [];
  });
  const end = deprovisioning.removal === 'remove' ? 'deleted' : 'left disabled';
  const lines: (SwitchLine & { shown: boolean })[] = [
    {
      shown: true,
      label: `Log In with ${brand}`,
      status: onOff(settings.enabled),
      words: '',
      href: instancePath(instance.id, 'settings'),
    },
    {
      shown: canDo(profile, 'require'),
      label: `Require Log In with ${brand}`,
      status: requireLine(instance, read, desk),
      words: '',
      href: instancePath(instance.id, 'exceptions'),
    },
    {
      shown: canDo(profile, 'provision'),
      label: 'Automatic User Provisioning',
      status: onOff(settings.enabled && provisioning.on),
      words: provisioning.on ? values.join(', ') : '',
      href: instancePath(instance.id, 'settings'),
    },
    {
      shown: canDo(profile, 'deprovision'),
      label: 'Automatic User Deprovisioning',
      status: onOff(settings.enabled && deprovisioning.on),
      words: deprovisioning.on
        ? `Suspended at once, held for ${plural(deprovisioning.graceDays, 'day', 'days')}, then ${end}`
        : '',
      href: instancePath(instance.id, 'settings'),
    },
    {
      shown: canDo(profile, 'accessGroups'),
      label: 'Access Groups',
      status: onOff(settings.enabled && accessGroups.on),
      words: accessGroups.rules.length > 0 ? plural(accessGroups.rules.length, 'rule', 'rules') : '',
      href: instancePath(instance.id, 'access-groups'),
    },
  ];
  return lines.filter(({ shown }) => shown).map(({ shown: _shown, ...line }) => line);
}

function addressesOf(instance: InstanceDetail): { label: string; value: string }[] {
  return [
    { label: 'Login begins at', value: instance.initiateLoginUri ?? '' },
    { label: 'Opens at', value: instance.landingUrl ?? '' },
    { label: 'Local login for exempt people', value: instance.localLoginUrl ?? '' },
    { label: 'Accounts (SCIM)', value: instance.scimUrl ?? '' },
    { label: 'Events', value: instance.eventsUrl ?? '' },
  ].filter(({ value }) => value !== '');
}

/** What the module said of itself when it was last heard of. */
function saidOf({ contact, settings }: InstanceDetail): string[] {
  if (contact === null) return [];
  const { kit, settings_version: version } = contact;
  return [
    ...(typeof kit === 'string' ? [`Kit ${kit}`] : []),
    ...(typeof version === 'number'
      ? [
          version === settings.version
            ? 'Goes by the present settings'
            : 'Goes by older settings: fetches the new ones soon',
        ]
      : []),
  ];
}

const credentialLine = ({ id, createdAt, lastUsedAt, endsAt }: CredentialFacts, desk: Desk) => ({
  id: id.slice(-6),
  createdAt: desk.moment(createdAt),
  lastUsedAt: lastUsedAt && desk.moment(lastUsedAt),
  endsAt: endsAt && desk.moment(endsAt),
});

type Drawn = Pick<ModuleViews['admin/modules/overview'], 'problem' | 'values'>;

async function draw(ctx: Context, runtime: Runtime, desk: Desk, instance: InstanceDetail, drawn: Drawn): Promise<void> {
  const read = await readInstanceOverview(desk.work, desk.companyId, instance);
  const people = await countPeopleOf(desk.work, desk.companyId, instance.id);
  const { lane } = instance;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/modules/overview', title: instance.name, place: 'instances' },
    {
      ...drawn,
      instance: instanceHead(instance, desk, ''),
      tenant: instance.tenant,
      connectedAt: desk.moment(instance.connectedAt),
      connectedBy: instance.connectedBy ?? '',
      people: counted(people, 'person', 'people'),
      accounts:
        read.accounts.count === 0
          ? ''
          : `${plural(read.accounts.count, 'account', 'accounts')} read, ${read.accounts.linked} linked to people`,
      contact: instance.contactAt && desk.moment(instance.contactAt),
      said: saidOf(instance),
      lastDelivery: lane?.lastSuccessAt ? desk.moment(lane.lastSuccessAt) : null,
      addresses: addressesOf(instance),
      switches: switchesOf(instance, read, desk, runtime.config.brandName),
      credentials: read.credentials.map((one) => credentialLine(one, desk)),
      history: await told(desk, read.history),
      rename: instancePath(instance.id, 'rename'),
      disconnect: instancePath(instance.id, 'disconnect'),
    },
  );
}

const overview: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  await draw(ctx, runtime, desk, instance, { problem: null, values: { name: instance.name } });
};

const rename: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const name = ctx.state.form.name ?? '';
  await orRedraw(
    ctx,
    async () => {
      const kept = await renameInstance(desk.work, desk.companyId, instance.id, name);
      setFlash(ctx, runtime, { kind: 'success', text: `The module is named ${kept} now.` });
      seeOther(ctx, instancePath(instance.id));
    },
    (problem) => draw(ctx, runtime, desk, instance, { problem, values: { name } }),
  );
};

const one = `${modulesPath}/:instance`;

export const instanceOverviewRoutes: Route[] = [
  { method: 'get', path: one, handle: deskOf('modules.manage', overview) },
  { method: 'post', path: `${one}/rename`, handle: deskOf('modules.manage', rename) },
];
