/** Active Integrations > Integration Settings for KaseyaOne: five switches, one Save (A8.5 to A8.9). */
import type { IntegrationSettings, NamedThing } from '../../sdk/module.ts';
import type { Draft } from './center-form.ts';
import { alertOf, type Chrome, settingsFrame, toggle } from './center-views.ts';
import { timeZones } from './config.ts';
import { blankExemption, entryOf, type TypedExemption } from './exemption.ts';
import { type Html, html } from './html.ts';
import { timeIn } from './layout.ts';

export interface SettingsView {
  csrf: string;
  settings: IntegrationSettings;
  draft: Draft;
  groups: readonly NamedThing[];
  people: readonly { id: string; name: string; email: string }[];
  lastContact: number | null;
  now: number;
  zone: string;
  notice: string | null;
  problem: string | null;
  /** Why something was not saved, by the provider's names of the fields. */
  fields: Readonly<Record<string, string>>;
  exemption: (TypedExemption & { problems: Readonly<Record<string, string>> }) | null;
}

const path = '/settings/integration-center/kaseyaone';
/** As many names as a browser may offer while somebody types. */
const MOST_SUGGESTIONS = 500;

const NOTICES: Readonly<Record<string, string>> = {
  connected: 'Connected. People can log in with KaseyaOne now.',
  saved: 'Saved.',
  trial: 'Saved. The requirement is on trial now.',
  exempted: 'The exception is in force.',
  unexempted: 'The exception has ended.',
};

export function settingsPage(chrome: Chrome, view: SettingsView): string {
  const { settings, problem } = view;
  const { company } = settings.instance;
  const words = view.notice === null ? undefined : NOTICES[view.notice];
  return settingsFrame(
    chrome,
    'Integration Settings',
    html`<div class="narrow"><p class="trail"><a href="/settings/integration-center/active">Active Integrations</a></p>
<div class="page-head"><div><h1>Integration Settings</h1><p class="soft">KaseyaOne, connected to ${company.name}. ${contact(view)}</p></div>
<a class="button" href="${path}/disconnect">Disconnect</a></div>
${words ? html`<p class="notice" role="status">${words}</p>` : null}
${alertOf(problem)}
${trialBanner(chrome, view)}
<form method="post" action="${path}" id="settings" novalidate>
<input type="hidden" name="csrf" value="${view.csrf}">
<input type="hidden" name="version" value="${view.draft.version}">
<button class="hidden" type="submit" name="do" value="save" tabindex="-1" aria-hidden="true">Save</button>
<div class="stack">
<section class="card">${toggle({ name: 'enabled', label: 'Enable Log In with KaseyaOne', on: view.draft.enabled, help: `People may log in to ${chrome.site.name} with KaseyaOne. Turned off, the other switches rest, and what they say is kept.`, problem: view.fields.enabled })}</section>
${requirement(chrome, view)}
${provisioning(view)}
${deprovisioning(chrome, view)}
${accessGroups(view)}
</div>
<div class="acts end save"><button class="button primary" type="submit" name="do" value="save">Save</button></div>
</form>
<form method="post" action="${path}/exceptions" id="exempt" novalidate><input type="hidden" name="csrf" value="${view.csrf}"></form>
<form method="post" action="${path}/exceptions/remove" id="unexempt"><input type="hidden" name="csrf" value="${view.csrf}"></form></div>`,
  );
}

function contact({ lastContact, zone }: SettingsView): Html {
  return lastContact === null
    ? html`KaseyaOne has not answered yet.`
    : html`KaseyaOne last answered ${timeIn(zone, lastContact)}.`;
}

function trialBanner({ site }: Chrome, { settings, now, zone }: SettingsView): Html | null {
  const { state, trial_ends_at } = settings.require;
  const ends = Date.parse(trial_ends_at ?? '');
  if (state !== 'trial' || !(now < ends)) return null;
  return html`<div class="notice trial" role="status"><p><strong>On trial until ${timeIn(zone, ends)}.</strong> Log in to ${site.name} with KaseyaOne once more, or let another administrator do it: then it stays. Otherwise it turns itself off, and nobody is locked out.</p></div>`;
}

