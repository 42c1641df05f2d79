// The settings as fields of a form, and a form as settings. Fields are named as the command names what it refuses.
import { isRequired, type Settings, type SettingsInput } from '../../../domain/integrations/settings.ts';
import { canDo, type Field, type Profile } from '../../../domain/modules/profile.ts';
import { zonesToChoose } from '../../../lib/zones.ts';
import type { Choice } from '../views.ts';
import type { ModuleField, ModuleSwitch } from './views.ts';

export type Fields = Record<string, string>;

const switchNames = ['enabled', 'require', 'provisioning', 'deprovisioning'] as const;
type SwitchName = (typeof switchNames)[number];

const valueName = ({ name }: Field) => `values.${name}`;

/** All fields that the form may hold, for taking a form along to a page that asks. */
export const fieldNames = (profile: Profile): string[] => [
  'version',
  ...switchNames,
  ...profile.fields.map(valueName),
  'graceDays',
  'removal',
  'override',
];

/** The fields as the settings fill them. */
export function fieldsOf(profile: Profile, settings: Settings, now: Date): Fields {
  const { enabled, provisioning, deprovisioning } = settings;
  const on: Record<SwitchName, boolean> = {
    enabled,
    // A trial that is over requires nothing, though it may not be written down yet.
    require: isRequired(settings, now),
    provisioning: provisioning.on,
    deprovisioning: deprovisioning.on,
  };
  return Object.fromEntries([
    ...switchNames.filter((name) => on[name]).map((name) => [name, 'yes']),
    ...profile.fields.map((field) => [valueName(field), provisioning.values[field.name] ?? '']),
    ['graceDays', String(deprovisioning.graceDays)],
    ['removal', deprovisioning.removal],
  ]);
}

/** What was typed, if it is a whole number; the command says what is wrong with anything else. */
const whole = (text = ''): number => (/^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN);

/** What Save is to bring. Rules and exceptions have pages of their own, so they stay as they are; a requirement begins on its own page. */
export function inputFrom(profile: Profile, current: Settings, fields: Fields, now: Date): SettingsInput {
  const isOn = (name: SwitchName) => fields[name] === 'yes';
  return {
    enabled: isOn('enabled'),
    require: isOn('require') && isRequired(current, now),
    provisioning: {
      on: isOn('provisioning') && canDo(profile, 'provision'),
      values: Object.fromEntries(profile.fields.map((field) => [field.name, fields[valueName(field)] ?? ''])),
    },
    deprovisioning: {
      on: isOn('deprovisioning') && canDo(profile, 'deprovision'),
      graceDays: fields.graceDays === undefined ? current.deprovisioning.graceDays : whole(fields.graceDays),
      // What is none of the choices is refused by the command.
      removal: (fields.removal ?? current.deprovisioning.removal) as 'remove',
    },
    accessGroups: {
      on: current.accessGroups.on,
      rules: current.accessGroups.rules.map(({ groupId, permission }) => ({ groupId, permission })),
    },
  };
}

/** It was not required, and is to be from now on. */
export const wantsRequirement = (current: Settings, fields: Fields, now: Date): boolean =>
  fields.enabled === 'yes' && fields.require === 'yes' && !isRequired(current, now);

/** Names of the command as names of the form. */
export function fieldErrors(errors: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(errors).map(([name, sentence]) => [name.replace(/^deprovisioning\./, ''), sentence]),
  );
}

const said = (name: string, value: string): string => {
  if ((switchNames as readonly string[]).includes(name)) return value === 'yes' ? 'on' : 'off';
  if (name === 'removal') return value === 'remove' ? 'deleted' : 'left disabled';
  return value === '' ? 'nothing' : value;
};

/** Where somebody else's settings differ from what is in the form: what they saved. */
export function differences(profile: Profile, mine: Fields, theirs: Fields): Record<string, string> {
  return Object.fromEntries(
    fieldNames(profile)
      .filter((name) => name !== 'version' && name !== 'override')
      .filter((name) => (mine[name] ?? '') !== (theirs[name] ?? ''))
      .map((name) => [name, said(name, theirs[name] ?? '')]),
  );
}

export interface Marks {
  /** The field that the problem is tied to. */
  wrong: string | null;
  errors: Record<string, string>;
  theirs: Record<string, string>;
}

const noted = (name: string, { wrong, errors, theirs }: Marks) => ({
  isWrong: wrong === name,
  error: errors[name] ?? '',
  theirs: theirs[name] ?? '',
});

export const switchOf = (
  name: SwitchName,
  fields: Fields,
  marks: Marks,
  words: { label: string; help: string },
): ModuleSwitch => ({ name, checked: fields[name] === 'yes', ...words, ...noted(name, marks) });

const choice = (value: string, label: string, chosen: string): Choice => ({ value, label, selected: value === chosen });

const helpOf = (field: Field): string =>
  field.type === 'permission'
    ? 'For everybody who is new. A low level is advised, for security; it can be changed later, person by person.'
    : '';

export function moduleFields(profile: Profile, fields: Fields, marks: Marks): ModuleField[] {
  return profile.fields.map((field) => {
    const name = valueName(field);
    const value = fields[name] ?? '';
    const offered = field.type === 'timeZone' ? zonesToChoose(value) : field.choices;
    const isFree = field.type === 'text';
    return {
      name,
      label: field.label,
      optional: !field.required,
      help: helpOf(field),
      value,
      isFree,
      choices: isFree
        ? []
        : [choice('', 'Choose', value), ...[...new Set(offered)].map((one) => choice(one, one, value))],
      ...noted(name, marks),
    };
  });
}

export const graceOf = (fields: Fields, marks: Marks) => ({
  value: fields.graceDays ?? '',
  ...noted('graceDays', marks),
});

/** What "removed" means, as far as the product can do it. */
export function removalsOf(profile: Profile, fields: Fields): (Choice & { help: string })[] {
  const chosen = fields.removal ?? '';
  const stay = {
    ...choice('disable', 'Leave it disabled', chosen),
    help: 'It stays in the module, without a way in. Nothing it made is lost.',
  };
  const remove = {
    ...choice('remove', 'Delete it', chosen),
    help: 'It can’t be restored. The last administrator of the module is only disabled.',
  };
  return profile.deletion === 'remove' ? [stay, remove] : [{ ...stay, selected: true }];
}
