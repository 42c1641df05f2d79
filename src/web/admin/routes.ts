// All pages of the console, noun by noun.
import type { Route } from '../routes.ts';
import { taskRoutes } from './tasks/task.ts';
import { userListRoutes } from './users/list.ts';

export const adminRoutes: Route[] = [...userListRoutes, ...taskRoutes];
