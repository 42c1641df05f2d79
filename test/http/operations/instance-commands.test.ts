// The operator's commands for a connected module.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand } from '../../../src/cli/commands.ts';
import { parseOptions } from '../../../src/cli/options.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import { apiClient, makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany } from '../../support/people.ts';

let app: TestApp;
let company: Company;
beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app);
});
afterAll(() => app.stop());

const create = (...args: string[]) => execute('create-module', ['--name', 'Faulty', ...args]);
const run = (name: string, ...args: string[]) => execute(name, ['--company', company.name, ...args]);

async function execute(name: string, args: string[]) {
  const command = findCommand(name);
  if (!command) throw new Error(`there is no ${name}`);
  const { json } = await command.run({
    runtime: app.runtime,
    work: app.operator(),
    options: parseOptions(command.options, args),
    readStandardInput: async () => '',
    readFile: async () => Buffer.alloc(0),
  });
  return json as Record<string, string>;
}

describe('commands for a connected module', () => {
  it('new-credential prints one that works beside the old one', async () => {
    const module = await makeConnected(app, company);
    const { credential } = await run('new-credential', '--instance', module.instanceId);
    expect((await apiClient(app, credential ?? '').get('/instance/settings')).status).toBe(200);
    expect((await module.api.get('/instance/settings')).status).toBe(200);
  });

  it('disconnect-module ends the connection, also by name', async () => {
    const module = await makeConnected(app, company, { instance: { name: 'Goes away' } });
    await run('disconnect-module', '--instance', 'Goes away');
    expect((await module.api.get('/instance/settings')).status).toBe(401);
    await expect(run('disconnect-module', '--instance', module.instanceId)).rejects.toMatchObject({ status: 404 });
  });

  it('a name that none has is answered with the names that there are', async () => {
    await makeConnected(app, company, { instance: { name: 'Service desk' } });
    await expect(run('disconnect-module', '--instance', 'Servicedesk')).rejects.toMatchObject({
      status: 404,
      message: expect.stringMatching(
        /^No connected module has the name or id "Servicedesk"\. Connected: .*"Service desk"/,
      ),
    });
  });

  it('create-module names its own options in what it refuses', async () => {
    await expect(create('--redirect-uri', 'nowhere')).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining(' --redirect-uris: '),
    });
    await expect(create()).rejects.toMatchObject({
      message: expect.stringContaining(' --redirect-uris: at least one is needed'),
    });
  });

  it('contract-test names the options where a module is no test tenant', async () => {
    const scim = { url: 'https://desk.example/scim/v2', token: 'token' };
    await makeConnected(app, company, { instance: { name: 'In earnest', scim } });
    await expect(run('contract-test', '--instance', 'In earnest')).rejects.toMatchObject({
      message: expect.stringMatching(/^In earnest is not a test tenant\..* --consent, or --fake\.$/),
    });
  });

  it('an instance of another company is not there', async () => {
    const theirs = await makeConnected(app, await makeCompany(app));
    for (const name of ['new-credential', 'disconnect-module'])
      await expect(run(name, '--instance', theirs.instanceId)).rejects.toMatchObject({ status: 404 });
  });
});
