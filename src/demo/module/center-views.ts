/** The pages of the Integration Center but for the settings themselves, with the words of its manual. */
import type { IntegrationSettings, Preflight } from '../../sdk/module.ts';
import type { Draft } from './center-form.ts';
import { type Html, html } from './html.ts';
import { bar, page, type Site, type Visitor } from './layout.ts';

export interface Chrome {
  site: Site;
  visitor: Visitor;
}

const center = '/settings/integration-center';

type Tab = 'explore' | 'active';

export function settingsFrame({ site, visitor }: Chrome, title: string, main: Html): string {
  return page(site, title, bar(site, visitor), html`<div class="wide-column">${main}</div>`);
}

const tabs = (at: Tab): Html => html`<p class="trail">Settings</p><h1>Integration Center</h1>
<nav class="tabs" aria-label="Integrations">
<a href="${center}"${at === 'explore' ? html` aria-current="page"` : null}>Explore Integrations</a>
<a href="${center}/active"${at === 'active' ? html` aria-current="page"` : null}>Active Integrations</a>
</nav>`;

const PROBLEMS: Readonly<Record<string, string>> = {
  access_denied:
    'KaseyaOne did not agree: only an administrator of your company there can connect. Nothing was changed.',
  connected_elsewhere:
    'This is connected to another company of KaseyaOne already. It has to be disconnected there first. Nothing was changed.',
  administrator_mismatch:
    'Connecting has to be finished by the administrator who began it, in the same browser. Nothing was changed.',
  provider_unavailable: "KaseyaOne can't be reached just now. Nothing was changed; try again in a minute.",
  forbidden: 'Only an administrator of your company at KaseyaOne can connect. Nothing was changed.',
};

function problemWords(code: string): string {
  if (/^(transaction_|state_mismatch|response_invalid)/.test(code))
    return 'Connecting took too long, or was started in another window. Nothing was changed; please try again.';
  return PROBLEMS[code] ?? 'Connecting did not work. Nothing was changed; please try again.';
}

export const alertOf = (words: string | null): Html | null =>
  words === null ? null : html`<p class="notice problem" role="alert">${words}</p>`;

export interface ExploreView {
  connected: boolean;
  company: string | null;
  notice: string | null;
  problem: string | null;
}

export function explorePage(chrome: Chrome, { connected, company, notice, problem }: ExploreView): string {
  const button = connected
    ? html`<p class="standing"><span class="dot" aria-hidden="true"></span>Connected${company === null ? null : html` to ${company}`}</p><a class="button" href="${center}/kaseyaone">Integration Settings</a>`
    : html`<a class="button primary" href="${center}/connect">Connect<span class="hidden"> KaseyaOne</span></a>`;
  return settingsFrame(
    chrome,
    'Integration Center',
    html`${tabs('explore')}
${notice === 'disconnected' ? html`<p class="notice" role="status">KaseyaOne is disconnected. Everybody logs in with their ${chrome.site.name} password again.</p>` : null}
${alertOf(problem === null ? null : problemWords(problem))}
<div class="cards"><section class="card offer" aria-labelledby="kaseyaone">
<span class="sign brand-sign large" aria-hidden="true"></span>
<h2 id="kaseyaone">KaseyaOne</h2>
<p class="soft">One login for all your modules. People log in to ${chrome.site.name} with KaseyaOne, and their accounts here follow what is decided there.</p>
<div class="acts">${button}</div>
</section></div>`,
  );
}

export interface ActiveView {
  connected: boolean;
  settings: IntegrationSettings | null;
}

