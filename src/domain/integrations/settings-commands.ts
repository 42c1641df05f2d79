// Save (A8.9): all settings of one instance at once, or nothing. What a module may do and a person may do in the console is this one
// command. Whoever changes settings, exceptions or rules holds the instance's row first, so that they come one after the other.
import { invalid, notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { after, hours } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import type { Group } from '../groups/group.ts';
import { authoriseInstance } from '../roles/authority.ts';
import { revokeLostAccess } from '../sessions/lost-access-commands.ts';
import { causeOf, settingsChanged, standingChanged } from '../standing/commands.ts';
import { tellAdministrators } from '../users/administrators.ts';
import { contractStanding, countOverrides } from './contract-queries.ts';
import { type Preflight, standingOf } from './requirement.ts';
import { beginTrial, endRequirement } from './requirement-commands.ts';
import { type Connected, getConnected } from './requirement-queries.ts';
import { type Settings, type SettingsInput, settingsInput } from './settings.ts';
import { applied, changeOf, lacksOf, named, overrideProblem } from './settings-change.ts';

export interface SaveInput {
  /** Which settings these were made from. */
  version: number;
  settings: SettingsInput;
  /** A reason in words: provisioning without a passed contract test. */
  override?: string | null;
}

export type SaveOutcome =
  | { outcome: 'saved'; settings: Settings }
  /** Somebody else was faster: nothing was saved, and these are theirs. */
  | { outcome: 'stale'; settings: Settings }
  /** The login cannot be required like this: nothing was saved. */
  | { outcome: 'preflight'; preflight: Preflight };

/** @throws AppError 422 by field, 404 */
export async function saveSettings(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  { version, settings, override = null }: SaveInput,
): Promise<SaveOutcome> {
  await authoriseInstance(work, companyId, instanceId);
  const given = parse(settings);
  return transaction(work, async (work) => {
    const current = await work.store.of(companyId).integrations.hold(instanceId);
    if (!current) throw notFound('module');
    if (current.version !== version) return { outcome: 'stale', settings: current };
    const connected = await getConnected(work, companyId, instanceId);
    const input = named(connected.profile, given);
    const groups = await work.store.of(companyId).groups.list();
    const saving: Saving = { companyId, connected, current, input, groups };
    const withoutTest = await check(work, saving, override?.trim() || null);
    const wantsRequired = input.enabled && input.require;
    const isRequiredNow = ['trial', 'on'].includes(standingOf(current, work.now));
    // Before anything is written: a pre-flight that stands in the way saves nothing.
    if (wantsRequired && !isRequiredNow) {
      const begun = await beginTrial(work, companyId, connected);
      if (begun.outcome === 'preflight') return begun;
    } else if (!wantsRequired && current.require.state !== 'off') await endRequirement(work, companyId, connected);
    await store(work, saving, withoutTest);
    const after = await work.store.of(companyId).integrations.find(instanceId);
    if (!after) throw notFound('module');
    return { outcome: 'saved', settings: after };
  });
}

function parse(settings: SettingsInput): SettingsInput {
  const parsed = settingsInput.safeParse(settings);
  if (parsed.success) return parsed.data;
  const fields: Record<string, string> = {};
  for (const { path, message } of parsed.error.issues) fields[path.join('.')] ??= message;
  return refuse(fields);
}

function refuse(fields: Record<string, string>): never {
  throw invalid(Object.values(fields).join(' '), fields);
}

interface Saving {
  companyId: CompanyId;
  connected: Connected;
  current: Settings;
  input: SettingsInput;
  groups: Group[];
}

/** @returns the reason by which provisioning begins without a passed contract test; null: none was needed */
async function check(work: Work, saving: Saving, override: string | null): Promise<string | null> {
  const { companyId, connected, current, input, groups } = saving;
  const problems = { ...groupProblems(input, groups), ...lacksOf(connected.profile, current, input) };
  const begins = input.enabled && input.provisioning.on && !current.provisioning.on;
  const contract = begins ? await contractStanding(work, companyId, connected.instanceId) : null;
  if (contract?.passed === false) {
    const problem = overrideProblem(override, contract.because);
    if (problem) problems[override === null ? 'provisioning' : 'override'] ??= problem;
  }
  if (Object.keys(problems).length > 0) refuse(problems);
  return contract?.passed === false ? override : null;
}

/** Only groups of this company that can open something; another company's are as unknown as none (API-02). */
function groupProblems({ accessGroups }: SettingsInput, groups: Group[]): Record<string, string> {
  const kinds = new Map<string, Group['kind']>(groups.map(({ id, kind }) => [id, kind]));
  const problems: Record<string, string> = {};
  const seen = new Set<string>();
  accessGroups.rules.forEach(({ groupId, permission }, i) => {
    const kind = kinds.get(groupId);
    if (kind === undefined) problems[`rules.${i}`] = 'There is no such access group.';
    else if (kind === 'system-none') problems[`rules.${i}`] = 'This group opens no module.';
    else if (seen.has(`${groupId} ${permission}`)) problems[`rules.${i}`] = 'This rule stands there twice.';
    seen.add(`${groupId} ${permission}`);
  });
  return problems;
}

async function store(work: Work, saving: Saving, override: string | null): Promise<void> {
  const { companyId, connected, current, input, groups } = saving;
  const { instanceId, moduleId } = connected;
  const details = changeOf(current, applied(current, input, groups));
  if (!details) return;
  const { integrations } = work.store.of(companyId);
  await integrations.save(instanceId, input, work.actor.name, work.now);
  await integrations.bump(instanceId);
  await record(work, {
    action: 'module.settings',
    companyId,
    target: { kind: 'module', id: instanceId },
    details: { name: connected.instance, moduleId, ...details, ...(override === null ? {} : { override }) },
  });
  if (override !== null) await tellOverridden(work, companyId, connected, override);
  const cause = causeOf(work, 'settings saved');
  await settingsChanged(work, { companyId, instanceId, cause });
  await standingChanged(work, { companyId, userIds: null, instanceIds: [instanceId], cause });
  if (current.enabled && !input.enabled)
    await revokeLostAccess(work, { companyId, moduleIds: [moduleId], userIds: null });
}

/** DOS-06: a module can turn its provisioning off and on as often as it likes; the audit log is whole all the same. */
const overrideMailsAnHour = 5;

async function tellOverridden(work: Work, companyId: CompanyId, of: Connected, reason: string): Promise<void> {
  const since = after(work.now, -hours(1));
  if ((await countOverrides(work, companyId, of.instanceId, since)) > overrideMailsAnHour) return;
  await tellAdministrators(work, companyId, 'contractOverridden', {
    module: of.instance,
    by: work.actor.name,
    reason,
    from: work.origin.ip,
    at: work.now.toISOString(),
    href: `/admin/modules/${of.instanceId}/settings`,
  });
}
