import type { ModuleSession } from '../../sdk/module.ts';
import type { Account } from './account.ts';
import { type Html, html } from './html.ts';

/** What every page of one module has in common. */
export interface Site {
  name: string;
  brandName: string;
  stylesheet: string;
  /** The provider's home page, where the tiles of all modules are. */
  launcherUrl: string;
}

function page(site: Site, title: string, header: Html, main: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${site.name}</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${site.stylesheet}">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="bar"><div class="bar-inner">
<a class="bar-brand" href="/"><img src="/icon.svg" alt="" width="28" height="28"><span>${site.name}</span></a>
${header}
</div></header>
<main id="main" tabindex="-1">
${main}
</main>
</body>
</html>
`.text;
}

const NOTICES: Readonly<Record<string, (site: Site) => string>> = {
  'logged-out': (site) => `You are logged out of ${site.name}.`,
  provider: (site) => `You were signed out of ${site.brandName}.`,
  idle: (site) => `You were away for a while, so ${site.name} logged you out.`,
  expired: (site) => `Your time in ${site.name} was up. Log in again to go on.`,
};

const PROBLEMS: Readonly<Record<string, (site: Site) => string>> = {
  unverified: (site) =>
    `${site.brandName} has not verified your e-mail address, so ${site.name} can't match it to an account. Verify it in ${site.brandName}, then try again.`,
  'no-account': (site) =>
    `There is no ${site.name} account for your e-mail address. Ask the ${site.name} administrator to create one.`,
  suspended: (site) => `Your ${site.name} account is suspended. Ask the ${site.name} administrator.`,
  ambiguous: (site) =>
    `More than one ${site.name} account has your e-mail address, so ${site.name} can't tell which one is yours. Ask the ${site.name} administrator.`,
  'linked-elsewhere': (site) =>
    `The ${site.name} account with your e-mail address belongs to someone else in ${site.brandName}. Ask the ${site.name} administrator.`,
  access_denied: (site) => `${site.brandName} did not let you into ${site.name}.`,
  provider_unavailable: (site) =>
    `${site.brandName} can't be reached just now. Try again in a minute, or log in with your ${site.name} password.`,
  grant_refused: (site) => `${site.brandName} has ended this login. Please log in again.`,
};

const RESTART = /^(transaction_|state_mismatch|response_invalid|initiation_refused)/;

function problemText(code: string, site: Site): string {
  const text = PROBLEMS[code];
  if (text) return text(site);
  if (RESTART.test(code)) return 'Logging in took too long, or was started in another window. Please try again.';
  return `Logging in with ${site.brandName} did not work. Please try again, and tell the ${site.name} administrator if it goes on.`;
}

export interface LoginView {
  csrf: string;
  returnTo: string;
  email: string;
  /** A code of the table above, or of the kit's errors. */
  problem: string | null;
  notice: string | null;
  /** Words about the local form. */
  error: string | null;
}

export function loginPage(site: Site, view: LoginView): string {
  const start = `/login/start?return_to=${encodeURIComponent(view.returnTo)}`;
  const notice = view.notice === null ? undefined : NOTICES[view.notice];
  const isMarked = view.error !== null;
  return page(
    site,
    'Log in',
    html``,
    html`<div class="column">
<div class="hero"><img src="/icon.svg" alt="" width="56" height="56"><h1>Log in to ${site.name}</h1></div>
${notice ? html`<p class="notice" role="status">${notice(site)}</p>` : null}
${view.problem === null ? null : html`<div class="notice problem" role="alert"><p>${problemText(view.problem, site)}</p><p class="code">Code: ${view.problem.slice(0, 40)}</p></div>`}
<div class="card">
<a class="button primary wide" href="${start}"><span class="sign brand-sign" aria-hidden="true"></span>Log In with ${site.brandName}</a>
<p class="or"><span>or with your ${site.name} password</span></p>
<form method="post" action="/login" novalidate>
${isMarked ? html`<p class="notice problem" role="alert" id="problem">${view.error}</p>` : null}
<input type="hidden" name="csrf" value="${view.csrf}">
<input type="hidden" name="return_to" value="${view.returnTo}">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" inputmode="email" autocapitalize="none" spellcheck="false" maxlength="320" required value="${view.email}"${isMarked ? html` aria-invalid="true" aria-describedby="problem"` : null}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${isMarked ? html` aria-invalid="true" aria-describedby="problem" autofocus` : null}>
<button class="button wide" type="submit">Log in</button>
</form>
</div>
<p class="aside">${site.name} keeps its own accounts. Logging in with ${site.brandName} opens the one that has your e-mail address.</p>
</div>`,
  );
}

export interface HomeView {
  account: Account;
  session: ModuleSession;
}

const METHODS: Readonly<Record<string, string>> = {
  pwd: 'password',
  otp: 'verification code',
  hwk: 'security key',
  swk: 'passkey',
  user: 'presence',
  fed: 'company single sign-on',
};

export function homePage(site: Site, { account, session }: HomeView): string {
  const { user } = session;
  const time = (ms: number | null) => (ms === null ? html`not said` : timeIn(account.timeZone, ms));
  const header = html`<nav class="bar-tools" aria-label="Account">
${
  user
    ? html`<a class="tool" href="${site.launcherUrl}"><span class="sign launcher-sign" aria-hidden="true"></span><span class="tool-words">App Launcher</span></a>`
    : html`<a class="tool" href="/login/start"><span class="sign brand-sign" aria-hidden="true"></span><span class="tool-words">${site.brandName}</span></a>`
}
<form method="post" action="/logout"><button class="tool" type="submit">Log out</button></form>
</nav>`;
  const how = user ? [...new Set(user.amr)].flatMap((name) => METHODS[name] ?? []).join(' and ') : '';
  return page(
    site,
    'Home',
    header,
    html`<div class="wide-column">
<div class="who"><span class="initials" aria-hidden="true">${initials(account.name)}</span>
<div><h1>Welcome, ${account.name}</h1><p class="soft">${account.email}</p></div></div>
<div class="cards">
<section class="card" aria-labelledby="access"><h2 id="access">Your access</h2><dl>
${fact('Permission', html`<span class="pill">${account.role}</span>`)}
${fact('Account', html`<span class="dot" aria-hidden="true"></span>Active`)}
${fact('Time zone', html`${account.timeZone}`)}
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

const fact = (name: string, value: Html) => html`<div><dt>${name}</dt><dd>${value}</dd></div>
`;

/** In the person's own zone, and exact for machines and on hover. */
function timeIn(timeZone: string, ms: number): Html {
  const words = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(ms);
  const exact = new Date(ms).toISOString();
  return html`<time datetime="${exact}" title="${exact}">${words}</time>`;
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '');
  return letters.join('').toUpperCase();
}

export interface MessageView {
  title: string;
  text: string;
  /** What leads to the log, where there is something to find. */
  code: string | null;
}

export function messagePage(site: Site, { title, text, code }: MessageView): string {
  return page(
    site,
    title,
    html``,
    html`<div class="column"><div class="card message"><h1>${title}</h1><p>${text}</p>
${code === null ? null : html`<p class="code">Code: ${code}</p>`}
<p><a class="button" href="/">Go to ${site.name}</a></p></div></div>`,
  );
}
