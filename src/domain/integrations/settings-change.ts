// From settings to settings: what Save may not do, and what it changes, in words for the record. Pure.
import type { Profile } from '../modules/profile.ts';
import { type Settings, type SettingsInput, settingsProblems } from './settings.ts';

/**
 * What stands against these settings, by field. Turning Enable off keeps the other switches as they are, asleep (C30), so a switch
 * that was on may stay on; the requirement goes off by itself.
 */
export function lacksOf(profile: Profile, current: Settings, input: SettingsInput): Record<string, string> {
  if (input.enabled) return settingsProblems(profile, input);
  const asleep = (on: boolean, was: boolean) => on && !was;
  return settingsProblems(profile, {
    ...input,
    require: asleep(input.require, current.enabled && current.require.state !== 'off'),
    provisioning: { ...input.provisioning, on: asleep(input.provisioning.on, current.provisioning.on) },
    deprovisioning: { ...input.deprovisioning, on: asleep(input.deprovisioning.on, current.deprovisioning.on) },
    accessGroups: { ...input.accessGroups, on: asleep(input.accessGroups.on, current.accessGroups.on) },
  });
}

const leastReason = 5;
const longestReason = 300;

/** Why provisioning cannot begin without a passed contract test; null: the reason given for it will do. */
export function overrideProblem(override: string | null, because: string): string | null {
  if (override === null) return `${because} Or write down why it is to begin without.`;
  if (override.length < leastReason) return 'Write down the reason, so that others understand it.';
  return override.length > longestReason ? `A reason has ${longestReason} characters at most.` : null;
}

/** Values that the profile does not name are nobody's: they are not kept, so that they go into no token and no mail (API-03). */
export const named = ({ fields }: Profile, input: SettingsInput): SettingsInput => {
  const { on, values } = input.provisioning;
  const known = fields.flatMap(({ name }) =>
    Object.hasOwn(values, name) ? [[name, values[name] ?? ''] as const] : [],
  );
  return { ...input, provisioning: { on, values: Object.fromEntries(known) } };
};

/** The settings as they are after Save, but for the requirement, which has a course of its own. */
export function applied(current: Settings, input: SettingsInput, groups: { id: string; name: string }[]): Settings {
  const names = new Map(groups.map(({ id, name }) => [id, name]));
  return {
    ...current,
    enabled: input.enabled,
    provisioning: input.provisioning,
    deprovisioning: input.deprovisioning,
    accessGroups: {
      on: input.accessGroups.on,
      rules: input.accessGroups.rules.map(({ groupId, permission }) => ({
        // Checked to be a group of this company.
        groupId: groupId as Settings['accessGroups']['rules'][number]['groupId'],
        group: names.get(groupId) ?? '',
        permission,
      })),
    },
  };
}

type Told = Record<string, unknown>;

function told({ enabled, provisioning, deprovisioning, accessGroups }: Settings): Told {
  const own: Told = {
    login: enabled,
    provision: provisioning.on,
    deprovision: deprovisioning.on,
    graceDays: deprovisioning.graceDays,
    removal: deprovisioning.removal,
    accessGroups: accessGroups.on,
    rules: accessGroups.rules.map(({ group, permission }) => `${group} → ${permission}`).join(', '),
  };
  // A field that is called like one of these would hide its change.
  const values = Object.entries(provisioning.values).map(([name, value]) => [
    name in own ? `values.${name}` : name,
    value,
  ]);
  return { ...own, ...Object.fromEntries(values) };
}

/** What differs, for the record; null when nothing does. Rules are told by name, and compared by group. */
export function changeOf(before: Settings, after: Settings): { before: Told; after: Told } | null {
  const [one, other] = [told(before), told(after)];
  const idsOf = ({ accessGroups }: Settings) =>
    accessGroups.rules.map(({ groupId, permission }) => `${groupId} ${permission}`).join();
  const changed = [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((key) =>
    key === 'rules' ? idsOf(before) !== idsOf(after) : one[key] !== other[key],
  );
  if (changed.length === 0) return null;
  const pick = (from: Told) => Object.fromEntries(changed.map((key) => [key, from[key] ?? null]));
  return { before: pick(one), after: pick(other) };
}
