// A connection as fields of a form, and a form as a connection. Fields are named as the command names what it refuses.
import { readCertificates } from '../../../domain/federation/certificate.ts';
import type { Connection } from '../../../domain/federation/connection.ts';
import type { ConnectionInput } from '../../../domain/federation/connection-commands.ts';
import type { ReadMetadata } from '../../../domain/federation/metadata.ts';
import type { Group } from '../../../domain/groups/group.ts';
import { choosableRoles } from '../../../domain/roles/role.ts';
import { invalid } from '../../../lib/errors.ts';
import {
  attributesOf,
  type Described,
  firstFields,
  type Kind,
  metadataFields,
  plainSwitches,
  switchesOf,
} from './settings-fields.ts';
import type { GroupBox, SsoField, SsoSwitch } from './views.ts';

export type Fields = Record<string, string>;

/** All fields that the form may hold. */
export const fieldNames = (kind: Kind): string[] => [
  ...[...firstFields(kind), ...metadataFields(kind), ...attributesOf(kind), ...switchesOf(kind)].map(
    ({ name }) => name,
  ),
  ...plainSwitches,
  'creation.role',
];

export interface Typed {
  fields: Fields;
  groupIds: string[];
}

type Whole = Pick<Connection, 'name' | 'settings' | 'attributes' | 'creation' | 'asksSecondFactor'>;

/** The fields as a connection fills them; the secret is not among them. */
export function typedOf({ name, settings, attributes, creation, asksSecondFactor }: Whole): Typed {
  const on = (is: boolean) => (is ? 'yes' : '');
  const protocol =
    settings.kind === 'saml'
      ? {
          'settings.entityId': settings.entityId,
          'settings.ssoUrl': settings.ssoUrl,
          'settings.sloUrl': settings.sloUrl ?? '',
          'settings.certificates': settings.certificates.map((pem) => pem.trim()).join('\n'),
          'settings.metadataUrl': settings.metadataUrl ?? '',
          'settings.signRequests': on(settings.signRequests),
          'settings.postsRequests': on(settings.postsRequests === true),
          'settings.wantEncrypted': on(settings.wantEncrypted),
          'settings.allowIdpInitiated': on(settings.allowIdpInitiated),
        }
      : {
          'settings.issuer': settings.issuer,
          'settings.clientId': settings.clientId,
          'settings.scopes': settings.scopes,
          'settings.logoutReturns': on(settings.logoutReturns),
        };
  return {
    fields: {
      name,
      ...protocol,
      ...attributesAsFields(attributes),
      asksSecondFactor: on(asksSecondFactor),
      'creation.on': on(creation.on),
      'creation.role': creation.role,
    },
    groupIds: creation.groupIds,
  };
}

export const attributesAsFields = (attributes: Connection['attributes']): Fields =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`attributes.${name}`, value]));

export const metadataAsFields = (metadata: ReadMetadata, address: string): Fields => ({
  'settings.entityId': metadata.entityId,
  'settings.ssoUrl': metadata.ssoUrl,
  'settings.sloUrl': metadata.sloUrl ?? '',
  'settings.certificates': metadata.certificates.map(({ pem }) => pem.trim()).join('\n'),
  'settings.metadataUrl': address,
  'settings.postsRequests': metadata.postsRequests ? 'yes' : '',
});

/** What was typed as the form sends it. */
export function typedFrom(kind: Kind, form: Fields, groups: string[] | undefined): Typed {
  const fields = fieldNames(kind).flatMap((name) => (form[name] === undefined ? [] : [[name, form[name]]]));
  return { fields: Object.fromEntries(fields), groupIds: groups ?? [] };
}

function pemsOf(text: string): string[] {
  const read = readCertificates(text);
  const sentence = 'This is no certificate: paste it in PEM, with an RSA key of 2048 bits at least.';
  if (read === null) throw invalid(sentence, { 'settings.certificates': sentence });
  return read.map(({ pem }) => pem);
}

const orNull = (text = ''): string | null => (text.trim() === '' ? null : text.trim());

/** @throws AppError 422 for certificates that are none; the command says what is wrong with the rest */
export function inputFrom(kind: Kind, { fields, groupIds }: Typed): ConnectionInput {
  const on = (name: string) => fields[name] === 'yes';
  const text = (name: string) => (fields[name] ?? '').trim();
  const settings: ConnectionInput['settings'] =
    kind === 'saml'
      ? {
          kind,
          entityId: text('settings.entityId'),
          ssoUrl: text('settings.ssoUrl'),
          sloUrl: orNull(fields['settings.sloUrl']),
          certificates: pemsOf(text('settings.certificates')),
          metadataUrl: orNull(fields['settings.metadataUrl']),
          signRequests: on('settings.signRequests'),
          ...(on('settings.postsRequests') ? { postsRequests: true as const } : {}),
          wantEncrypted: on('settings.wantEncrypted'),
          allowIdpInitiated: on('settings.allowIdpInitiated'),
        }
      : {
          kind,
          issuer: text('settings.issuer'),
          clientId: text('settings.clientId'),
          scopes: text('settings.scopes'),
          logoutReturns: on('settings.logoutReturns'),
        };
  return {
    name: text('name'),
    settings,
    attributes: {
      email: text('attributes.email'),
      username: text('attributes.username'),
      firstName: text('attributes.firstName'),
      lastName: text('attributes.lastName'),
      groups: text('attributes.groups'),
      companyIdentifier: text('attributes.companyIdentifier'),
    },
    // What is none of the roles is refused by the command.
    creation: { on: on('creation.on'), role: (fields['creation.role'] ?? 'User') as 'User', groupIds },
    asksSecondFactor: on('asksSecondFactor'),
    ...(kind === 'oidc' ? { clientSecret: fields.clientSecret ?? '' } : {}),
  };
}

