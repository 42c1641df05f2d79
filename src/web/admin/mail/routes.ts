import type { Route } from '../../routes.ts';
import { mailBlockedRoutes } from './blocked.ts';
import { mailListRoutes } from './list.ts';
import { mailSettingsRoutes } from './settings.ts';
import { mailTextRoutes } from './texts.ts';

export const mailRoutes: Route[] = [...mailListRoutes, ...mailBlockedRoutes, ...mailTextRoutes, ...mailSettingsRoutes];
