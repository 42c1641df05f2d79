// The lines of the trace that decide at the module's door in KaseyaOne: its connection, groups, the permission (D.2, D.7, C34).
import type { Entry } from '../integrations/entry.ts';
import { decidePermission } from '../integrations/permission.ts';
import { permissionField } from '../modules/profile.ts';
import { fullName, type User } from '../users/user.ts';
import type { Line, Link, Traces, WhyGroup, WhyInstance } from './why.ts';
import { line } from './why-sign-in.ts';

export function doorLines(user: User, instance: WhyInstance, entry: Entry, _now: Date): Line[] {
  return [connectionLine(instance), groupsLine(user, instance), permissionLine(user, instance, entry)];
}

export const ofInstance = ({ id }: WhyInstance, actions: Traces['actions']): Traces => ({
  target: { kind: 'module', id },
  actions,
});

function connectionLine(instance: WhyInstance): Line {
  const of = {
    setting: { words: 'Enable Log In with KaseyaOne', place: { page: 'instance', tab: 'settings' } } as const,
    changedBy: { ...ofInstance(instance, ['module.settings']), settings: ['login'] },
  };
  return instance.settings.enabled
    ? line('module', 'pass', `${instance.name} is connected, and Log In with KaseyaOne is on.`, of)
    : line('module', 'fail', `Log In with KaseyaOne is off in ${instance.name}.`, {
        ...of,
        flip: { words: `Turn it on in ${instance.name}`, place: of.setting.place },
      });
}

const list = new Intl.ListFormat('en');
const namesOf = (groups: readonly WhyGroup[]): string => list.format(groups.map(({ name }) => name));

/** The time stands behind it. */
const membershipWords = ({ name, isActive, addedBy }: WhyGroup): string =>
  `${name}: ${isActive ? 'active' : 'inactive, so it opens nothing'}. ${addedBy === null ? 'Joined' : `Added by ${addedBy}`}`;

function groupsLine(user: User, { name, groups }: WhyInstance): Line {
  const own = groups.filter(({ since }) => since !== null);
  const active = own.filter(({ isActive }) => isActive);
  const [first] = own;
  const of = {
    setting: {
      words: 'Access groups',
      place: first ? ({ page: 'group', id: first.id, tab: '' } as const) : ({ page: 'person', tab: 'edit' } as const),
    },
    changedBy: {
      target: { kind: 'user', id: user.id },
      actions: ['user.groupChange', 'user.create', 'user.invite'],
    } as Traces,
    more: own.map((group) => ({ words: membershipWords(group), at: group.since })),
  };
  if (active.length > 0) return line('groups', 'pass', `${name} is opened by ${namesOf(active)}.`, of);
  if (own.length > 0)
    return line(
      'groups',
      'fail',
      `Only ${namesOf(own)} ${own.length === 1 ? 'opens' : 'open'} it, and ${own.length === 1 ? 'that is' : 'those are'} inactive.`,
      {
        ...of,
        changedBy: {
          target: { kind: 'group', id: first?.id ?? '' },
          actions: ['group.activate', 'group.deactivate', 'group.edit'],
        },
        flip: toActivate(first),
      },
    );
  return line('groups', 'fail', `None of their access groups includes ${name}.`, {
    ...of,
    flip: toAdd(user, groups) ??
      toAddToAll(user, groups) ?? {
        words: `Add ${name} to one of their access groups`,
        place: { page: 'person', tab: '' },
      },
  });
}

const toActivate = (group: WhyGroup | undefined): Link | null =>
  group ? { words: `Activate ${group.name}`, place: { page: 'group', id: group.id, tab: 'activate' } } : null;

/** The first group that would do, and does not open all modules. */
function toAdd(user: User, groups: readonly WhyGroup[]): Link | null {
  const group = groups.find(({ isActive, isSystem, since }) => isActive && !isSystem && since === null);
  return group
    ? { words: `Add ${fullName(user)} to ${group.name}`, place: { page: 'group', id: group.id, tab: 'add' } }
    : null;
}

function toAddToAll(user: User, groups: readonly WhyGroup[]): Link | null {
  const all = groups.find(({ isActive, isSystem, since }) => isActive && isSystem && since === null);
  return all
    ? {
        words: `Add ${fullName(user)} to ${all.name}, or ask for a group of fewer modules`,
        place: { page: 'person', tab: 'edit' },
      }
    : null;
}

function permissionLine(user: User, instance: WhyInstance, entry: Entry): Line {
  const { profile, settings, groups, name } = instance;
  const of = {
    setting: { words: 'Access groups of the module', place: { page: 'instance', tab: 'access-groups' } } as const,
    changedBy: { ...ofInstance(instance, ['module.settings']), settings: ['accessGroups', 'rules'] },
  };
  const active = groups.filter(({ isActive, since }) => isActive && since !== null);
  const decision = decidePermission(profile, settings, { role: user.role, groupIds: active.map(({ id }) => id) });
  if (decision.outcome === 'refused') {
    // Without a group there is nothing to ask about a permission yet: what decided stands above.
    if (active.length === 0)
      return line('permission', 'note', 'Access groups give the permission here: there is none to give yet.', of);
    return line('permission', entry.allowed ? 'note' : 'fail', decision.because, {
      ...of,
      flip: toPermit(user, instance, active),
    });
  }
  const words =
    decision.outcome === 'granted'
      ? `${decision.permissions.join(', ')}: ${lower(decision.because)}`
      : `${name} gives the permission itself.`;
  const isUsual = decision.outcome === 'granted' && decision.from === 'default';
  return line('permission', 'pass', words, {
    ...of,
    ...(isUsual
      ? {
          setting: { words: 'Default for new people', place: { page: 'instance', tab: 'settings' } },
          changedBy: { ...of.changedBy, settings: [...of.changedBy.settings, permissionField(profile)?.name ?? ''] },
        }
      : {}),
    more: isUsual && instance.account ? ['An account that exists keeps the permission that it has there.'] : [],
  });
}

const lower = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);

/** One more membership changes nobody else; a rule for a group would change all of it. */
function toPermit(user: User, { settings, groups, profile }: WhyInstance, active: readonly WhyGroup[]): Link {
  const ruled = new Set<string>(settings.accessGroups.rules.map(({ groupId }) => groupId));
  const add = toAdd(
    user,
    groups.filter(({ id }) => ruled.has(id)),
  );
  const field = permissionField(profile)?.label ?? 'permission';
  return (
    add ?? {
      words: `Add a rule that gives ${active[0]?.name ?? 'one of their groups'} a ${field.toLowerCase()}`,
      place: { page: 'instance', tab: 'access-groups' },
    }
  );
}
