// A scenario prepares virtual users, each with its own cookies and tokens, and says what one operation is.

import type { Operation } from '../driver.ts';
import type { Target } from '../target.ts';

export interface Scenario {
  name: string;
  title: string;
  /** One operation per virtual user; an operation throws when the answer is not what it should be. */
  prepare(target: Target, users: number): Promise<Operation[]>;
  /** What goes on beside the measured users. */
  prepareBackground?(target: Target): Promise<Operation[]>;
}

/** Prepares users one after another: signing in is dear, and preparing is not measured. */
export async function forEachUser(users: number, prepareOne: () => Promise<Operation>): Promise<Operation[]> {
  const operations: Operation[] = [];
  for (let user = 0; user < users; user++) operations.push(await prepareOne());
  return operations;
}
