// All scenarios, in the order in which they run.

import { clientCredentials } from './client-credentials.ts';
import { discovery } from './discovery.ts';
import { introspection } from './introspection.ts';
import { jwks } from './jwks.ts';
import { login } from './login.ts';
import { refresh } from './refresh.ts';
import type { Scenario } from './scenario.ts';
import { sso } from './sso.ts';
import { userinfo, userinfoWhileLogin } from './userinfo.ts';

export const scenarios: Scenario[] = [
  discovery,
  jwks,
  clientCredentials,
  refresh,
  userinfo,
  introspection,
  sso,
  login,
  userinfoWhileLogin,
];
