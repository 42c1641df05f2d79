// May this person enter this module? One pure function, with reasons; enforcement and explanation ask the same (D.2, D.5 step 6).

export interface EntryFacts {
  /** Our own pages are open to everyone who is signed in. */
  isBuiltIn: boolean;
  clientId: string;
  /** Active groups by client id of enabled instances of the person's company. */
  reachable: Record<string, string[]>;
}

export type EntryReason = 'no-group';

export type Entry = { allowed: true; groups: string[] } | { allowed: false; because: EntryReason[] };

export function decideEntry(facts: EntryFacts): Entry {
  if (facts.isBuiltIn) return { allowed: true, groups: [] };
  const groups = Object.hasOwn(facts.reachable, facts.clientId) ? facts.reachable[facts.clientId] : undefined;
  return groups ? { allowed: true, groups } : { allowed: false, because: ['no-group'] };
}

/** What the page says, and what to do now. */
export function entryRefusal(module: string, brand: string): { sentence: string; next: string } {
  return {
    sentence: `You can't enter ${module} because none of your access groups includes it.`,
    next: `Ask your ${brand} administrator to add you to an access group that has it, and give them this code.`,
  };
}