function requirement(chrome: Chrome, view: SettingsView): Html {
  const { draft, settings, fields } = view;
  return html`<section class="card" id="exceptions">
${toggle({ name: 'require', label: 'Require User Login with KaseyaOne', on: draft.require, help: `${chrome.site.name} passwords stop working for everybody but the exceptions. Before it begins you see what it would mean.`, problem: fields.require })}
<div class="under"><h2>User Exceptions</h2>
<p class="soft">They may log in either way${settings.local_login_url === null ? null : html`: with their password at <a href="${settings.local_login_url}">${settings.local_login_url}</a>`}. An exception counts as soon as it is added.</p>
${settings.exceptions.length > 0 ? html`<ul class="people">${settings.exceptions.map((exception) => exceptionRow(exception, view))}</ul>` : html`<p class="none">Nobody is exempt.</p>`}
${exemptionForm(view)}</div></section>`;
}

function exceptionRow(exception: IntegrationSettings['exceptions'][number], { people, now, zone }: SettingsView): Html {
  const { id, account_id, user_name, reason, ends_at, kind } = exception;
  const name = people.find((person) => person.id === account_id)?.name ?? user_name;
  const end = Date.parse(ends_at ?? '');
  const until = Number.isNaN(end) ? html`no end date` : html`${end <= now ? 'ended' : 'until'} ${timeIn(zone, end)}`;
  return html`<li><div><strong>${name}</strong> <span class="soft">${user_name}</span>${kind === 'emergency' ? html` <span class="pill">sealed emergency account</span>` : null}<p class="soft">${reason} · ${until}</p></div>
<button class="button small" type="submit" form="unexempt" name="id" value="${id}">End<span class="hidden"> the exception of ${name}</span></button></li>`;
}

function exemptionForm({ people, exemption }: SettingsView): Html {
  const { person, reason, until, noEnd, kind, problems } = { ...blankExemption, problems: {}, ...exemption };
  const problem = (...names: string[]) => {
    // The provider names the same things its own way.
    const said = names.map((name) => (problems as Record<string, string>)[name]).find(Boolean);
    return said ? html`<p class="field-problem" role="alert">${said}</p>` : null;
  };
  const suggestions = people.slice(0, MOST_SUGGESTIONS).map((one) => html`<option value="${entryOf(one)}"></option>`);
  return html`<div class="add">
${problem('exception', 'kind', 'body')}
<div class="field wide-field"><label for="person">Add a user</label><input id="person" name="person" form="exempt" list="people" autocomplete="off" placeholder="Type a name or an e-mail address" value="${person}">${problem('person', 'account_id', 'accountId', 'userName')}
<datalist id="people">${suggestions}</datalist></div>
<div class="field wide-field"><label for="reason">Reason</label><input id="reason" name="reason" form="exempt" maxlength="200" autocomplete="off" value="${reason}">${problem('reason')}</div>
<div class="field"><label for="until">Last day</label><input id="until" name="until" form="exempt" type="date" value="${until}">${problem('until', 'ends_at', 'endsAt')}</div>
<div class="field checks-field"><label class="check"><input type="checkbox" name="no_end" value="on" form="exempt"${noEnd ? html` checked` : null}> No end date</label>
<label class="check"><input type="checkbox" name="kind" value="emergency" form="exempt"${kind === 'emergency' ? html` checked` : null}> Sealed emergency account</label></div>
<div class="field"><button class="button" type="submit" form="exempt">Add</button></div>
</div>`;
}

function provisioning(view: SettingsView): Html {
  const { draft, fields, settings } = view;
  const asks = fields.provisioning ?? fields.override;
  return html`<section class="card">
${toggle({ name: 'provisioning', label: 'Enable Automatic User Provisioning', on: draft.provisioning.on, help: 'Whoever enters for the first time gets an account here. A low level of access is advised; it can be changed for each user later.', problem: fields.provisioning })}
<div class="under grid">${settings.profile.fields.map((field) => profileField(field, view))}</div>
${asks ? html`<div class="under"><label for="override">Go on without a passed contract test, because</label><input id="override" name="override" maxlength="500" autocomplete="off" value="${draft.override}">${fields.override ? html`<p class="field-problem">${fields.override}</p>` : null}<p class="soft">The reason is put on record at KaseyaOne.</p></div>` : null}
</section>`;
}

type ProfileField = IntegrationSettings['profile']['fields'][number];

