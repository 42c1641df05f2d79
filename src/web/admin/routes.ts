// All pages of the console, noun by noun.
import type { Route } from '../routes.ts';
import { auditRoutes } from './audit/list.ts';
import { dashboardRoutes } from './dashboard/page.ts';
import { groupListRoutes } from './groups/list.ts';
import { groupMemberRoutes } from './groups/members.ts';
import { groupSettingsRoutes } from './groups/settings.ts';
import { mailRoutes } from './mail/routes.ts';
import { addressRoutes } from './security/addresses.ts';
import { policyRoutes } from './security/policy.ts';
import { taskRoutes } from './tasks/task.ts';
import { personActRoutes } from './users/acts.ts';
import { userBulkRoutes } from './users/bulk.ts';
import { personEditRoutes } from './users/edit.ts';
import { userImportRoutes } from './users/import.ts';
import { taskUndoRoutes } from './tasks/undo.ts';
import { userListRoutes } from './users/list.ts';
import { newUserRoutes } from './users/new.ts';
import { personRoutes } from './users/person.ts';

export const adminRoutes: Route[] = [
  ...dashboardRoutes,
  ...auditRoutes,
  ...groupListRoutes,
  ...groupMemberRoutes,
  ...groupSettingsRoutes,
  ...userListRoutes,
  ...newUserRoutes,
  ...userImportRoutes,
  ...userBulkRoutes,
  ...mailRoutes,
  ...taskRoutes,
  ...policyRoutes,
  ...addressRoutes,
  ...personEditRoutes,
  ...personActRoutes,
  // Last of all: `/admin/users/:id` would take /admin/users/new and its kin.
  ...personRoutes,
];
  ...taskUndoRoutes,