export function activePage(chrome: Chrome, { connected, settings }: ActiveView): string {
  const { name } = chrome.site;
  const empty = html`<section class="card empty"><h2>Nothing is connected yet</h2><p class="soft">Connect an integration first: then its settings stand here.</p><p><a class="button primary" href="${center}">Explore Integrations</a></p></section>`;
  const is = (on: boolean) => (on ? 'On' : 'Off');
  const known = settings
    ? html`<dl>
<div><dt>Log In with KaseyaOne</dt><dd>${is(settings.enabled)}</dd></div>
<div><dt>Required</dt><dd>${settings.require.on ? (settings.require.state === 'trial' ? 'On trial' : 'On') : 'Off'}</dd></div>
<div><dt>Automatic User Provisioning</dt><dd>${is(settings.provisioning.on)}</dd></div>
<div><dt>Automatic User Deprovisioning</dt><dd>${is(settings.deprovisioning.on)}</dd></div>
<div><dt>Access Groups</dt><dd>${is(settings.access_groups.on)}</dd></div>
</dl>`
    : html`<p class="soft">Its settings are not here yet: KaseyaOne has not answered ${name}.</p>`;
  const card = html`<div class="cards"><section class="card" aria-labelledby="kaseyaone"><div class="card-head"><span class="sign brand-sign large" aria-hidden="true"></span><h2 id="kaseyaone">KaseyaOne</h2></div>
<p class="standing"><span class="dot" aria-hidden="true"></span>Connected${settings ? html` to ${settings.instance.company.name}` : null}</p>
${known}
<div class="acts"><a class="button" href="${center}/kaseyaone">Integration Settings</a></div></section></div>`;
  return settingsFrame(chrome, 'Active Integrations', html`${tabs('active')}${connected ? card : empty}`);
}

export function connectPage(chrome: Chrome, { csrf, problem }: { csrf: string; problem: string | null }): string {
  const { name } = chrome.site;
  return settingsFrame(
    chrome,
    'Manage Login with IT Complete',
    html`<div class="window card">
<h1>Manage Login with IT Complete</h1>
${alertOf(problem)}
<form method="post" action="${center}/connect">
<input type="hidden" name="csrf" value="${csrf}">
${toggle({ name: 'enabled', label: 'Enable Log In with KaseyaOne', on: false, help: `People may log in to ${name} with KaseyaOne. Their ${name} passwords go on working until you require it.` })}
<p class="soft">Save takes you to KaseyaOne. Log in there as an administrator of your company, and you come back here, connected. If you are logged in there already, nothing is asked.</p>
<div class="acts end"><a class="button" href="${center}">Cancel</a><button class="button primary" type="submit">Save</button></div>
</form></div>`,
  );
}

export interface Toggle {
  name: string;
  label: string;
  on: boolean;
  help: string;
  problem?: string | undefined;
}

export function toggle({ name, label, on, help, problem }: Toggle): Html {
  return html`<div class="toggle">
<input class="switch" type="checkbox" role="switch" id="${name}" name="${name}" value="on" aria-describedby="${name}-help"${on ? html` checked` : null}>
<div><label for="${name}">${label}</label><p class="soft" id="${name}-help">${help}</p>${problem ? html`<p class="field-problem">${problem}</p>` : null}</div>
</div>`;
}

/** What was typed on the page before, carried on to the answer. */
function carried(draft: Draft): Html[] {
  const pairs: [string, string][] = [
    ...(['enabled', 'require'] as const).filter((name) => draft[name]).map((name): [string, string] => [name, 'on']),
    ...(['provisioning', 'deprovisioning', 'access_groups'] as const)
      .filter((name) => draft[name].on)
      .map((name): [string, string] => [name, 'on']),
    ...Object.entries(draft.provisioning.values).map(([name, value]): [string, string] => [`value-${name}`, value]),
    ['grace_days', String(draft.deprovisioning.grace_days)],
    ['removal', draft.deprovisioning.removal],
    ...draft.access_groups.rules.flatMap(({ group_id, permission }): [string, string][] => [
      ['rule_group', group_id],
      ['rule_permission', permission],
    ]),
    ['override', draft.override],
    ['version', String(draft.version)],
  ];
  return pairs.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
}

export interface PreflightView {
  csrf: string;
  preflight: Preflight;
  draft: Draft;
  action: string;
}