export interface Marks {
  /** The field that the problem is tied to. */
  wrong: string | null;
  errors: Fields;
  theirs: Fields;
}

export const noMarks: Marks = { wrong: null, errors: {}, theirs: {} };

/** "settings.certificates.2" is about the field "settings.certificates". */
const errorOf = (errors: Fields, name: string): string => {
  const key = Object.keys(errors).find((one) => one === name || one.startsWith(`${name}.`));
  return key === undefined ? '' : (errors[key] ?? '');
};

/** The schema of the protocol speaks to machines; people are told what belongs there. */
const readable = (error: string, wrong: string): string => (/^(Invalid|Too (small|big))/.test(error) ? wrong : error);

const all = (kind: Kind): Described[] => [...firstFields(kind), ...metadataFields(kind), ...attributesOf(kind)];

/** The field that a problem is tied to, if it is one of the form, and what is said of each. */
export function marksOf(kind: Kind, errors: Fields): Marks {
  const told = Object.fromEntries(
    all(kind).flatMap(({ name, wrong }) => {
      const error = errorOf(errors, name);
      return error === '' ? [] : [[name, readable(error, wrong)]];
    }),
  );
  const role = errorOf(errors, 'creation.role');
  const whole: Fields = role === '' ? told : { ...told, 'creation.role': role };
  const groups = errors.groups ?? errorOf(errors, 'creation.groupIds');
  return {
    wrong: Object.keys(whole)[0] ?? null,
    errors: groups === '' ? whole : { ...whole, groups },
    theirs: {},
  };
}

const noted = (name: string, { wrong, errors, theirs }: Marks) => ({
  isWrong: wrong === name,
  error: errors[name] ?? '',
  theirs: theirs[name] ?? '',
});

export const fieldOf = (described: Described, fields: Fields, marks: Marks): SsoField => ({
  name: described.name,
  label: described.label,
  kind: described.kind,
  value: fields[described.name] ?? '',
  help: described.help ?? '',
  optional: described.optional ?? false,
  maxLength: described.maxLength ?? 400,
  choices: [],
  ...noted(described.name, marks),
});

export const switchOf = (
  name: string,
  fields: Fields,
  marks: Marks,
  words: { label: string; help: string },
): SsoSwitch => ({ name, checked: fields[name] === 'yes', ...words, ...noted(name, marks) });

export const roleField = (fields: Fields, marks: Marks): SsoField => ({
  ...fieldOf({ name: 'creation.role', label: 'Role', kind: 'choice', wrong: '' }, fields, marks),
  choices: choosableRoles.map((role) => ({ value: role, label: role, selected: role === fields['creation.role'] })),
});

export const groupBoxes = (groups: readonly Group[], chosen: readonly string[]): GroupBox[] =>
  groups.map(({ id, name, isActive }) => ({ id, name, isActive, checked: chosen.includes(id) }));

const said = (name: string, value: string): string => {
  if (
    name === 'asksSecondFactor' ||
    name === 'creation.on' ||
    /(signRequests|wantEncrypted|allowIdpInitiated)$/.test(name)
  )
    return value === 'yes' ? 'on' : 'off';
  if (name === 'settings.certificates') return 'other certificates';
  return value === '' ? 'nothing' : value;
};

export const plain = (text = ''): string => text.replace(/\s+/g, ' ').trim();

/** Where somebody else's settings differ from what is in the form: what they saved. */
export function differences(kind: Kind, mine: Typed, theirs: Typed, groups: readonly Group[]): Fields {
  const found = Object.fromEntries(
    fieldNames(kind)
      .filter((name) => name !== 'clientSecret')
      .filter((name) => plain(mine.fields[name]) !== plain(theirs.fields[name]))
      .map((name) => [name, said(name, theirs.fields[name] ?? '')]),
  );
  if ([...mine.groupIds].sort().join() === [...theirs.groupIds].sort().join()) return found;
  const names = groups.filter(({ id }) => theirs.groupIds.includes(id)).map(({ name }) => name);
  return { ...found, groups: names.length === 0 ? 'no group' : names.join(', ') };
}
