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

async function run(name: string, ...args: string[]) {
  const command = findCommand(name);
  if (!command) throw new Error(`there is no ${name}`);
  const { json } = await command.run({
    runtime: app.runtime,
    work: app.operator(),
    options: parseOptions(command.options, ['--company', company.name, ...args]),
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

  it('an instance of another company is not there', async () => {
    const theirs = await makeConnected(app, await makeCompany(app));
    for (const name of ['new-credential', 'disconnect-module'])
      await expect(run(name, '--instance', theirs.instanceId)).rejects.toMatchObject({ status: 404 });
  });
});
