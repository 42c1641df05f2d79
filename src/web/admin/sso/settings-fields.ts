// The fields of a connection's form, with their words.
import type { Connection } from '../../../domain/federation/connection.ts';
import type { SsoField } from './views.ts';

export type Kind = Connection['settings']['kind'];

export interface Described {
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
    name: 'settings.postsRequests',
    label: 'Send our requests by HTTP-POST',
    help: 'For an identity provider that takes no HTTP-Redirect.',
  },
  {
    name: 'settings.wantEncrypted',
    label: 'Take encrypted assertions only',
    help: 'What is not encrypted is refused.',
  },
  {
    name: 'settings.allowIdpInitiated',
    label: 'Allow logins that begin at the identity provider',
    help: 'For tiles on its start page. It needs the attribute CompanyIdentifier. People confirm here that they come from there, unless they are logged in already.',
  },
] as const;

const oidcSwitches = [
  {
    name: 'settings.logoutReturns',
    label: 'It knows our post-logout redirect URI',
    help: 'People who log out in a module come back to it after logging out there. Off: they are not sent there when a module waits for them.',
  },
] as const;

export const switchesOf = (kind: Kind) => (kind === 'saml' ? samlSwitches : oidcSwitches);

/** Switches of the form that are saved with it; Enable has a page that asks. */
export const plainSwitches = ['asksSecondFactor', 'creation.on'] as const;
