import { type Html, html } from './html.ts';
import { page, type Site, timeIn } from './layout.ts';

const NOTICES: Readonly<Record<string, (site: Site) => string>> = {
  'logged-out': (site) => `You are logged out of ${site.name}.`,
  provider: (site) => `You were signed out of ${site.brandName}.`,
  idle: (site) => `You were away for a while, so ${site.name} logged you out.`,
  expired: (site) => `Your time in ${site.name} was up. Log in again to go on.`,
};

const PROBLEMS: Readonly<Record<string, (site: Site) => string>> = {
  unverified: (site) =>
    `${site.brandName} has not verified your e-mail address, so ${site.name} can't match it to an account. Verify it in ${site.brandName}, then try again.`,
  disabled: (site) =>
    `Logging in with ${site.brandName} is not turned on in ${site.name}. Use your ${site.name} password.`,
  other_instance: (site) => `${site.brandName} opened another ${site.name} than this one. Choose the right tile there.`,
  no_account: (site) =>
    `There is no ${site.name} account for your e-mail address. Ask the ${site.name} administrator to create one.`,
  suspended: (site) => `Your ${site.name} account is suspended. Ask the ${site.name} administrator.`,
  ambiguous: (site) =>
    `More than one ${site.name} account has your e-mail address, so ${site.name} can't tell which one is yours. Ask the ${site.name} administrator.`,
  linked_elsewhere: (site) =>
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
  /** What stands on it: both ways, the provider's alone, or the local form alone. */
  shows: 'both' | 'provider' | 'local';
  /** Until when the provider is required on trial. */
  trialEndsAt: number | null;
  /** Whether the provider can be used at all. */
  offered: boolean;
}

export function loginPage(site: Site, view: LoginView): string {
  const { shows } = view;
  const notice = view.notice === null ? undefined : NOTICES[view.notice];
  return page(
    site,
    'Log in',
    html``,
    html`<div class="column">
<div class="hero"><img src="/icon.svg" alt="" width="56" height="56"><h1>Log in to ${site.name}</h1></div>
${notice ? html`<p class="notice" role="status">${notice(site)}</p>` : null}
${view.problem === null ? null : html`<div class="notice problem" role="alert"><p>${problemText(view.problem, site)}</p><p class="code">Code: ${view.problem.slice(0, 40)}</p></div>`}
<div class="card">
${shows === 'provider' ? problem(view) : null}
${shows === 'local' ? null : providerButton(site, view)}
${shows === 'both' ? html`<p class="or"><span>or with your ${site.name} password</span></p>` : null}
${shows === 'provider' ? null : localForm(view)}
</div>
${aside(site, view)}
</div>`,
  );
}

const problem = ({ error }: LoginView) =>
  error === null ? null : html`<p class="notice problem" role="alert" id="problem">${error}</p>`;

function providerButton(site: Site, { returnTo }: LoginView): Html {
  const start = `/login/start?return_to=${encodeURIComponent(returnTo)}`;
  return html`<a class="button primary wide" href="${start}"><span class="sign brand-sign" aria-hidden="true"></span>Log In with ${site.brandName}</a>`;
}

function localForm(view: LoginView): Html {
  const isMarked = view.error !== null;
  return html`<form method="post" action="${view.shows === 'local' ? '/login/local' : '/login'}" novalidate>
${problem(view)}
<input type="hidden" name="csrf" value="${view.csrf}">
<input type="hidden" name="return_to" value="${view.returnTo}">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" inputmode="email" autocapitalize="none" spellcheck="false" maxlength="320" required value="${view.email}"${isMarked ? html` aria-invalid="true" aria-describedby="problem"` : null}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${isMarked ? html` aria-invalid="true" aria-describedby="problem" autofocus` : null}>
<button class="button wide${view.shows === 'local' ? ' primary' : ''}" type="submit">Log in</button>
</form>`;
}

function aside(site: Site, { shows, trialEndsAt, offered }: LoginView): Html | null {
  if (!offered) return null;
  if (shows === 'local')
    return html`<p class="aside">This is the way in for people who are exempt from ${site.brandName}. Everybody else: <a href="/login">Log In with ${site.brandName}</a>.</p>`;
  if (shows === 'provider')
    return html`<p class="aside">${site.name} asks everybody to log in with ${site.brandName}${trialEndsAt === null ? null : html`, on trial until ${timeIn('UTC', trialEndsAt)} UTC`}. If you are exempt, <a href="/login/local">use your ${site.name} password</a>.</p>`;
  return html`<p class="aside">${site.name} keeps its own accounts. Logging in with ${site.brandName} opens the one that has your e-mail address.</p>`;
}

export interface LinkView {
  csrf: string;
  error: string | null;
}

/** B.8: once, and then never again. */
export function linkPage(site: Site, { csrf, error }: LinkView): string {
  return page(
    site,
    'Link your account',
    html``,
    html`<div class="column">
<div class="hero"><img src="/icon.svg" alt="" width="56" height="56"><h1>Link your ${site.name} account</h1></div>
<div class="card">
<p class="lead">You are logged in to ${site.brandName}. Log in to ${site.name} with your password one last time: from then on ${site.brandName} opens your account.</p>
<form method="post" action="/login/link" novalidate>
${error === null ? null : html`<p class="notice problem" role="alert" id="problem">${error}</p>`}
<input type="hidden" name="csrf" value="${csrf}">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" inputmode="email" autocapitalize="none" spellcheck="false" maxlength="320" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button class="button primary wide" type="submit">Link and log in</button>
</form>
</div>
<p class="aside">No account yet? Ask the ${site.name} administrator.</p>
</div>`,
  );
}
