// What a change of groups means, in sentences: the same effects that the act goes by, shown before it.
import type { Effects, InstanceEffect } from '../../../domain/groups/effects.ts';
import { namesOf } from '../../../domain/groups/effects-queries.ts';
import { listInstances } from '../../../domain/groups/list-queries.ts';
import { fullName } from '../../../domain/users/user.ts';
import type { UserId } from '../../../lib/ids.ts';
import type { Desk } from '../console.ts';
import type { EffectLine } from './views.ts';

const number = new Intl.NumberFormat('en');

/** Losses first, the largest on top. */
export async function effectLines(desk: Desk, effects: Effects): Promise<EffectLine[]> {
  const { work, companyId } = desk;
  const named = effects.instances.flatMap(({ lose, gain }) => [...lose.first, ...gain.first]);
  const [instances, people] = await Promise.all([
    listInstances(work, companyId),
    namesOf(work, companyId, [...new Set(named)]),
  ]);
  const nameOf = new Map(people.map((person) => [person.id, fullName(person)]));
  const instanceOf = new Map(instances.map((instance) => [instance.id, instance]));
  return effects.instances
    .toSorted((a, b) => b.lose.people - a.lose.people || b.gain.people - a.gain.people)
    .map((effect) => {
      const instance = instanceOf.get(effect.instanceId);
      return {
        name: instance?.name ?? 'A module',
        icon: instance?.icon ?? null,
        lose:
          effect.lose.people === 0
            ? ''
            : `${peopleWords(effect.lose.people)} ${effect.lose.people === 1 ? 'loses' : 'lose'} access`,
        gain:
          effect.gain.people === 0
            ? ''
            : `${peopleWords(effect.gain.people)} ${effect.gain.people === 1 ? 'gets' : 'get'} access`,
        who: whoWords(effect, nameOf),
        still: stillWords(effect),
      };
    });
}

export const peopleWords = (people: number): string => (people === 1 ? '1 person' : `${number.format(people)} people`);

function whoWords({ lose, gain }: InstanceEffect, nameOf: Map<UserId, string>): string {
  const of = lose.people > 0 ? lose : gain;
  const names = of.first.flatMap((id) => nameOf.get(id) ?? []).sort((a, b) => a.localeCompare(b, 'en'));
  const others = of.people - names.length;
  if (names.length === 0) return '';
  if (others <= 0) return listWords(names);
  return `${names.join(', ')} and ${others === 1 ? '1 other' : `${number.format(others)} others`}`;
}

/** Groups that open it for most, first; more than three are told as a number. */
function stillWords({ stillThrough }: InstanceEffect): string {
  const through = Object.entries(stillThrough).sort(([, a], [, b]) => b - a);
  if (through.length === 0) return '';
  const told = through.slice(0, 3).map(([name, people]) => `${peopleWords(people)} through “${name}”`);
  const rest = through.length - told.length;
  return `Still open: ${told.join(', ')}${rest === 0 ? '' : `, and through ${rest === 1 ? '1 other group' : `${rest} other groups`}`}`;
}

export const listWords = (words: string[]): string => new Intl.ListFormat('en', { type: 'conjunction' }).format(words);

/** Members who are not Active, whom nothing changes for now. */
export function notActiveWords({ notActive }: Effects): string[] {
  if (notActive === 0) return [];
  const are = notActive === 1 ? 'is' : 'are';
  return [
    `${peopleWords(notActive)} ${are} not Active, and so can enter no module now; it counts for them once they are.`,
  ];
}
