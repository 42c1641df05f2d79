import { expect, it } from 'vitest';
import { actionWords, auditActions } from '../../../../src/domain/audit/action-words.ts';
import { actionGroups, actionsOf } from '../../../../src/domain/reports/audit-filter.ts';

it.each(auditActions)('%s has words of its own, that read as words', (action) => {
  expect(actionWords(action)).toMatch(/^[A-Z0-9][\w -]+$/);
  expect(auditActions.filter((other) => actionWords(other) === actionWords(action))).toEqual([action]);
});

it('what an older version recorded under another name is shown as it is', () => {
  expect(actionWords('user.somethingOld')).toBe('user.somethingOld');
});

it('each action can be chosen in one group', () => {
  const chosen = (Object.keys(actionGroups) as (keyof typeof actionGroups)[]).flatMap(actionsOf);
  expect(chosen.sort()).toEqual([...auditActions].sort());
  expect(actionsOf('company')).toEqual(['company.create']);
});
