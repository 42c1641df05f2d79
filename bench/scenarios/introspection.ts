import { basic, expectOk, signIn } from '../flow.ts';
import { forEachUser, type Scenario } from './scenario.ts';

export const introspection: Scenario = {
  name: 'introspection',
  title: 'Introspection',
  prepare: (target, users) =>
    forEachUser(users, async () => {
      const { offline } = target.estate;
      const { accessToken } = (await signIn(target, offline, target.people.next())).tokens;
      const request = { form: { token: accessToken }, headers: basic(offline) };
      return async () => {
        const answer = await target.http.send(target.endpoints.introspection, request);
        expectOk(answer, 'introspection');
        if (!answer.body.includes('"active":true')) throw new Error(`the token is not active: ${answer.body}`);
      };
    }),
};
