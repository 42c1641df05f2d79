// Administrators at their console, and what must hold at each of its doors.
import { expect, it } from 'vitest';
import type { Company } from '../../src/domain/companies/company.ts';
import type { TestApp } from './app.ts';
import { makePerson, type PersonOptions, signIn, type TestPerson } from './people.ts';
import type { Visitor } from './visitor.ts';

export interface AtDesk {
  person: TestPerson;
  visitor: Visitor;
}

/** Somebody of a role, signed in to our own pages. */
export async function atDesk(app: TestApp, company: Company, options: PersonOptions = {}): Promise<AtDesk> {
  const person = await makePerson(app, company, { role: 'Admin', ...options });
  const visitor = app.visitor();
  await signIn(app, visitor, person, '/');
  return { person, visitor };
}

export const otherRoles = ['Billing and Purchasing', 'User', 'Co-Managed User'] as const;

/** API-01, D.3: each other role is refused at each address, and a stranger is asked to log in. */
export function refusesOthers(place: () => { app: TestApp; company: Company }, addresses: readonly string[]): void {
  it.each(otherRoles)('D.3, API-01 refuses the role %s', async (role) => {
    const { app, company } = place();
    const { visitor } = await atDesk(app, company, { role });
    for (const address of addresses) {
      expect((await visitor.send(address)).status, address).toBe(403);
    }
  });

  it('API-01 asks a stranger to log in', async () => {
    const { app } = place();
    for (const address of addresses) {
      const page = await app.visitor().send(address);
      expect(page.status, address).toBe(303);
      expect(page.headers.location, address).toMatch(/\/auth\?/);
    }
  });
}
