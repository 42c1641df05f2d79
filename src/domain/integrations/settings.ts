// Unified login per module ("Integration Center", A.8): the settings of one instance, their rules, and what they mean at the door.
// Owns settings, exceptions, rules of access groups, and machine credentials. Knows nothing of accounts at the module (provisioning).
import { z } from 'zod';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import { isTimeZone } from '../../lib/time.ts';
import { isBinding } from '../../lib/trial.ts';
import { type Capability, canDo, type Field, type Profile, permissionField } from '../modules/profile.ts';

/** `trial`: in force until `trialEndsAt`, and for good once a second sign-in has confirmed it. */
export type RequireState = 'off' | 'trial' | 'on';

export interface Settings {
  instanceId: InstanceId;
  companyId: CompanyId;
  /** Grows with every change of settings, exceptions or rules: the ETag of the API, and the key of every copy. */
  version: number;
  enabled: boolean;
  require: { state: RequireState; trialEndsAt: Date | null; trialBy: UserId | null };
  provisioning: { on: boolean; values: Record<string, string> };
  deprovisioning: { on: boolean; graceDays: number; removal: 'remove' | 'disable' };
  accessGroups: { on: boolean; rules: AccessRule[] };
}

/** From an access group to a permission of the module; the order counts (C35). */
export interface AccessRule {
  groupId: GroupId;
  group: string;
  permission: string;
}

export interface Exception {
  id: string;
  /** `emergency`: a sealed account for the day on which nothing else works; its use raises an alarm. */
  kind: 'person' | 'emergency';
  /** Id of the account at the module. */
  accountId: string;
  userName: string;
  reason: string;
  /** Null only by explicit choice. */
  endsAt: Date | null;
}

export const graceDays = { least: 0, most: 90, usual: 14 };
/** How long a module goes by the settings that it keeps while it cannot ask (D.6). */
export const keepForSeconds = 7 * 86_400;

/** What Save brings; the version says which settings it was made from. */
export const settingsInput = z.strictObject({
  enabled: z.boolean(),
  require: z.boolean(),
  provisioning: z.strictObject({ on: z.boolean(), values: z.record(z.string(), z.string().trim().max(200)) }),
  deprovisioning: z.strictObject({
    on: z.boolean(),
    graceDays: z.number().int().min(graceDays.least).max(graceDays.most),
    removal: z.enum(['remove', 'disable']),
  }),
  accessGroups: z.strictObject({
    on: z.boolean(),
    rules: z.array(z.strictObject({ groupId: z.string(), permission: z.string().trim().max(80) })).max(200),
  }),
});

export type SettingsInput = z.infer<typeof settingsInput>;

/** In force right now; the module decides the same from the settings that it keeps. */
export const isRequired = ({ enabled, require }: Pick<Settings, 'enabled' | 'require'>, now: Date): boolean =>
  enabled && isBinding(require, now);

const dependants: { switch: 'require' | 'provisioning' | 'deprovisioning' | 'accessGroups'; capability: Capability }[] =
  [
    { switch: 'require', capability: 'require' },
    { switch: 'provisioning', capability: 'provision' },
    { switch: 'deprovisioning', capability: 'deprovision' },
    { switch: 'accessGroups', capability: 'accessGroups' },
  ];

const isOn = (input: SettingsInput, name: (typeof dependants)[number]['switch']): boolean => {
  const value = input[name];
  return typeof value === 'boolean' ? value : value.on;
};

/**
 * The order of dependence and everything that makes settings whole (B.7, A8.7, C30, C33); by field, empty when they may be saved.
 * Settings of a switch that is off are kept, so they need not be whole.
 */
export function settingsProblems(profile: Profile, input: SettingsInput): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const { switch: name, capability } of dependants) {
    if (!isOn(input, name)) continue;
    if (!canDo(profile, capability)) problems[name] = 'This module cannot do that.';
    else if (!input.enabled) problems[name] = 'Turn on Enable Log In with KaseyaOne first.';
  }
  if (input.provisioning.on)
    for (const field of profile.fields) {
      const problem = fieldProblem(field, input.provisioning.values[field.name] ?? '');
      if (problem) problems[`values.${field.name}`] = problem;
    }
  const permissions = permissionField(profile)?.choices ?? [];
  input.accessGroups.rules.forEach(({ permission }, i) => {
    if (!permissions.includes(permission)) problems[`rules.${i}`] = 'Choose a permission of the module.';
  });
  if (input.accessGroups.on && input.accessGroups.rules.length === 0)
    problems.accessGroups = 'Add at least one rule: without one nobody could enter.';
  if (profile.deletion === 'disable' && input.deprovisioning.removal === 'remove')
    problems.removal = 'This module cannot delete accounts: they stay disabled.';
  return problems;
}

function fieldProblem(field: Field, value: string): string | null {
  if (value === '') return field.required ? `Choose ${field.label}: automatic provisioning needs it.` : null;
  if (field.type === 'timeZone') return isTimeZone(value) ? null : `${value} is no time zone.`;
  if (field.type === 'text') return null;
  return field.choices.includes(value) ? null : `${value} is not one of the choices.`;
}
