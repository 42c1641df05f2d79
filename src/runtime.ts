// The only wiring place: from settings to everything that runs.
import type { KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createBackground } from './background.ts';
import type { Config } from './config/load.ts';
import { createDatabase, type Database } from './db/knex.ts';
import { migrate } from './db/migrations.ts';
import { createPrepared } from './db/prepared.ts';
import type { Company } from './domain/companies/company.ts';
import type { CaseResult, ContractRun } from './domain/integrations/contract.ts';
import { readSettings } from './domain/integrations/repository.ts';
import { createSettingsCopies } from './domain/integrations/settings-copies.ts';
import type { StoredMail } from './domain/mails/mail.ts';
import { fromAddressOf, type MailSettings, type MailText, noSettings, type TextKind } from './domain/mails/text.ts';
import { ensureHomeClient } from './domain/modules/commands.ts';
import type { Module } from './domain/modules/module.ts';
import { listModules } from './domain/modules/queries.ts';
import type { Demand } from './domain/provisioning/demand-queries.ts';
import { backChannelLogoutJob } from './jobs/back-channel-logout.ts';
import { contractJob, runContract } from './jobs/contract/run.ts';
import { createDeliverer, type Deliverer } from './jobs/deliver.ts';
import { type DemandRequest, requestsOf } from './jobs/demand.ts';
import { forgottenJob } from './jobs/forgotten.ts';
import { groupRemovalJob } from './jobs/group-removal.ts';
import { lostAccessJob } from './jobs/lost-access.ts';
import { createJobs, type Jobs } from './jobs/queue.ts';
import { readAccountsJobOf } from './jobs/read-accounts.ts';
import { readModulePeopleJob } from './jobs/read-module-people.ts';
import { connectionEndedJob, reconcileJob, sessionsRevokedJob, settingsEventJob } from './jobs/reconcile.ts';
import { revertEnforceJob } from './jobs/revert-enforce.ts';
import { revertTrialJob } from './jobs/revert-trial.ts';
import { sendMailJob } from './jobs/send-mail.ts';
import { shortenSessionsJob } from './jobs/shorten-sessions.ts';
import { runTaskJob } from './jobs/task.ts';
import { taskHandlers } from './jobs/task-handlers.ts';
import { createLog, type Log } from './lib/log.ts';
import { createOutgoing, isLoopbackHost, type Outgoing } from './lib/outgoing.ts';
import { createPasswordHasher, type PasswordHasher } from './lib/password-hasher.ts';
import { remembered } from './lib/remembered.ts';
import { createKeyring, type Keyring } from './lib/secrets.ts';
import { type Clock, systemClock } from './lib/time.ts';
import { createTxtResolver, type TxtResolver } from './lib/txt-records.ts';
import { type ComposedMail, composeStored } from './mail/compose.ts';
import { sampleData } from './mail/samples.ts';
import { createTransport, type Mailbox, parseMailbox, senderOf, type Transport } from './mail/transport.ts';
import { createAdapter } from './oidc/adapter.ts';
import { type ClientCatalogue, complaintAbout, createClientCatalogue } from './oidc/clients.ts';
import { cookieKeysOf } from './oidc/configuration.ts';
import { createEntryDoor } from './oidc/entry-door.ts';
import { createEngine, type Engine } from './oidc/provider.ts';
import { createRecordIo, type RecordIo } from './oidc/record-io.ts';
import { announcements, createStore, type Store } from './store.ts';
import { type Assets, createAssets } from './web/assets.ts';
import type { Context } from './web/context.ts';
import { createMetrics, type Metrics } from './web/metrics.ts';
import { providerPages } from './web/provider-pages.ts';
import { readMetadata } from './web/sso/saml-metadata.ts';
import { createViews, type Views } from './web/views.ts';
import type { Actor, Origin, Work } from './work.ts';

/** What a company has changed of its mails. */
export interface OwnMail {
  text: MailText | null;
  settings: MailSettings;
}

