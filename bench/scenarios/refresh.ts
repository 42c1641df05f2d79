import { requestTokens, signIn } from '../flow.ts';
import { forEachUser, type Scenario } from './scenario.ts';

export const refresh: Scenario = {
  name: 'refresh',
  title: 'Refresh, with rotation',
  prepare: (target, users) =>
    forEachUser(users, async () => {
      const { offline } = target.estate;
      let { refreshToken } = (await signIn(target, offline, target.people.next())).tokens;
      return async () => {
        if (!refreshToken) throw new Error('the client got no refresh token');
        const form = { grant_type: 'refresh_token', refresh_token: refreshToken };
        const tokens = await requestTokens(target, offline, form);
        if (tokens.refreshToken === refreshToken) throw new Error('the refresh token was not rotated');
        refreshToken = tokens.refreshToken;
      };
    }),
};
