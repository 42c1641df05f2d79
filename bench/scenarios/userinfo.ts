import type { Operation } from '../driver.ts';
import { expectOk, signIn } from '../flow.ts';
import type { Target } from '../target.ts';
import { login } from './login.ts';
import { forEachUser, type Scenario } from './scenario.ts';

export const userinfo: Scenario = {
  name: 'userinfo',
  title: 'Userinfo',
  prepare: (target, users) => forEachUser(users, () => prepareOne(target)),
};

const signingIn = 4;

/** Shows whether the hash of other people's passwords holds up those who hash nothing. */
export const userinfoWhileLogin: Scenario = {
  name: 'userinfo-while-login',
  title: 'Userinfo, while 4 sign in',
  prepare: (target, users) => userinfo.prepare(target, users),
  prepareBackground: (target) => login.prepare(target, signingIn),
};

async function prepareOne(target: Target): Promise<Operation> {
  const { accessToken } = (await signIn(target, target.estate.offline, target.people.next())).tokens;
  const headers = { authorization: `Bearer ${accessToken}` };
  return async () => expectOk(await target.http.send(target.endpoints.userinfo, { headers }), 'userinfo');
}
