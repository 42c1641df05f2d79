// All pages of Single Sign-On. What has a name of its own stands before `/admin/sso/:connection`, which would take it.
import type { Route } from '../../routes.ts';
import { ssoBindingRoutes } from './binding.ts';
import { ssoBreakGlassRoutes } from './break-glass.ts';
import { ssoDomainRoutes } from './domains.ts';
import { ssoEnforceRoutes } from './enforce.ts';
import { ssoListRoutes } from './list.ts';
import { ssoLogRoutes } from './log.ts';
import { ssoMetadataRoutes } from './metadata.ts';
import { ssoNewRoutes } from './new.ts';
import { ssoOverviewRoutes } from './overview.ts';
import { ssoPlanRoutes } from './plan.ts';
import { ssoPlanActRoutes } from './plan-acts.ts';
import { ssoRuleRoutes } from './rules.ts';
import { ssoSettingsRoutes } from './settings.ts';
import { ssoSwitchRoutes } from './switch.ts';
import { ssoTestRoutes } from './test.ts';

export const ssoRoutes: Route[] = [
  ...ssoListRoutes,
  ...ssoNewRoutes,
  ...ssoDomainRoutes,
  ...ssoBreakGlassRoutes,
  ...ssoOverviewRoutes,
  ...ssoSwitchRoutes,
  ...ssoTestRoutes,
  ...ssoSettingsRoutes,
  ...ssoMetadataRoutes,
  ...ssoRuleRoutes,
  ...ssoPlanRoutes,
  ...ssoPlanActRoutes,
  ...ssoEnforceRoutes,
  ...ssoLogRoutes,
  ...ssoBindingRoutes,
];
