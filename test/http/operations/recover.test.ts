// The operator's way in for a Root Admin says whom it is about and what it ends, before it does.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { testKey } from '../../support/keys.ts';
import { makeCompany, makePerson, signIn, type TestPerson } from '../../support/people.ts';

let app: TestApp;
let company: Company;
let root: TestPerson;
beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind');
  root = await makePerson(app, company, { role: 'Root Admin', username: 'rosa' });
});
afterAll(() => app.stop());

async function recover(...args: string[]) {
  const child = spawn(process.execPath, ['src/cli.ts', 'recover', ...args], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: testKey.toString('base64'),
      PUBLIC_URL: app.url,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [said, problem] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { said, problem, code: await ended };
}

it('without --yes names the person and the consequences, ends with 2, and changes nothing', async () => {
  const visitor = app.visitor();
  await signIn(app, visitor, root, '/');
  const { said, problem, code } = await recover('--company', 'Northwind');
  expect(code).toBe(2);
  expect(said).toBe('');
  expect(problem).toContain('rosa, the Root Admin of Northwind');
  expect(problem).toContain('every session and token of this person ends at once');
  expect(problem).toContain('--yes');
  expect(problem, 'the list is off already').not.toContain('IP access list');
  expect((await visitor.open('/')).body).toContain('My Modules');

  const done = await recover('--company', 'Northwind', '--yes', '--json');
  expect(done.code, done.problem).toBe(0);
  expect(JSON.parse(done.said)).toMatchObject({ username: 'rosa', company: 'Northwind' });
  expect((await visitor.open('/')).body).not.toContain('My Modules');
});
