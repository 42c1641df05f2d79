// All pages of the console, noun by noun.
import type { Route } from '../routes.ts';
import { auditRoutes } from './audit/list.ts';
import { batchRoutes } from './batches/page.ts';
import { contractRoutes } from './contract/page.ts';
import { dashboardRoutes } from './dashboard/page.ts';
import { demandRoutes } from './deliveries/demand.ts';
import { deliveryRoutes } from './deliveries/list.ts';
import { personAccountRoutes } from './deliveries/person.ts';
import { groupListRoutes } from './groups/list.ts';
import { groupMemberRoutes } from './groups/members.ts';
import { groupSettingsRoutes } from './groups/settings.ts';
import { mailRoutes } from './mail/routes.ts';
import { moduleLinkRoutes } from './module-accounts/link.ts';
import { modulePlanRoutes } from './module-accounts/plan.ts';
import { moduleReportRoutes } from './module-accounts/report.ts';
import { moduleAssignRoutes } from './module-import/assign.ts';
import { modulePeopleRoutes } from './module-import/people.ts';
import { moduleReviewRoutes } from './module-import/review.ts';
import { moduleSourceRoutes } from './module-import/source.ts';
import { instanceAccessGroupRoutes } from './modules/access-groups.ts';
import { instanceDisconnectRoutes } from './modules/disconnect.ts';
import { instanceExceptionRoutes } from './modules/exceptions.ts';
import { moduleExploreRoutes } from './modules/explore.ts';
import { moduleListRoutes } from './modules/list.ts';
import { instanceOverviewRoutes } from './modules/overview.ts';
import { instanceRequireRoutes } from './modules/require.ts';
import { instanceSettingsRoutes } from './modules/settings.ts';
import { addressRoutes } from './security/addresses.ts';
import { policyRoutes } from './security/policy.ts';
import { ssoRoutes } from './sso/routes.ts';
import { taskRoutes } from './tasks/task.ts';
import { taskUndoRoutes } from './tasks/undo.ts';
import { personActRoutes } from './users/acts.ts';
import { userBulkRoutes } from './users/bulk.ts';
import { personEditRoutes } from './users/edit.ts';
import { userImportRoutes } from './users/import.ts';
import { userListRoutes } from './users/list.ts';
import { newUserRoutes } from './users/new.ts';
import { personRoutes } from './users/person.ts';
import { whyRoutes } from './why/person.ts';

export const adminRoutes: Route[] = [
  ...dashboardRoutes,
  ...auditRoutes,
  ...batchRoutes,
  ...groupListRoutes,
  ...groupMemberRoutes,
  ...groupSettingsRoutes,
  ...userListRoutes,
  ...newUserRoutes,
  ...userImportRoutes,
  ...userBulkRoutes,
  ...mailRoutes,
  ...moduleReportRoutes,
  ...modulePlanRoutes,
  ...moduleLinkRoutes,
  ...moduleSourceRoutes,
  ...modulePeopleRoutes,
  ...moduleAssignRoutes,
  ...moduleReviewRoutes,
  ...moduleListRoutes,
  ...moduleExploreRoutes,
  ...instanceOverviewRoutes,
  ...instanceSettingsRoutes,
  ...instanceRequireRoutes,
  ...instanceExceptionRoutes,
  ...instanceDisconnectRoutes,
  ...instanceAccessGroupRoutes,
  ...ssoRoutes,
  ...taskRoutes,
  ...policyRoutes,
  ...addressRoutes,
  ...taskUndoRoutes,
  ...contractRoutes,
  ...demandRoutes,
  ...deliveryRoutes,
  ...personAccountRoutes,
  ...whyRoutes,
  ...personEditRoutes,
  ...personActRoutes,
  // Last of all: `/admin/users/:id` would take /admin/users/new and its kin.
  ...personRoutes,
];
