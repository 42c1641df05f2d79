// Which upstreams people of a company may or must go through (D.5 steps 1, 2).
import { companyKey } from '../../domain/companies/company.ts';
import { findRoute, type SsoRoute } from '../../domain/federation/routing-queries.ts';
import { usernameKey } from '../../domain/users/user.ts';
import type { Work } from '../../work.ts';

export const routeOf = (work: Work, { company, username }: { company: string; username: string }): Promise<SsoRoute> =>
  findRoute(work, { companyKey: companyKey(company), usernameKey: usernameKey(username) });
