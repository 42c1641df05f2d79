/** The form of the Integration Settings, as it was typed: nothing of it counts before Save (A8.9). */
import type { IntegrationSettings, Preflight, SettingsInput } from '../../sdk/module.ts';

export interface Draft extends SettingsInput {
  override: string;
  /** Which settings it was made from: a page that was open for too long saves nothing. */
  version: number;
}

export const draftOf = ({
  enabled,
  require,
  provisioning,
  deprovisioning,
  access_groups,
  version,
}: IntegrationSettings): Draft => ({
  enabled,
  require: require.on,
  provisioning,
  deprovisioning,
  access_groups: { on: access_groups.on, rules: access_groups.rules },
  override: '',
  version,
});

/** What was posted. A switch that is not sent is off; rules without a group are the empty line at the end. */
export function readDraft(form: URLSearchParams): Draft {
  const isOn = (name: string) => form.get(name) === 'on';
  const values = [...form].filter(([name]) => name.startsWith('value-'));
  const permissions = form.getAll('rule_permission');
  const rules = form.getAll('rule_group').map((group_id, i) => ({ group_id, permission: permissions[i] ?? '' }));
  return {
    enabled: isOn('enabled'),
    require: isOn('require'),
    provisioning: {
      on: isOn('provisioning'),
      values: Object.fromEntries(values.map(([name, value]) => [name.slice('value-'.length), value.trim()])),
    },
    deprovisioning: {
      on: isOn('deprovisioning'),
      grace_days: Number(form.get('grace_days') ?? 14),
      removal: form.get('removal') === 'remove' ? 'remove' : 'disable',
    },
    access_groups: { on: isOn('access_groups'), rules: rules.filter(({ group_id }) => group_id !== '') },
    override: (form.get('override') ?? '').trim(),
    version: Number(form.get('version')),
  };
}

/** The buttons beside the rules: a change of what is typed, not of what is saved. */
export function moved(draft: Draft, act: string): Draft {
  const [verb, at] = act.split('.');
  const i = Number(at);
  const rules = [...draft.access_groups.rules];
  const [rule] = rules.splice(i, 1);
  if (rule && verb !== 'remove') rules.splice(verb === 'up' ? Math.max(0, i - 1) : i + 1, 0, rule);
  return { ...draft, access_groups: { ...draft.access_groups, rules } };
}

/** The pre-flight that came with a refusal. */
export function preflightOf(body: Readonly<Record<string, unknown>>): Preflight | null {
  const { preflight } = body;
  const isOne = typeof preflight === 'object' && preflight !== null && 'checks' in preflight;
  // The provider's words, shown and not acted upon.
  return isOne ? (preflight as Preflight) : null;
}
