// Taking an applied plan back: who is still as the plan left them becomes what they were before. Pure.
import { administers, type MappedPerson, type PersonChange, type PersonState, stateOf } from './person-mapping.ts';
import type { KnownChange } from './plan.ts';

export const isSameState = (one: PersonState, other: PersonState): boolean =>
  one.role === other.role &&
  one.baseStatus === other.baseStatus &&
  one.deactivatedReason === other.deactivatedReason &&
  [...one.groups].sort().join() === [...other.groups].sort().join();

const undoneAct = { deactivate: 'reactivate', reactivate: 'deactivate', change: 'change' } as const;

/** Null: they have changed since, or must not be touched, and are left as they are. */
export function undoneChange(
  person: MappedPerson,
  done: KnownChange,
  othersAdministering: number,
): PersonChange | null {
  if (done.act === 'none' || done.act === 'unknown') return null;
  if (person.role === 'Root Admin' || person.isBreakGlass || !isSameState(stateOf(person), done.after)) return null;
  if (administers(done.after) && !administers(done.before) && othersAdministering === 0) return null;
  return {
    act: undoneAct[done.act],
    before: done.after,
    after: done.before,
    sources: done.was.sources,
    roleSource: done.was.roleSource,
    was: done.was,
    rule: 'A plan was taken back.',
  };
}
