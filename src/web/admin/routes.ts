// All pages of the console, noun by noun.
import type { Route } from '../routes.ts';
import { auditRoutes } from './audit/list.ts';
import { dashboardRoutes } from './dashboard/page.ts';
import { groupListRoutes } from './groups/list.ts';
import { groupMemberRoutes } from './groups/members.ts';
import { groupSettingsRoutes } from './groups/settings.ts';
import { taskRoutes } from './tasks/task.ts';
import { userListRoutes } from './users/list.ts';

export const adminRoutes: Route[] = [
  ...dashboardRoutes,
  ...auditRoutes,
  ...groupListRoutes,
  ...groupMemberRoutes,
  ...groupSettingsRoutes,
  ...userListRoutes,
  ...taskRoutes,
];
