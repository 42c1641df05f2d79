import { expectOk } from '../flow.ts';
import { forEachUser, type Scenario } from './scenario.ts';

export const jwks: Scenario = {
  name: 'jwks',
  title: 'JWKS',
  prepare: (target, users) =>
    forEachUser(users, async () => async () => expectOk(await target.http.send(target.endpoints.jwks), 'JWKS')),
};
