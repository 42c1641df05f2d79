/** The module's accounts as the provider may read them, to import people from here (SCIM 2.0). */
import type { Middleware } from 'koa';
import { createScimUsers, type ModuleAccount } from '../../sdk/module.ts';
import { type Account, sameEmail } from './account.ts';
import type { ModuleRuntime } from './runtime.ts';

/** People log in here by e-mail, so that is their name; an account knows one name, whose last word is the family's. */
function toPerson({ id, email, name, status }: Account): ModuleAccount {
  const at = name.lastIndexOf(' ');
  return {
    id,
    userName: email,
    email,
    displayName: name,
    givenName: at < 0 ? name : name.slice(0, at),
    familyName: at < 0 ? '' : name.slice(at + 1),
    active: status === 'active',
  };
}

/** Nothing is served without a token. */
export function scimRoutes({ accounts, config, url, log }: ModuleRuntime): Middleware {
  if (config.scimToken === null) return (_ctx, next) => next();
  const handle = createScimUsers({
    url: `${url}/scim/v2`,
    token: config.scimToken,
    accounts: {
      list({ skip, count, filter }) {
        const all = accounts.all().filter(({ email }) => filter === null || sameEmail(email, filter.value));
        return { total: all.length, accounts: all.slice(skip, skip + count).map(toPerson) };
      },
      find(id) {
        const account = accounts.find(id);
        return account && toPerson(account);
      },
    },
  });
  return async (ctx, next) => {
    const answer = await handle({ method: ctx.method, url: ctx.url, headers: ctx.headers });
    if (answer === null) return next();
    log.info({ status: answer.status }, 'users asked for');
    ctx.status = answer.status;
    ctx.set(answer.headers);
    ctx.body = answer.body;
  };
}
