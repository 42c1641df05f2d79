// A plan of rules and switches in words.
import { doneCount, type MappingSetup, type Plan, type PlanRow, planActs } from '../../../domain/federation/plan.ts';
import type { PlanComparison } from '../../../domain/federation/plan-queries.ts';
import { counted } from '../groups/group-head.ts';
import { makeAnother, type PlanChanged } from '../plan-page.ts';
import type { StatusWords } from '../views.ts';
import { ruleSentence } from './rules.ts';

const number = new Intl.NumberFormat('en');

export const actWords: Record<PlanRow['act'], StatusWords> = {
  deactivate: { tone: 'danger', word: 'Deactivated', more: '' },
  reactivate: { tone: 'good', word: 'Reactivated', more: '' },
  change: { tone: 'wait', word: 'Changed', more: '' },
  none: { tone: 'off', word: 'Untouched', more: '' },
  unknown: { tone: 'off', word: 'Unknown', more: '' },
};

export const people = (count: number): string => counted(count, 'person', 'people');

export const countsWords = ({ counts }: Plan): string =>
  doneCount(counts) === 0
    ? 'Changes nobody'
    : planActs
        .filter((act) => act !== 'none' && act !== 'unknown' && counts[act] > 0)
        .map((act) => `${number.format(counts[act])} ${actWords[act].word.toLowerCase()}`)
        .join(', ');

/** What would be saved, in sentences. */
export function setupWords({ present, proposed }: Plan): string[] {
  const switched = (label: string, before: boolean, now: boolean) =>
    before === now ? [] : [`${label} is turned ${now ? 'on' : 'off'}.`];
  return [
    ...switched('Enable Single Sign-On', present.enabled, proposed.enabled),
    ...switched('Enable Mapping Rules', present.mapping, proposed.mapping),
    ...rulesWords(present, proposed),
  ];
}

function rulesWords(present: MappingSetup, proposed: MappingSetup): string[] {
  const before = new Set(present.rules.map(ruleSentence));
  const then = new Set(proposed.rules.map(ruleSentence));
  const lines = [
    ...[...then].filter((one) => !before.has(one)).map((one) => `New rule ${one}`),
    ...[...before].filter((one) => !then.has(one)).map((one) => `Rule taken away: ${one}`),
  ];
  const shown = 12;
  if (lines.length === 0) {
    const many = proposed.rules.length;
    return [many === 1 ? 'The rule stays as it is.' : `The ${number.format(many)} rules stay as they are.`];
  }
  return lines.length <= shown
    ? lines
    : [...lines.slice(0, shown), `And ${lines.length - shown} more changes of rules.`];
}

export function changedOf({ count, setupChanged, differences }: PlanComparison): PlanChanged | null {
  if (count === 0) return null;
  const rows = count - Number(setupChanged);
  const words = [
    setupChanged ? 'Rules, switches or groups have changed since this plan was made.' : '',
    rows > 0 ? `${people(rows)} ${rows === 1 ? 'is' : 'are'} not as they were.` : '',
    makeAnother,
  ];
  return {
    words: words.filter(Boolean).join(' '),
    lines: differences.map(({ person, username, was, now }) => ({
      who: person === '' ? username : `${person}, ${username}`,
      was,
      now,
    })),
    more: null,
  };
}
