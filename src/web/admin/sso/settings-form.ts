// A connection as fields of a form, and a form as a connection. Fields are named as the command names what it refuses.
import { readCertificates } from '../../../domain/federation/certificate.ts';
import type { Connection } from '../../../domain/federation/connection.ts';
import type { ConnectionInput } from '../../../domain/federation/connection-commands.ts';
import type { ReadMetadata } from '../../../domain/federation/metadata.ts';
import type { Group } from '../../../domain/groups/group.ts';
import { choosableRoles } from '../../../domain/roles/role.ts';
import { invalid } from '../../../lib/errors.ts';
import type { GroupBox, SsoField, SsoSwitch } from './views.ts';

export type Fields = Record<string, string>;
export type Kind = Connection['settings']['kind'];

interface Described {
  name: string;
  label: string;
  kind: SsoField['kind'];
  help?: string;
  optional?: boolean;
  maxLength?: number;
  /** What is said instead of what the schema says of a value that is none. */
  wrong: string;
}

const connectionName: Described = {
  name: 'name',
  label: 'Name',
  kind: 'text',
  maxLength: 80,
  help: 'People read it on the login page, such as "Northwind".',
  wrong: 'Enter a name.',
};

const samlFields: readonly Described[] = [
  {
    name: 'settings.ssoUrl',
    label: 'Identity Provider Single Sign-On URL',
    kind: 'url',
    maxLength: 2000,
    wrong: 'Enter the whole address, such as https://idp.example.com/sso.',
  },
  {
    name: 'settings.entityId',
    label: 'Issuer',
    kind: 'text',
    maxLength: 1024,
    help: 'Its entity id, exactly as it sends it.',
    wrong: 'Enter the issuer.',
  },
  {
    name: 'settings.certificates',
    label: 'Certificates',
    kind: 'lines',
    maxLength: 20_000,
    help: 'PEM, one below the other: up to four, such as the present and the next one.',
    wrong: 'Enter one to four certificates in PEM, with RSA keys of 2048 bits at least.',
  },
  {
    name: 'settings.sloUrl',
    label: 'Single logout URL',
    kind: 'url',
    optional: true,
    maxLength: 2000,
    help: 'Logging out here logs out there, too.',
    wrong: 'Enter the whole address, or nothing.',
  },
];

const metadataField: Described = {
  name: 'settings.metadataUrl',
  label: 'Metadata URL',
  kind: 'url',
  optional: true,
  maxLength: 2000,
  help: 'Read every day: a new certificate is taken over beside the present ones, anything else is told to you.',
  wrong: 'Enter the whole address, or nothing.',
};

const oidcFields: readonly Described[] = [
  {
    name: 'settings.issuer',
    label: 'Issuer',
    kind: 'url',
    maxLength: 2000,
    help: 'Such as https://login.example.com. Its keys and addresses are read from there.',
    wrong: 'Enter the whole address of the issuer.',
  },
  { name: 'settings.clientId', label: 'Client ID', kind: 'text', maxLength: 400, wrong: 'Enter the client id.' },
  {
    name: 'clientSecret',
    label: 'Client secret',
    kind: 'password',
    maxLength: 2000,
    wrong: 'Enter the client secret.',
  },
  {
    name: 'settings.scopes',
    label: 'Scopes',
    kind: 'text',
    maxLength: 400,
    help: 'openid has to be among them; some identity providers want groups, too.',
    wrong: 'Enter the scopes.',
  },
];

const attributeFields: readonly Described[] = (
  [
    ['email', 'E-mail', false],
    ['username', 'Username', true],
    ['firstName', 'First name', true],
    ['lastName', 'Last name', true],
    ['groups', 'Groups', true],
  ] as const
).map(([name, label, optional]) => ({
  name: `attributes.${name}`,
  label,
  kind: 'text',
  optional,
  maxLength: 400,
  wrong: 'Enter the name of the attribute.',
}));

const companyField: Described = {
  name: 'attributes.companyIdentifier',
  label: 'Company identifier',
  kind: 'text',
  optional: true,
  maxLength: 400,
  help: 'Needed for logins that begin at the identity provider. When it comes, it has to be yours.',
  wrong: 'Enter the name of the attribute.',
};

export const protocolFields = (kind: Kind): readonly Described[] => (kind === 'saml' ? samlFields : oidcFields);

export const attributesOf = (kind: Kind): readonly Described[] =>
  kind === 'saml' ? [...attributeFields, companyField] : attributeFields;

export const firstFields = (kind: Kind): readonly Described[] => [connectionName, ...protocolFields(kind)];

export const metadataFields = (kind: Kind): readonly Described[] => (kind === 'saml' ? [metadataField] : []);

const samlSwitches = [
  {
    name: 'settings.signRequests',
    label: 'Sign our requests',
    help: 'With the key whose certificate stands in our metadata.',
  },
  {
    name: 'settings.wantEncrypted',
    label: 'Take encrypted assertions only',
    help: 'What is not encrypted is refused.',
  },
  {
    name: 'settings.allowIdpInitiated',
    label: 'Allow logins that begin at the identity provider',
    help: 'For tiles on its start page. It needs the attribute CompanyIdentifier.',
  },
] as const;

export const switchesOf = (kind: Kind) => (kind === 'saml' ? samlSwitches : []);

/** Switches of the form that are saved with it; Enable has a page that asks. */
const plainSwitches = ['asksSecondFactor', 'creation.on'] as const;

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
          'settings.wantEncrypted': on(settings.wantEncrypted),
          'settings.allowIdpInitiated': on(settings.allowIdpInitiated),
        }
      : {
          'settings.issuer': settings.issuer,
          'settings.clientId': settings.clientId,
          'settings.scopes': settings.scopes,
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
          wantEncrypted: on('settings.wantEncrypted'),
          allowIdpInitiated: on('settings.allowIdpInitiated'),
        }
      : {
          kind,
          issuer: text('settings.issuer'),
          clientId: text('settings.clientId'),
          scopes: text('settings.scopes'),
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

const plain = (text = ''): string => text.replace(/\s+/g, ' ').trim();

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
