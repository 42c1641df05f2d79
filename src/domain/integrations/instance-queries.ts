// What a company has connected, as the console shows it: the list, and one instance with all that concerns it. No rules here.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, ModuleId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { type Profile, profileSchema } from '../modules/profile.ts';
import { authorise } from '../roles/authority.ts';
import type { Settings } from './settings.ts';

/** How deliveries to an instance go; absent until there was one. */
export interface LaneFacts {
  failures: number;
  closedUntil: Date | null;
  lastSuccessAt: Date | null;
  lastFailureAt: Date | null;
  lastProblem: string | null;
}

/** Once may happen; from here on somebody should look. */
const failuresToTell = 3;

export const isLaneFailing = (lane: LaneFacts | null, now: Date): lane is LaneFacts =>
  lane !== null && (lane.failures >= failuresToTell || (lane.closedUntil !== null && lane.closedUntil > now));

export interface InstanceDetail {
  id: InstanceId;
  name: string;
  moduleId: ModuleId;
  /** Name of the product. */
  module: string;
  icon: string | null;
  profile: Profile;
  settings: Settings;
  tenant: string | null;
  isTest: boolean;
  initiateLoginUri: string | null;
  landingUrl: string | null;
  eventsUrl: string | null;
  localLoginUrl: string | null;
  scimUrl: string | null;
  connectedAt: Date;
  /** Name of who connected it; null: the operator, or somebody who is gone. */
  connectedBy: string | null;
  /** When the module was last heard of, and what it said. */
  contactAt: Date | null;
  contact: Record<string, unknown> | null;
  lane: LaneFacts | null;
}

interface DetailRow extends Omit<InstanceDetail, 'settings' | 'lane' | 'profile'> {
  profile: unknown;
  failures: number | null;
  closedUntil: Date | null;
  lastSuccessAt: Date | null;
  lastFailureAt: Date | null;
  lastProblem: string | null;
}

/** @throws AppError 404, also for an instance of another company */
export async function getInstance(work: Work, companyId: CompanyId, id: InstanceId): Promise<InstanceDetail> {
  await authorise(work, companyId, 'modules.manage');
  const { rows }: { rows: DetailRow[] } = await work.store.db.raw(
    `select i.id, i.name, m.id as "moduleId", m.name as module, m.icon, m.profile, i.tenant, i.is_test as "isTest",
       i.initiate_login_uri as "initiateLoginUri", i.landing_url as "landingUrl", i.events_url as "eventsUrl",
       i.local_login_url as "localLoginUrl", i.scim_url as "scimUrl", i.connected_at as "connectedAt",
       u.first_name || ' ' || u.last_name as "connectedBy", i.contact, i.contact_at as "contactAt", l.failures,
       l.closed_until as "closedUntil", l.last_success_at as "lastSuccessAt", l.last_failure_at as "lastFailureAt",
       l.last_problem as "lastProblem"
     from module_instances i join modules m on m.id = i.module_id
       left join users u on u.company_id = i.company_id and u.id = i.connected_by
       left join delivery_lanes l on l.instance_id = i.id
     where i.company_id = ? and i.id = ?`,
    [companyId, id],
  );
  const [row] = rows;
  const settings = row && (await work.store.of(companyId).integrations.find(id));
  if (!row || !settings) throw notFound('module');
  const { failures, closedUntil, lastSuccessAt, lastFailureAt, lastProblem, ...rest } = row;
  const lane = failures === null ? null : { failures, closedUntil, lastSuccessAt, lastFailureAt, lastProblem };
  return { ...rest, profile: profileSchema.parse(row.profile), settings, lane };
}
