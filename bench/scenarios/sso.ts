import { passThrough, signIn } from '../flow.ts';
import { forEachUser, type Scenario } from './scenario.ts';

export const sso: Scenario = {
  name: 'sso',
  title: 'SSO code flow, live session',
  prepare: (target, users) =>
    forEachUser(users, async () => {
      const { first, second } = target.estate;
      const { browser } = await signIn(target, first, target.people.next());
      return () => passThrough(target, browser, second);
    }),
};