function profileField({ name, label, type, choices, required }: ProfileField, { draft, fields }: SettingsView): Html {
  const value = draft.provisioning.values[name] ?? '';
  const problem = fields[`values.${name}`] ?? fields[`provisioning.values.${name}`];
  const options = type === 'timeZone' ? timeZones : choices;
  const list = options.includes(value) || value === '' ? options : [value, ...options];
  const control =
    type === 'text'
      ? html`<input id="value-${name}" name="value-${name}" maxlength="200" autocomplete="off" value="${value}">`
      : html`<select id="value-${name}" name="value-${name}"><option value="">Choose</option>${list.map((choice) => option(choice, choice, value))}</select>`;
  return html`<div class="field"><label for="value-${name}">${label}${required ? null : html` <span class="soft">(optional)</span>`}</label>${control}${problem ? html`<p class="field-problem">${problem}</p>` : null}</div>`;
}

const option = (value: string, words: string, chosen: string): Html =>
  html`<option value="${value}"${value === chosen ? html` selected` : null}>${words}</option>`;

function deprovisioning({ site }: Chrome, { draft, fields, settings }: SettingsView): Html {
  const { on, grace_days, removal } = draft.deprovisioning;
  const canRemove = settings.profile.deletion === 'remove';
  const days = fields['deprovisioning.grace_days'] ?? fields['settings.deprovisioning.grace_days'];
  const choice = (value: string, words: string) =>
    html`<label class="check"><input type="radio" name="removal" value="${value}"${removal === value ? html` checked` : null}> ${words}</label>`;
  return html`<section class="card">
${toggle({ name: 'deprovisioning', label: 'Enable Automatic User Deprovisioning', on, help: `Whoever loses ${site.name} at KaseyaOne is suspended here within seconds, and can be brought back until the grace period is over.`, problem: fields.deprovisioning })}
<div class="under grid"><div class="field"><label for="grace_days">Grace period in days</label><input id="grace_days" name="grace_days" type="number" min="0" max="90" inputmode="numeric" value="${grace_days}">${days ? html`<p class="field-problem">${days}</p>` : null}</div>
<fieldset class="field"><legend>After that the account is</legend>${canRemove ? choice('remove', 'removed') : null}${choice('disable', 'left disabled')}${fields.removal ? html`<p class="field-problem">${fields.removal}</p>` : null}</fieldset></div>
</section>`;
}

function accessGroups(view: SettingsView): Html {
  const { draft, fields, groups, settings } = view;
  const { rules, on } = draft.access_groups;
  const known = new Map([
    ...settings.access_groups.rules.map(({ group_id, group }) => [group_id, group] as const),
    ...groups.map(({ id, name }) => [id, name] as const),
  ]);
  const permissions = settings.profile.fields.find(({ type }) => type === 'permission')?.choices ?? [];
  const line = (rule: { group_id: string; permission: string }, i: number, isNew: boolean) => html`<li class="rule">
<label class="hidden" for="rule-group-${i}">Group of rule ${i + 1}</label><select id="rule-group-${i}" name="rule_group"><option value="">${isNew ? 'Add a group' : 'No group'}</option>${[...known].map(([id, name]) => option(id, name, rule.group_id))}</select>
<label class="hidden" for="rule-permission-${i}">Permission of rule ${i + 1}</label><select id="rule-permission-${i}" name="rule_permission">${permissions.map((name) => option(name, name, rule.permission))}</select>
<div class="rule-acts">${isNew ? html`<button class="button small" type="submit" name="do" value="add">Add rule</button>` : ruleButtons(i, rules.length)}</div>
${fields[`rules.${i}`] ? html`<p class="field-problem">${fields[`rules.${i}`] ?? ''}</p>` : null}</li>`;
  return html`<section class="card">
${toggle({ name: 'access_groups', label: 'Access Groups', on, help: 'Groups of KaseyaOne decide the permission at every login. The first rule that fits counts; whom none fits cannot enter.', problem: fields.access_groups })}
<div class="under"><ol class="rules">${rules.map((rule, i) => line(rule, i, false))}${line({ group_id: '', permission: permissions[0] ?? '' }, rules.length, true)}</ol></div>
</section>`;
}

function ruleButtons(i: number, count: number): Html {
  const button = (act: string, words: string, sign: string) =>
    html`<button class="button small icon" type="submit" name="do" value="${act}.${i}" aria-label="${words} rule ${i + 1}" title="${words}">${sign}</button>`;
  return html`${i > 0 ? button('up', 'Move up', '↑') : null}${i < count - 1 ? button('down', 'Move down', '↓') : null}${button('remove', 'Remove', '×')}`;
}
