import { expectOk } from '../flow.ts';
import { forEachUser, type Scenario } from './scenario.ts';

export const discovery: Scenario = {
  name: 'discovery',
  title: 'Discovery',
  prepare: (target, users) =>
    forEachUser(users, async () => async () => expectOk(await target.http.send(target.discovery), 'discovery')),
};
