// Settings as modules keep them (docs/module-protocol.md section 3): names of the protocol, times as ISO 8601.
import { z } from 'zod';
import { type Exception, graceDays, keepForSeconds, type SettingsInput } from '../../domain/integrations/settings.ts';
import type { SettingsView } from '../../domain/integrations/settings-queries.ts';
import { fieldSchema, profileSchema } from '../../domain/modules/profile.ts';
import { AppError, invalid } from '../../lib/errors.ts';

const time = z.iso.datetime();

const wireNames: Record<string, string> = {
  accessGroups: 'access_groups',
  accountId: 'account_id',
  userName: 'user_name',
  endsAt: 'ends_at',
};

/** Fields that are refused have the names of the protocol, too. */
export async function inWireNames<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
    const fields = Object.entries(error.fields).map(([name, problem]) => [wireNames[name] ?? name, problem]);
    throw invalid(error.message, Object.fromEntries(fields));
  }
}

export const exceptionWire = z.object({
  id: z.uuid(),
  kind: z.enum(['person', 'emergency']),
  account_id: z.string(),
  user_name: z.string(),
  reason: z.string(),
  ends_at: time.nullable(),
});

export const toExceptionWire = ({ id, kind, accountId, userName, reason, endsAt }: Exception) => ({
  id,
  kind,
  account_id: accountId,
  user_name: userName,
  reason,
  ends_at: endsAt?.toISOString() ?? null,
});

export const settingsWire = z.object({
  version: z.number().int(),
  instance: z.object({
    id: z.uuid(),
    name: z.string(),
    company: z.object({ id: z.uuid(), name: z.string() }),
  }),
  enabled: z.boolean(),
  require: z.object({ on: z.boolean(), state: z.enum(['off', 'trial', 'on']), trial_ends_at: time.nullable() }),
  exceptions: z.array(exceptionWire),
  local_login_url: z.string().nullable(),
  provisioning: z.object({ on: z.boolean(), values: z.record(z.string(), z.string()) }),
  deprovisioning: z.object({ on: z.boolean(), grace_days: z.number().int(), removal: z.enum(['remove', 'disable']) }),
  access_groups: z.object({
    on: z.boolean(),
    rules: z.array(z.object({ group_id: z.uuid(), group: z.string(), permission: z.string() })),
  }),
  profile: z.object({
    capabilities: z.array(z.string()),
    fields: z.array(fieldSchema),
    administrators: z.array(z.string()),
    linkMode: profileSchema.shape.linkMode,
    severalMatches: profileSchema.shape.severalMatches,
    deletion: profileSchema.shape.deletion,
  }),
  keep_for: z.number().int(),
});

export type SettingsWire = z.input<typeof settingsWire>;

/** A trial that is over is off, whether or not it has been written down as such yet. */
export function toWire({ connected, settings, exceptions }: SettingsView, companyId: string, now: Date): SettingsWire {
  const { require, provisioning, deprovisioning, accessGroups } = settings;
  const isOver = require.state === 'trial' && require.trialEndsAt !== null && require.trialEndsAt <= now;
  const state = isOver ? 'off' : require.state;
  const { capabilities, fields, administrators, linkMode, severalMatches, deletion } = connected.profile;
  return {
    version: settings.version,
    instance: {
      id: connected.instanceId,
      name: connected.instance,
      company: { id: companyId, name: connected.company },
    },
    enabled: settings.enabled,
    require: {
      on: state !== 'off',
      state,
      trial_ends_at: state === 'trial' ? (require.trialEndsAt?.toISOString() ?? null) : null,
    },
    exceptions: exceptions.map(toExceptionWire),
    local_login_url: connected.localLoginUrl,
    provisioning: { on: provisioning.on, values: provisioning.values },
    deprovisioning: {
      on: deprovisioning.on,
      grace_days: deprovisioning.graceDays,
      removal: deprovisioning.removal,
    },
    access_groups: {
      on: accessGroups.on,
      rules: accessGroups.rules.map(({ groupId, group, permission }) => ({ group_id: groupId, group, permission })),
    },
    profile: { capabilities, fields, administrators, linkMode, severalMatches, deletion },
    keep_for: keepForSeconds,
  };
}

/** What `PUT /settings` takes; names of groups beside their ids are welcome, and count for nothing. */
export const settingsBody = z.object({
  enabled: z.boolean(),
  require: z.boolean(),
  provisioning: z.object({ on: z.boolean(), values: z.record(z.string().max(40), z.string().trim().max(200)) }),
  deprovisioning: z.object({
    on: z.boolean(),
    grace_days: z.number().int().min(graceDays.least).max(graceDays.most),
    removal: z.enum(['remove', 'disable']),
  }),
  access_groups: z.object({
    on: z.boolean(),
    rules: z.array(z.object({ group_id: z.string().max(100), permission: z.string().trim().max(80) })).max(200),
  }),
});

export const fromWire = (body: z.output<typeof settingsBody>): SettingsInput => ({
  enabled: body.enabled,
  require: body.require,
  provisioning: body.provisioning,
  deprovisioning: {
    on: body.deprovisioning.on,
    graceDays: body.deprovisioning.grace_days,
    removal: body.deprovisioning.removal,
  },
  accessGroups: {
    on: body.access_groups.on,
    rules: body.access_groups.rules.map(({ group_id, permission }) => ({ groupId: group_id, permission })),
  },
});
