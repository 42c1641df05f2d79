import { requestTokens } from '../flow.ts';
import { forEachUser, type Scenario } from './scenario.ts';

export const clientCredentials: Scenario = {
  name: 'cc',
  title: 'Client credentials',
  prepare: (target, users) =>
    forEachUser(users, async () => {
      const form = { grant_type: 'client_credentials' };
      return () => requestTokens(target, target.estate.service, form);
    }),
};