export interface Runtime {
  config: Config;
  log: Log;
  db: Database;
  store: Store;
  clock: Clock;
  keyring: Keyring;
  hasher: PasswordHasher;
  csrfKey: KeyObject;
  cookieKeys: string[];
  views: Views;
  assets: Assets;
  metrics: Metrics;
  jobs: Jobs;
  clients: ClientCatalogue;
  recordIo: RecordIo;
  engine: Engine;
  /** Requests to addresses that somebody else has named, never into our own network (API-11). */
  outgoing: Outgoing;
  /** What DNS says of a name, for proofs of e-mail domains. */
  txtRecords: TxtResolver;
  /** The company of a server that holds exactly one, else null (D.5 step 1). */
  onlyCompany(): Promise<Company | null>;
  work(actor: Actor, origin?: Origin): Work;
  workOf(ctx: Context): Work;
  /** A stored mail as its reader sees it, in the company's own words where it has some. */
  composeMail(mail: StoredMail, data: unknown, own?: OwnMail): ComposedMail;
  /** The same with values of nobody, for a look before it is sent. */
  sampleMail(kind: TextKind, company: string, own: OwnMail): ComposedMail & { from: string };
  /** Who mails come from. */
  sender(settings: MailSettings): Mailbox;
  /** What the engine has against a module that is to be registered, or null. */
  complaint(module: Module): string | null;
  /** Runs a contract test here and now, for the command line. */
  testContract(work: Work, run: ContractRun, onCase: (result: CaseResult) => void): Promise<ContractRun | null>;
  /** What a delivery would begin with, without sending it. */
  demandRequests(work: Work, demand: Demand): Promise<DemandRequest[]>;
  /** PKCE challenge of a verifier, S256 (RFC 7636 section 4.2). */
  challengeOf(verifier: string): string;
  /** Begins jobs, housekeeping and listening; a command-line tool does without. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
export const migrationsFolder = fileURLToPath(new URL('../migrations', import.meta.url));

const nobody: Origin = { requestId: '-', ip: '', agent: '' };

export interface Parts {
  config: Config;
  /** Address of the database, embedded or not. */
  databaseUrl: string;
  encryptionKeys: Buffer[];
  clock?: Clock;
  log?: Log;
  /** The resolver of the machine unless told. */
  txtRecords?: TxtResolver;
  /** Skipped where a template has them already. */
  runMigrations?: boolean;
  /** An operator's command beside a server: its settings may be others, so it leaves the server's own registration alone. */
  isTool?: boolean;
}