export function preflightPage(chrome: Chrome, { csrf, preflight, draft, action }: PreflightView): string {
  const { ready, checks, ways_in, loses_local, trial_minutes } = preflight;
  const { name } = chrome.site;
  const isWaiting = checks.some(({ under_way, passed }) => under_way === true && !passed);
  const mark = (passed: boolean) =>
    passed ? html`<span class="mark good">Passed</span>` : html`<span class="mark bad">Not yet</span>`;
  const confirm = html`<button class="button primary" type="submit">Require it for ${trial_minutes} minutes on trial</button>`;
  const again = html`<button class="button primary" type="submit" name="confirmed" value="no">Check again</button>`;
  return settingsFrame(
    chrome,
    'Require User Login with KaseyaOne',
    html`<div class="narrow"><p class="trail"><a href="${action}">Integration Settings</a></p>
<h1>Require User Login with KaseyaOne</h1>
<p class="soft">Nothing has been saved yet. This is what requiring it would mean.</p>
<div class="stack">
<section class="card" aria-labelledby="checks"><h2 id="checks">Before it can be required</h2>
<ul class="checks">${checks.map(({ passed, sentence }) => html`<li>${mark(passed)}<span>${sentence}</span></li>`)}</ul>
${isWaiting ? html`<p class="soft">This takes a moment. Check again.</p>` : null}</section>
<section class="card" aria-labelledby="lose"><h2 id="lose">${loses_local.count} of ${loses_local.of} people lose their ${name} password login</h2>
${(loses_local.reasons ?? []).map(({ count, sentence }) => html`<p>${count}: ${sentence}</p>`)}
${loses_local.sample.length > 0 ? html`<p class="soft">Such as ${loses_local.sample.map(({ user_name }) => user_name).join(', ')}.</p>` : null}
<p class="soft">They log in with KaseyaOne from then on.</p></section>
<section class="card" aria-labelledby="ways"><h2 id="ways">Who can get in without KaseyaOne</h2>
${ways_in.length > 0 ? html`<ul class="plain">${ways_in.map(({ user_name, kind }) => html`<li>${user_name}${kind === 'emergency' ? html` <span class="pill">sealed emergency account</span>` : null}</li>`)}</ul>` : html`<p>Nobody.</p>`}</section>
</div>
<form method="post" action="${action}">
<input type="hidden" name="csrf" value="${csrf}">
${carried(draft)}
${ready ? html`<input type="hidden" name="confirmed" value="yes"><p class="soft trial-words">It begins on trial: unless an administrator logs in with KaseyaOne once more within ${trial_minutes} minutes, it turns itself off again.</p>` : null}
<div class="acts end"><a class="button" href="${action}">Cancel</a>${ready ? confirm : again}</div>
</form></div>`,
  );
}

export interface DisconnectView {
  csrf: string;
  settings: IntegrationSettings;
  problem: string | null;
}

export function disconnectPage(chrome: Chrome, { csrf, settings, problem }: DisconnectView): string {
  const { name } = chrome.site;
  const { company } = settings.instance;
  return settingsFrame(
    chrome,
    'Disconnect KaseyaOne',
    html`<div class="window card">
<h1>Disconnect ${name} from ${company.name}?</h1>
${alertOf(problem)}
<ul class="plain">
<li>Nobody can log in to ${name} with KaseyaOne any more; everybody uses their ${name} password.</li>
<li>Its tile goes from KaseyaOne, and so do these settings and the list of exceptions.</li>
<li>Accounts in ${name} stay as they are. You can connect again at any time.</li>
</ul>
<form method="post" action="${center}/kaseyaone/disconnect">
<input type="hidden" name="csrf" value="${csrf}">
<div class="acts end"><a class="button" href="${center}/kaseyaone">Cancel</a><button class="button danger" type="submit">Disconnect ${company.name}</button></div>
</form></div>`,
  );
}
