import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';

describe('signing in to a module', () => {
  let app: TestApp;
  let person: TestPerson;
  let module: TestModule;

  beforeAll(async () => {
    app = await startApp();
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app, 'Another Company');
    person = await makePerson(app, company, { username: 'pat', role: 'User' });
    module = await makeModule(app, [company]);
  });
  afterAll(() => app.stop());

  it('asks for company, password and code, and ends in the module with tokens', async () => {
    const visitor = app.visitor();
    const back = await signIn(app, visitor, person, authorizeAddress(module));
    expect(back.headers.location).toMatch(/^https:\/\/module\.example\/callback\?/);
    const answer = answerOf(back);
    expect(answer.get('iss')).toBe(app.url);
    expect(answer.get('state')).toBe('state-1');
    const { status, body } = await redeem(app, module, answer.get('code') ?? '');
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'openid profile email' });
    const claims = JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({
      sub: person.user.id,
      company_role: 'User',
      groups: ['All Module Access'],
      amr: ['pwd', 'otp', 'mfa'],
    });
  });
});
