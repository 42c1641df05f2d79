import { signIn } from '../flow.ts';
import { forEachUser, type Scenario } from './scenario.ts';

export const login: Scenario = {
  name: 'login',
  title: 'Full interactive login',
  prepare: (target, users) =>
    forEachUser(users, async () => () => signIn(target, target.estate.first, target.people.next())),
};
