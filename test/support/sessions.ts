// Who is signed in, asked of the server, and what somebody with a copy of the cookies has.

import type { TestApp } from './app.ts';
import type { Visitor } from './visitor.ts';

export async function isSignedIn(visitor: Visitor): Promise<boolean> {
  return (await visitor.send('/settings/profile')).status === 200;
}

/** The same cookies in another browser. */
export function thief(app: TestApp, victim: Visitor): Visitor {
  const visitor = app.visitor();
  visitor.jar = victim.jar.map((cookie) => ({ ...cookie }));
  return visitor;
}
