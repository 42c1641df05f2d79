// Mapping rules (C22 to C24): from what an upstream says of somebody to a role and access groups. One pure function: signing in, the
// plan over all people, and the explanation ask it alike.
import type { Role } from '../roles/role.ts';
import type { UpstreamClaims } from './claims.ts';

export interface MappingRule {
  id: string;
  position: number;
  /** `group`: exact, to the letter. Else a claim by name. */
  when:
    | { kind: 'group'; value: string }
    | { kind: 'claim'; name: string; test: 'equals' | 'contains' | 'one-of'; values: string[] };
  role: Exclude<Role, 'Root Admin'> | null;
  groupIds: string[];
  /** Rules after it are not looked at when it fits. */
  stops: boolean;
}

export type Mapping =
  | {
      outcome: 'mapped';
      role: { value: Exclude<Role, 'Root Admin'>; ruleId: string } | null;
      groups: { groupId: string; ruleIds: string[] }[];
      fitting: string[];
    }
  /** No rule fits: with the switch on the person is deactivated, or not created. */
  | { outcome: 'unmapped' }
  /** The groups were not said: nothing is changed, somebody is asked. */
  | { outcome: 'stop'; because: 'groups-missing' | 'groups-emptied' | 'groups-overage' };

export function decideMapping(
  rules: readonly MappingRule[],
  claims: Pick<UpstreamClaims, 'groups' | 'other'>,
  before: { hadGroups: boolean },
): Mapping {
  if (rules.some(({ when }) => when.kind === 'group')) {
    if (claims.groups.state === 'overage') return { outcome: 'stop', because: 'groups-overage' };
    if (claims.groups.state === 'missing') return { outcome: 'stop', because: 'groups-missing' };
    if (claims.groups.values.length === 0 && before.hadGroups) return { outcome: 'stop', because: 'groups-emptied' };
  }
  const said = new Set(claims.groups.state === 'list' ? claims.groups.values : []);
  const fitting: MappingRule[] = [];
  for (const rule of [...rules].sort((one, other) => one.position - other.position)) {
    if (!fits(rule, said, claims.other)) continue;
    fitting.push(rule);
    if (rule.stops) break;
  }
  if (fitting.length === 0) return { outcome: 'unmapped' };
  const first = fitting.find(({ role }) => role !== null);
  const groups = new Map<string, string[]>();
  for (const { id, groupIds } of fitting)
    for (const groupId of groupIds) groups.set(groupId, [...(groups.get(groupId) ?? []), id]);
  return {
    outcome: 'mapped',
    role: first?.role ? { value: first.role, ruleId: first.id } : null,
    groups: [...groups].map(([groupId, ruleIds]) => ({ groupId, ruleIds })),
    fitting: fitting.map(({ id }) => id),
  };
}

function fits({ when }: MappingRule, said: ReadonlySet<string>, other: UpstreamClaims['other']): boolean {
  if (when.kind === 'group') return said.has(when.value);
  const values = Object.hasOwn(other, when.name) ? (other[when.name] ?? []) : [];
  switch (when.test) {
    case 'equals':
      return values.some((value) => value === when.values[0]);
    case 'contains':
      return values.some((value) => value.includes(when.values[0] ?? '\0'));
    case 'one-of':
      return values.some((value) => when.values.includes(value));
  }
}
