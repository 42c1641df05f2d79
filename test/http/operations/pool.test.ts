// A command holds one connection, whatever it does: with as many at once as the pool has, none waits for another's second one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endEverything } from '../../../src/domain/sessions/commands.ts';
import {
  activateUser,
  deactivateUser,
  inviteUser,
  recoverRoot,
  unlockUser,
} from '../../../src/domain/users/commands.ts';
import { createCompany } from '../../../src/domain/users/company-commands.ts';
import {
  requestForgottenCompany,
  requestForgottenPassword,
  setPasswordByLink,
} from '../../../src/domain/users/password-commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';

describe('a pool of two connections', () => {
  let app: TestApp;
  let people: TestPerson[];
  let module: TestModule;

  beforeAll(async () => {
    app = await startApp({ environment: { DATABASE_POOL: '2' } });
    const company = await makeCompany(app);
    people = await Promise.all(Array.from({ length: 12 }, () => makePerson(app, company)));
    module = await makeModule(app, [company], { backchannel_logout_uri: 'https://module.example/logout' });
  });
  afterAll(() => app.stop());

  it('F4 is enough for a crowd: no command needs a second connection while it holds one', async () => {
    const { company } = people[0] as TestPerson;
    const startedAt = performance.now();
    // The first jobs of this node are among them: nothing about queues may have to be looked up in between.
    const invited = await Promise.all(
      people.map((_, i) =>
        inviteUser(app.operator(), company.id, {
          firstName: 'A',
          lastName: 'B',
          email: `n${i}@example.com`,
          username: `n${i}`,
          role: 'User',
        }),
      ),
    );
    await Promise.all(
      invited.map(({ invitation }) =>
        setPasswordByLink(app.operator(), 'invitation', invitation.split('/').at(-1) ?? '', 'Violet-Harbour-42'),
      ),
    );
    await Promise.all(
      people.map(({ user }) =>
        requestForgottenPassword(app.operator(), { company: company.name, username: user.username }),
      ),
    );
    await Promise.all(people.map(({ user }) => requestForgottenCompany(app.operator(), user.email)));
    await Promise.all(people.map((_, i) => createCompany(app.operator(), { name: `Crowd ${i}` })));
    await Promise.all(people.map(({ user }) => unlockUser(app.operator(), company.id, user.id)));
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('F4 is enough for a crowd that signs in, enters a module, and is thrown out with logout notices', async () => {
    const visitors = people.map(() => app.visitor());
    const startedAt = performance.now();
    for (const [i, visitor] of visitors.entries())
      await signIn(app, visitor, people[i] as TestPerson, authorizeAddress(module));
    await Promise.all(visitors.map((visitor) => visitor.open('/settings/sessions')));
    const { company } = people[0] as TestPerson;
    await Promise.all(
      people
        .slice(0, 6)
        .map(({ user }) => endEverything(app.operator(), { companyId: company.id, userId: user.id }, 'ended-by-user')),
    );
    await Promise.all(people.slice(6).map(({ user }) => deactivateUser(app.operator(), company.id, user.id)));
    await Promise.all(people.slice(6).map(({ user }) => activateUser(app.operator(), company.id, user.id)));
    expect(performance.now() - startedAt).toBeLessThan(8000);
    const { rows }: { rows: { count: number }[] } = await app.runtime.db.raw(
      `select count(*)::int as count from pgboss.job where name = 'back-channel-logout'`,
    );
    expect(rows[0]?.count).toBe(12);
    const root = await makePerson(app, await makeCompany(app), { role: 'Root Admin' });
    await Promise.all([1, 2, 3, 4].map(() => recoverRoot(app.operator(), root.company.id)));
  });
});