export async function createRuntime(parts: Parts): Promise<Runtime> {
  const { config, clock = systemClock } = parts;
  const log = parts.log ?? createLog(config.logLevel);
  const db = createDatabase(parts.databaseUrl, { poolSize: config.databasePool });
  if (parts.runMigrations !== false) await migrate(db, migrationsFolder);
  const prepared = createPrepared(parts.databaseUrl, config.databasePool);
  const store = createStore(db, prepared);
  const keyring = createKeyring(parts.encryptionKeys);
  const hasher = createPasswordHasher({ running: config.passwordChecks, waiting: 64 });
  const transport: Transport | null = config.smtpUrl ? createTransport(config.smtpUrl, config.mailFrom) : null;
  const clients = createClientCatalogue(() => listModules(db));
  const txtRecords = parts.txtRecords ?? createTxtResolver();
  const recordIo = createRecordIo(store.records);
  const entryDoor = createEntryDoor(
    clients,
    createSettingsCopies((ids) => readSettings(db, ids)),
  );

  const outgoing = createOutgoing({ mayReachLoopback: isLoopbackHost(new URL(config.publicUrl).hostname) });

  // The engine and the jobs need the runtime, which needs them: they get it when it is whole.
  const sender = {
    send: (notice: { clientId: string; accountId: string; sid: string }) => sendLogout(runtime, notice),
  };
  const jobs = createJobs(
    db,
    [
      sendMailJob(transport),
      backChannelLogoutJob(sender),
      forgottenJob,
      shortenSessionsJob,
      lostAccessJob,
      groupRemovalJob,
      contractJob({ outgoing, clock }),
      runTaskJob(taskHandlers, clock),
      readModulePeopleJob(outgoing),
      revertTrialJob,
      reconcileJob,
      settingsEventJob,
      connectionEndedJob,
      sessionsRevokedJob,
      readAccountsJobOf(outgoing),
      revertEnforceJob,
    ],
    {
      channel: announcements,
      log,
    },
  );
  const onlyCompany = remembered(() => store.companies.findOnly());

  const work = (actor: Actor, origin: Origin = nobody): Work => ({
    store,
    actor,
    now: clock(),
    origin,
    config,
    log,
    keyring,
    hasher,
    jobs,
  });
  const system = () => work({ kind: 'system', name: 'jobs' });

  const deliverer: Deliverer = createDeliverer({ work: system, send: outgoing });

  const wordsOf = ({ text, settings }: OwnMail = { text: null, settings: noSettings }) => ({
    brand: config.brandName,
    publicUrl: config.publicUrl,
    text,
    replyTo: settings.replyTo,
  });

  const runtime: Runtime = {
    config,
    log,
    db,
    store,
    clock,
    keyring,
    hasher,
    csrfKey: keyring.derive('csrf'),
    cookieKeys: cookieKeysOf(keyring),
    views: createViews(`${root}views`),
    assets: createAssets(root),
    metrics: createMetrics(),
    jobs,
    clients,
    recordIo,
    outgoing,
    txtRecords,
    // Set below, before anybody can ask.
    engine: undefined as unknown as Engine,
    onlyCompany: onlyCompany.get,
    work,
    workOf: (ctx) => ctx.state.work,
    composeMail: (mail, data, own) => composeStored(mail.kind, data, { ...wordsOf(own), createdAt: mail.createdAt }),
    sender: (settings) =>
      senderOf(parseMailbox(config.mailFrom), {
        ...settings,
        fromAddress: fromAddressOf(settings, config.mailFromDomains),
      }),
    sampleMail(kind, company, own) {
      const now = clock();
      const data = sampleData({ company, publicUrl: config.publicUrl, now })[kind];
      const from = runtime.sender(own.settings);
      return {
        ...composeStored(kind, data, { ...wordsOf(own), createdAt: now }),
        from: from.name === '' ? from.address : `${from.name} <${from.address}>`,
      };
    },
    complaint: (module) => complaintAbout(runtime.engine.provider, module),
    testContract: (work, { companyId, id }, onCase) => runContract(work, companyId, id, { outgoing, clock, onCase }),
    demandRequests: requestsOf,
    challengeOf: (verifier) => createHash('sha256').update(verifier).digest('base64url'),
    start: () => background.start(),
    async stop() {
      await background.stop();
      transport?.close();
      await prepared.end();
      await db.destroy();
    },
  };

  const reloadKeys = () =>
    void runtime.engine.reload(system()).catch((err) => log.error({ err }, 'signing keys could not be reloaded'));
  const forget = () => {
    clients.invalidate();
    onlyCompany.forget();
  };
  const background = createBackground({
    databaseUrl: parts.databaseUrl,
    log,
    work,
    jobs,
    deliverer,
    upkeep: { txtRecords, outgoing, readMetadata },
    onChange(topic) {
      if (topic === 'modules') clients.invalidate();
      if (topic === 'companies') onlyCompany.forget();
      if (topic === 'keys') reloadKeys();
    },
    onLost: forget,
    onConnected() {
      forget();
      reloadKeys();
    },
  });

  await jobs.prepare();
  if (parts.isTool !== true) await ensureHomeClient(system());
  runtime.engine = await createEngine(system(), {
    config,
    keyring,
    adapter: createAdapter(recordIo, clients, entryDoor),
    entryDoor,
    pages: providerPages(runtime),
  });
  return runtime;
}

async function sendLogout(
  runtime: Runtime,
  notice: { clientId: string; accountId: string; sid: string },
): Promise<boolean> {
  const { provider } = runtime.engine;
  const client = await provider.Client.find(notice.clientId);
  if (!client?.backchannelLogoutUri) return false;
  // A method of the engine's client that its type leaves out.
  const { backchannelLogout } = client as unknown as { backchannelLogout(sub: string, sid: string): Promise<void> };
  await backchannelLogout.call(client, notice.accountId, notice.sid);
  return true;
}
