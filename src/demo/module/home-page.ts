import type { ModuleSession } from '../../sdk/module.ts';
import type { Account } from './account.ts';
import { html } from './html.ts';
import { bar, fact, page, type Site, timeIn, type Visitor } from './layout.ts';

export interface HomeView {
  account: Account;
  session: ModuleSession;
  visitor: Visitor;
}

const METHODS: Readonly<Record<string, string>> = {
  pwd: 'password',
  otp: 'verification code',
  hwk: 'security key',
  swk: 'passkey',
  user: 'presence',
  fed: 'company single sign-on',
};

export function homePage(site: Site, { account, session, visitor }: HomeView): string {
  const { user } = session;
  const time = (ms: number | null) => (ms === null ? html`not said` : timeIn(account.timeZone, ms));
  const how = user ? [...new Set(user.amr)].flatMap((name) => METHODS[name] ?? []).join(' and ') : '';
  return page(
    site,
    'Home',
    bar(site, visitor),
    html`<div class="wide-column">
<div class="who"><span class="initials" aria-hidden="true">${initials(account.name)}</span>
<div><h1>Welcome, ${account.name}</h1><p class="soft">${account.email}</p></div></div>
<div class="cards">
<section class="card" aria-labelledby="access"><h2 id="access">Your access</h2><dl>
${fact('Permission', account.permissions.length > 0 ? account.permissions.map((name, i) => html`${i > 0 ? ' ' : null}<span class="pill">${name}</span>`) : 'none yet')}
${fact('Account', html`<span class="dot" aria-hidden="true"></span>Active`)}
${fact('Time zone', account.timeZone)}
</dl></section>
<section class="card" aria-labelledby="session"><h2 id="session">This session</h2><dl>
${fact('Signed in with', html`${user ? site.brandName : `${site.name} password`}`)}
${fact('Since', time(session.createdAt))}
${fact('Ends by', time(session.endsAt))}
</dl></section>
${
  user
    ? html`<section class="card" aria-labelledby="identity"><h2 id="identity">From ${site.brandName}</h2><dl>
${fact('Person', html`${user.preferredUsername ?? user.name ?? user.email ?? 'not said'}`)}
${fact('Role', html`${user.companyRole ?? 'not said'}`)}
${fact('Groups', html`${user.groups.length > 0 ? user.groups.join(', ') : 'none for this module'}`)}
${fact('Proved by', html`${how === '' ? 'not said' : how}`)}
${fact('Last proved', time(user.authTime))}
${fact('Linked since', account.link ? time(Date.parse(account.link.linkedAt)) : html`not linked`)}
</dl></section>`
    : null
}
</div>
</div>`,
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '');
  return letters.join('').toUpperCase();
}
