// An operator's command runs beside a server, often with fewer settings: it must not change what the server has registered.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import { testKey } from '../../support/keys.ts';
import { makeCompany, makePerson, signIn } from '../../support/people.ts';

describe('an operator command with other settings than the server', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ start: true });
  });
  afterAll(() => app.stop());

  it('leaves the home page where it is: people still log in', async () => {
    const company = await makeCompany(app);
    const person = await makePerson(app, company);
    const child = spawn(
      process.execPath,
      ['src/cli.ts', 'create-group', '--company', company.name, '--name', 'Field', '--json'],
      {
        env: {
          PATH: process.env.PATH,
          DATABASE_URL: app.databaseUrl,
          ENCRYPTION_KEYS: testKey.toString('base64'),
          PUBLIC_URL: 'http://localhost:1',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const [output, problem] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(JSON.parse(output || '{}'), problem).toMatchObject({ name: 'Field' });
    const visitor = app.visitor();
    const page = await signIn(app, visitor, person, '/');
    expect(page.url).toBe(`${app.url}/`);
    expect(page.body).toContain('My Modules');
  });
});
