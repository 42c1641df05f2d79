// What Save would do at once to people and accounts, in sentences: it is said before it is done (A8.7, A8.8).
import { countPeopleOf } from '../../../domain/integrations/connected-queries.ts';
import { contractStanding } from '../../../domain/integrations/contract-queries.ts';
import {
  countLeftAccounts,
  countNewAccounts,
  type InstanceDetail,
} from '../../../domain/integrations/instance-queries.ts';
import type { SettingsInput } from '../../../domain/integrations/settings.ts';
import { lacksOf, overrideProblem } from '../../../domain/integrations/settings-change.ts';
import { permissionField } from '../../../domain/modules/profile.ts';
import type { Desk } from '../console.ts';
import { counted } from '../groups/group-head.ts';

/** Both empty: nothing happens that would have to be said first. */
export interface Effects {
  losses: string[];
  gains: string[];
}

interface Proposed {
  input: SettingsInput;
  /** The reason to provision without a passed contract test, as it was typed. */
  override: string;
}

export async function effectsOf(
  desk: Desk,
  instance: InstanceDetail,
  proposed: Proposed,
  brand: string,
): Promise<Effects> {
  return {
    losses: await lossesOf(desk, instance, proposed.input, brand),
    gains: await gainsOf(desk, instance, proposed),
  };
}

const list = new Intl.ListFormat('en');

/** What every new account gets: "Team Access and Europe/Berlin". */
function valuesOf({ profile }: InstanceDetail, { provisioning: { values }, accessGroups }: SettingsInput): string {
  const permission = permissionField(profile)?.name;
  const from = accessGroups.on ? 'access groups' : profile.derivation ? 'company role' : null;
  const words = profile.fields.flatMap(({ name }) =>
    name === permission && from ? [`the permission of the ${from}`] : (values[name] ?? []),
  );
  return list.format(words.filter((word) => word !== ''));
}

/** Provisioning makes accounts ahead of time for everybody who has access by then. */
async function gainsOf(desk: Desk, instance: InstanceDetail, { input, override }: Proposed): Promise<string[]> {
  const { id, name, settings, profile } = instance;
  const begins = input.enabled && input.provisioning.on && !(settings.enabled && settings.provisioning.on);
  if (!begins || instance.scimUrl === null || !(await isSaved(desk, instance, { input, override }))) return [];
  const { made, tied } = await countNewAccounts(desk.work, desk.companyId, { id, profile }, input);
  const values = valuesOf(instance, input);
  const sentences: string[] = [];
  if (made > 0)
    sentences.push(
      `Makes ${counted(made, 'account', 'accounts')} in ${name} now${values === '' ? '' : `, with ${values}`}.`,
    );
  if (tied > 0)
    sentences.push(
      `${counted(tied, 'person has', 'people have')} an account there already, by the address: where it is clear whose it is, it becomes theirs and stays as it is.`,
    );
  if (made > 0)
    sentences.push('Whoever gets access later gets an account then. Turned off again, those that were made stay.');
  return sentences;
}

/** What would be refused is refused by the command, and makes nothing. */
async function isSaved(
  desk: Desk,
  { id, profile, settings }: InstanceDetail,
  { input, override }: Proposed,
): Promise<boolean> {
  if (Object.keys(lacksOf(profile, settings, input)).length > 0) return false;
  if (settings.provisioning.on) return true;
  const { passed, because } = await contractStanding(desk.work, desk.companyId, id);
  return passed || overrideProblem(override.trim() || null, because) === null;
}

async function lossesOf(desk: Desk, instance: InstanceDetail, input: SettingsInput, brand: string): Promise<string[]> {
  const { id, settings, profile } = instance;
  const sentences: string[] = [];
  if (settings.enabled && !input.enabled) {
    const people = await countPeopleOf(desk.work, desk.companyId, id);
    sentences.push(
      `${counted(people, 'person', 'people')} can’t enter ${instance.name} through ${brand} any more. Who is in through it is logged out at once.`,
      ...(settings.require.state === 'off'
        ? []
        : [`Log In with ${brand} is not required any more. Exceptions are kept.`]),
      'Local logins at the module work. Nobody is provisioned or deprovisioned meanwhile.',
      'You can undo it: turn it on again. All settings are kept.',
    );
  }
  const begins = input.enabled && input.deprovisioning.on && !(settings.enabled && settings.deprovisioning.on);
  const left = begins ? await countLeftAccounts(desk.work, desk.companyId, instance) : 0;
  if (left > 0) {
    const end =
      input.deprovisioning.removal === 'remove' && profile.deletion === 'remove' ? 'deleted' : 'left disabled';
    sentences.push(
      `${left} ${left === 1 ? 'account of somebody who has no access any more is' : 'accounts of people who have no access any more are'} suspended in ${instance.name}.`,
      `They are held for ${input.deprovisioning.graceDays} days, and then ${end}. Until then you can restore them.`,
      'When it is many at once, or an administrator of the module, a second Admin is asked first.',
    );
  }
  return sentences;
}
