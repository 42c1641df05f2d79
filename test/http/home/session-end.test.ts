import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson, signIn } from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

describe('the end of a session on our own pages (C37, WEB-03)', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.stop());

  it('leads to the login and back to the page, never in a circle: the engine lets nobody in whom our pages do not', async () => {
    // The engine has stored an end by its own clock, which is still to come; both go by the policy of now.
    const company = await makeCompany(app, 'Northwind IT', { session: { absoluteMinutes: 5 } });
    const person = await makePerson(app, company);
    const visitor = app.visitor();
    const home = await visitor.follow(await signIn(app, visitor, person, '/settings/sessions'));
    expect(wordsOf(home)).toContain('Where you are logged in');
    app.clock.advance(minutes(6));
    const page = await visitor.open('/settings/sessions');
    expect(page.status).toBe(200);
    expect(page.body).toContain('name="username"');
    const back = await visitor.follow(await signIn(app, visitor, person, page.url));
    expect(wordsOf(back)).toContain('Where you are logged in');
  });
});
