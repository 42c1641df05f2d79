// A mapping rule as people write it: the fields and their limits. What rules do stands in mapping.ts.
import { z } from 'zod';
import { invalid } from '../../lib/errors.ts';
import { newId } from '../../lib/ids.ts';
import type { Group } from '../groups/group.ts';
import { choosableRoles } from '../roles/role.ts';
import type { MappingRule } from './mapping.ts';

export const mostRules = 200;

const value = z.string().trim().min(1, 'Enter a value.').max(400, 'A value has 400 characters at most.');

const condition = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('group'), value }),
  z
    .strictObject({
      kind: z.literal('claim'),
      name: z.string().trim().min(1, 'Enter the name of the claim.').max(400, 'A name has 400 characters at most.'),
      test: z.enum(['equals', 'contains', 'one-of']),
      values: z.array(value).min(1, 'Enter a value.').max(100, 'A rule has 100 values at most.'),
    })
    .refine(({ test, values }) => test === 'one-of' || values.length === 1, {
      message: 'Choose “one of” for several values.',
      path: ['values'],
    }),
]);

/** Rules stand in the order of the list. `id` of one that is there already keeps what it gave with it. */
export const ruleInputSchema = z
  .strictObject({
    id: z.uuid().optional(),
    when: condition,
    role: z.enum(choosableRoles, 'Choose one of the four roles.').nullable().default(null),
    groupIds: z.array(z.string()).max(100).default([]),
    stops: z.boolean().default(false),
  })
  .refine(({ role, groupIds }) => role !== null || groupIds.length > 0, {
    message: 'Choose a role, or at least one access group.',
    path: ['role'],
  });

export const rulesInputSchema = z.array(ruleInputSchema).max(mostRules, `There are ${mostRules} rules at most.`);

export type RuleInput = z.input<typeof ruleInputSchema>;

/**
 * Rules as they are kept: positions from 1, groups of the company only; one that is there already keeps its id.
 * @throws AppError 422 that names the rule and the field: `rules.2.groupIds`
 */
export function checkRules(
  inputs: RuleInput[],
  groups: readonly Group[],
  present: readonly MappingRule[],
): MappingRule[] {
  const parsed = rulesInputSchema.safeParse(inputs);
  if (!parsed.success) {
    const fields = Object.fromEntries(
      parsed.error.issues.map(({ path, message }) => [['rules', ...path].join('.'), message]),
    );
    throw invalid([...new Set(Object.values(fields))].join(' '), fields);
  }
  const known = new Set(present.map(({ id }) => id));
  const taken = new Set<string>();
  return parsed.data.map(({ id, when, role, groupIds, stops }, i) => {
    if (!groupIds.every((groupId) => groups.some((group) => group.id === groupId))) {
      const sentence = `Rule ${i + 1} names a group that is not there any more. Choose another one.`;
      throw invalid(sentence, { [`rules.${i}.groupIds`]: sentence });
    }
    const kept = id !== undefined && known.has(id) && !taken.has(id) ? id : newId();
    taken.add(kept);
    return { id: kept, position: i + 1, when, role, groupIds: [...new Set(groupIds)], stops };
  });
}
