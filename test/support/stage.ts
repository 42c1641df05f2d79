// The set of a story: a node whose jobs run, a company beside another one, and the demo's module twice, as the demo sets them up.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModuleConfig, readConfig } from '../../src/demo/module/config.ts';
import { type RunningModule, startModule } from '../../src/demo/module/server.ts';
import type { Company } from '../../src/domain/companies/company.ts';
import { createGroup } from '../../src/domain/groups/commands.ts';
import { issueCredential } from '../../src/domain/integrations/credential-commands.ts';
import { connectModule, createModule } from '../../src/domain/modules/commands.ts';
import type { InstanceId } from '../../src/lib/ids.ts';
import { createLog } from '../../src/lib/log.ts';
import { randomToken } from '../../src/lib/secrets.ts';
import { freePort, startApp, type TestApp } from './app.ts';
import { makeCompany } from './people.ts';

export interface StageModule {
  name: string;
  url: string;
  clientId: string;
  clientSecret: string;
  instanceId: InstanceId;
  /** The module itself; restarted by `stop` and `startModule(config, …)`. */
  running: RunningModule;
  config: ModuleConfig;
}

export interface Stage {
  app: TestApp;
  company: Company;
  workplace: StageModule;
  helpdesk: StageModule;
  stop(): Promise<void>;
}

/** The access group that opens Workplace and nothing else. */
export const workplaceTeam = 'Workplace Team';

export const emailOf = (username: string) => `${username}@example.com`;

/** @param usernames whose accounts both modules have; they are matched by e-mail (C28) */
export async function setStage(
  usernames: string[],
  environment: Record<string, string> = {},
  moduleEnvironment: Record<string, string> = {},
  { clock = Date.now, profile }: { clock?: () => number; profile?: unknown } = {},
): Promise<Stage> {
  const app = await startApp({ start: true, environment });
  const company = await makeCompany(app, 'Northwind IT');
  // A server with one company only would not ask for its name.
  await makeCompany(app, 'Contoso');
  await createGroup(app.operator(), company.id, { name: workplaceTeam, isActive: true });
  const folder = await mkdtemp(join(tmpdir(), 'unified-login-modules-'));
  const running: RunningModule[] = [];

  async function open(name: string, groups: string[]): Promise<StageModule> {
    const url = `http://localhost:${await freePort()}`;
    const metadata = {
      redirect_uris: [`${url}/callback`],
      post_logout_redirect_uris: [`${url}/login`],
      initiate_login_uri: `${url}/initiate-login`,
      backchannel_logout_uri: `${url}/backchannel-logout`,
    };
    const input = { name, metadata, ...(profile === undefined ? { product: 'workplace' } : { profile }) };
    const made = await createModule(app.operator(), input, app.runtime.complaint);
    const { clientId } = made.module;
    const scim = { url: `${url}/scim/v2`, token: randomToken() };
    // Connected as the operator's command does it, so that the module starts with what it needs.
    const { instanceId } = await connectModule(app.operator(), company.id, {
      ...{ clientId, groups, scim, tenant: 'northwind' },
      ...{ landingUrl: `${url}/`, initiateLoginUri: metadata.initiate_login_uri },
      ...{ eventsUrl: `${url}/events`, localLoginUrl: `${url}/login/local` },
    });
    const credential = await issueCredential(app.operator(), company.id, instanceId, app.clock.now());
    const config = readConfig({
      MODULE_NAME: name,
      PORT: new URL(url).port,
      MODULE_URL: url,
      ISSUER: app.url,
      CLIENT_ID: clientId,
      CLIENT_SECRET: made.clientSecret ?? '',
      DATA_DIR: folder,
      MODULE_USERS: JSON.stringify(usernames.map(accountOf)),
      SCIM_TOKEN: scim.token,
      INSTANCE_ID: instanceId,
      INSTANCE_CREDENTIAL: credential.secret,
      TENANT_ID: 'northwind',
      TENANT_NAME: 'Northwind IT',
      ...moduleEnvironment,
    });
    if ('problems' in config) throw new Error(config.problems.join('\n'));
    const module = await startModule(config, createLog('silent'), clock);
    running.push(module);
    return { name, url, clientId, clientSecret: made.clientSecret ?? '', instanceId, running: module, config };
  }

  return {
    app,
    company,
    workplace: await open('Workplace', [workplaceTeam]),
    helpdesk: await open('Helpdesk', []),
    async stop() {
      await Promise.all(running.map((module) => module.stop()));
      await app.stop();
      await rm(folder, { recursive: true });
    },
  };
}

const accountOf = (username: string) => ({
  email: emailOf(username),
  name: `Account of ${username}`,
  role: 'Team Access',
});
