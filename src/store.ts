// Every repository by name: the table of contents of the database. Repositories of company-owned tables exist only for a company.
import type { Database } from './db/knex.ts';
import type { Prepared } from './db/prepared.ts';
import { chainRepository } from './domain/audit/chain-repository.ts';
import { countsRepository } from './domain/audit/counts-repository.ts';
import { auditRepository } from './domain/audit/repository.ts';
import { ipRepository } from './domain/companies/ip-repository.ts';
import { companyRepository } from './domain/companies/repository.ts';
import { credentialRepository } from './domain/credentials/repository.ts';
import { breakGlassRepository } from './domain/federation/break-glass-repository.ts';
import { connectionRepository } from './domain/federation/connection-repository.ts';
import { emailDomainRepository } from './domain/federation/email-domain-repository.ts';
import { identityRepository } from './domain/federation/identity-repository.ts';
import { planRepository as ssoPlanRepository } from './domain/federation/plan-repository.ts';
import { ssoRequestRepository } from './domain/federation/request-repository.ts';
import { ruleRepository } from './domain/federation/rule-repository.ts';
import { groupRepository } from './domain/groups/repository.ts';
import { importRepository } from './domain/imports/draft-repository.ts';
import { contractRepository } from './domain/integrations/contract-repository.ts';
import { credentialsRepository, machineRepository } from './domain/integrations/credential-repository.ts';
import { exceptionRepository } from './domain/integrations/exception-repository.ts';
import { settingsRepository } from './domain/integrations/repository.ts';
import { keyRepository } from './domain/keys/repository.ts';
import { linkRepository } from './domain/links/repository.ts';
import { mailRepository } from './domain/mails/repository.ts';
import { mailTextRepository } from './domain/mails/text-repository.ts';
import { instanceRepository, moduleRepository } from './domain/modules/repository.ts';
import { accountRepository } from './domain/provisioning/account-repository.ts';
import { batchRepository } from './domain/provisioning/batch-repository.ts';
import { deliveryRepository } from './domain/provisioning/delivery-repository.ts';
import { driftRepository } from './domain/provisioning/drift-repository.ts';
import { laneRepository } from './domain/provisioning/lane-repository.ts';
import { planRepository } from './domain/provisioning/plan-repository.ts';
import { seenRepository } from './domain/provisioning/seen-repository.ts';
import { ceremonyRepository } from './domain/sessions/ceremony-repository.ts';
import { logoutRepository } from './domain/sessions/logout-repository.ts';
import { recordRepository } from './domain/sessions/record-repository.ts';
import { sessionRepository } from './domain/sessions/repository.ts';
import { taskRepository } from './domain/tasks/repository.ts';
import { preferenceRepository } from './domain/users/preferences-repository.ts';
import { userRepository } from './domain/users/repository.ts';
import { signInRepository } from './domain/users/sign-in-repository.ts';
import type { CompanyId } from './lib/ids.ts';

export type Store = ReturnType<typeof createStore>;

/** What other nodes must hear of, because they keep a copy of it. */
export type Topic = 'modules' | 'keys' | 'companies' | 'deliveries';

export const announcements = 'unified_login';

/**
 * @param db the pool or a transaction; all repositories of one store speak through it
 * @param prepared for single statements that are a transaction of their own
 */
export function createStore(db: Database, prepared: Prepared) {
  return {
    db,
    prepared,
    audit: auditRepository(db),
    ceremonies: ceremonyRepository(db),
    chain: chainRepository(db),
    signInCounts: countsRepository(db),
    companies: companyRepository(db),
    keys: keyRepository(db),
    lanes: laneRepository(db),
    links: linkRepository(db),
    machines: machineRepository(db),
    logouts: logoutRepository(db),
    mails: mailRepository(db),
    modules: moduleRepository(db),
    records: recordRepository(db, prepared),
    signIns: signInRepository(db, prepared),
    ssoRequests: ssoRequestRepository(db),
    of: (companyId: CompanyId) => ({
      accounts: accountRepository(db, companyId),
      batches: batchRepository(db, companyId),
      breakGlass: breakGlassRepository(db, companyId),
      connections: connectionRepository(db, companyId),
      contracts: contractRepository(db, companyId),
      credentials: credentialRepository(db, companyId),
      deliveries: deliveryRepository(db, companyId),
      emailDomains: emailDomainRepository(db, companyId),
      exceptions: exceptionRepository(db, companyId),
      drift: driftRepository(db, companyId),
      groups: groupRepository(db, companyId),
      identities: identityRepository(db, companyId),
      imports: importRepository(db, companyId),
      instances: instanceRepository(db, companyId),
      integrations: settingsRepository(db, companyId),
      ipEntries: ipRepository(db, companyId),
      machines: credentialsRepository(db, companyId),
      mailTexts: mailTextRepository(db, companyId),
      mappingRules: ruleRepository(db, companyId),
      plans: planRepository(db, companyId),
      seen: seenRepository(db, companyId),
      sessions: sessionRepository(db, companyId),
      preferences: preferenceRepository(db, companyId),
      ssoPlans: ssoPlanRepository(db, companyId),
      tasks: taskRepository(db, companyId),
      users: userRepository(db, companyId),
    }),
    /** Tells all nodes, when the transaction commits, that their copies of a topic are stale. */
    async announce(topic: Topic): Promise<void> {
      await db.raw('select pg_notify(?, ?)', [announcements, topic]);
    },
  };
}
