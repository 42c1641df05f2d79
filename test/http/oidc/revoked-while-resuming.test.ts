// A revocation that commits while a finished sign-in is being written: the session must not be born after it (OAU-18).
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  authorizeAddress,
  codeOf,
  givePassword,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';

let app: TestApp;
let person: TestPerson;
let module: TestModule;

beforeAll(async () => {
  app = await startApp();
  const company = await makeCompany(app);
  person = await makePerson(app, company);
  module = await makeModule(app, [company]);
});
afterAll(() => app.stop());

it('OAU-18, AUT-13 a session, a grant and a code are not born from a sign-in that was revoked in that very moment', async () => {
  const visitor = app.visitor();
  const page = await givePassword(visitor, await visitor.open(authorizeAddress(module)), person);
  const last = await visitor.submitOnce(page, { code: codeOf(app, person) }, '/code');
  expect(last.headers.location).toMatch(/^\/auth\//);

  let resumed: ReturnType<typeof visitor.send> | undefined;
  await app.runtime.db.transaction(async (trx) => {
    // What ending everything of a person does; not yet committed, so the resuming request still reads the old state.
    const { sessions } = (await import('../../../src/store.ts'))
      .createStore(trx, app.runtime.store.prepared)
      .of(person.company.id);
    await sessions.revokeAll(person.user.id);
    resumed = visitor.send(String(last.headers.location));
    await new Promise((resolve) => setTimeout(resolve, 300));
  });
  const answer = await resumed;
  const { rows }: { rows: { kind: string }[] } = await app.runtime.db.raw(
    `select kind from oidc_records where kind in ('Session', 'Grant', 'AuthorizationCode')`,
  );
  expect(rows).toEqual([]);
  const code = new URL(answer?.headers.location ?? '/', 'https://module.example').searchParams.get('code');
  if (code) expect((await redeem(app, module, code)).status).toBe(400);
  const home = await visitor.send('/');
  expect(home.status).toBe(303);
  expect(home.headers.location).toMatch(/^\/auth\?/);
});
