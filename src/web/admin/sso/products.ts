// Identity providers that companies use, each with the exact fields to be filled in there (B.5). Names of what is to be clicked are
// those of the product.
import type { Connection } from '../../../domain/federation/connection.ts';
import type { ssoAddresses } from '../../sso/connector.ts';
import type { Guide } from './views.ts';

type Attributes = Connection['attributes'];

export interface Product {
  key: string;
  name: string;
  kind: 'saml' | 'oidc';
  /** One line on the page where it is chosen. */
  words: string;
  isGeneric: boolean;
  steps: string[];
  attributes: Attributes;
  /** What the product calls the value of each attribute. */
  sources: Record<keyof Omit<Attributes, 'companyIdentifier'>, string>;
  attributesLead: string;
  /** Where the answers of it come from: how a connection is told to be of it. */
  hosts: RegExp | null;
}

const samlNames: Attributes = {
  email: 'Email',
  username: 'Username',
  firstName: 'FirstName',
  lastName: 'LastName',
  groups: 'Groups',
  companyIdentifier: 'CompanyIdentifier',
};

export const products: readonly Product[] = [
  {
    key: 'entra',
    name: 'Microsoft Entra ID',
    kind: 'saml',
    words: 'Formerly Azure Active Directory',
    isGeneric: false,
    steps: [
      'In the Microsoft Entra admin center open Enterprise applications > New application > Create your own application, and choose "Integrate any other application you don’t find in the gallery".',
      'Open Single sign-on > SAML, and fill in Basic SAML Configuration with the values below.',
      'Under Attributes & Claims add the claims below, without a namespace. Add a group claim: "Groups assigned to the application", source attribute Group ID.',
      'Assign people and groups under Users and groups.',
      'Copy the App Federation Metadata Url from SAML Certificates, and read it below.',
    ],
    attributes: { ...samlNames, groups: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups' },
    sources: {
      email: 'user.userprincipalname',
      username: 'user.userprincipalname',
      firstName: 'user.givenname',
      lastName: 'user.surname',
      groups: 'the group claim; it sends object ids',
    },
    attributesLead:
      'Claims to add. Send only the groups that are assigned to the application: above 150, Entra ID sends a link instead of the groups, and nothing is mapped.',
    hosts: /(^|\.)(sts\.windows\.net|login\.microsoftonline\.(com|us)|microsoftonline\.cn)$/,
  },
  {
    key: 'okta',
    name: 'Okta',
    kind: 'saml',
    words: 'Workforce Identity',
    isGeneric: false,
    steps: [
      'In the Okta Admin Console open Applications > Create App Integration, and choose SAML 2.0.',
      'Fill in General with the values below. Name ID format: Persistent; Application username: Okta username.',
      'Add the attribute statements below, with the name format Unspecified, and the group attribute statement Groups with a filter for the groups that count here.',
      'Assign people and groups under Assignments.',
      'Copy the Metadata URL from the tab Sign On, and read it below.',
    ],
    attributes: samlNames,
    sources: {
      email: 'user.email',
      username: 'user.login',
      firstName: 'user.firstName',
      lastName: 'user.lastName',
      groups: 'a group attribute statement, such as Matches regex .*',
    },
    attributesLead: 'Attribute statements to add.',
    hosts: /(^|\.)okta(preview|-emea)?\.com$/,
  },
  {
    key: 'google',
    name: 'Google Workspace',
    kind: 'saml',
    words: 'Custom SAML app of the Admin console',
    isGeneric: false,
    steps: [
      'In the Google Admin console open Apps > Web and mobile apps > Add app > Add custom SAML app.',
      'Download the metadata on the page Google Identity Provider details, and upload it below.',
      'Fill in Service provider details with the values below. Name ID format: PERSISTENT; Name ID: Basic Information > Primary email. Tick Signed response.',
      'Add the attribute mappings below. Google has no fixed values: make a custom user attribute that holds the CompanyIdentifier, and map it. Choose the groups under Group membership, app attribute Groups.',
      'Turn the app on for the people who shall use it.',
      'Modules that ask for a fresh login cannot get one from Google, which lets its session stand. If you have such modules, turn on Ask for 2FA as well under Settings: our own second factor counts as one.',
    ],
    attributes: samlNames,
    sources: {
      email: 'Basic Information > Primary email',
      username: 'Basic Information > Primary email',
      firstName: 'Basic Information > First name',
      lastName: 'Basic Information > Last name',
      groups: 'Group membership; it sends the names of the groups',
    },
    attributesLead: 'Attribute mappings to add: 75 groups at most can be chosen.',
    hosts: /(^|\.)accounts\.google\.com$/,
  },
  {
    key: 'adfs',
    name: 'AD FS',
    kind: 'saml',
    words: 'Active Directory Federation Services',
    isGeneric: false,
    steps: [
      'In AD FS Management open Relying Party Trusts > Add Relying Party Trust > Claims aware, and import our metadata from the address below.',
      'Under Edit Claim Issuance Policy add a rule "Send LDAP Attributes as Claims" with the claims below. Type their names as they stand here.',
      'Add a rule "Send Claims Using a Custom Rule": => issue(Type = "CompanyIdentifier", Value = the value below in quotes);',
      'Add a rule that sends the objectGUID or the User Principal Name as Name ID.',
      'Read the metadata below: https://your server/FederationMetadata/2007-06/FederationMetadata.xml.',
    ],
    attributes: samlNames,
    sources: {
      email: 'E-Mail-Addresses',
      username: 'User-Principal-Name',
      firstName: 'Given-Name',
      lastName: 'Surname',
      groups: 'Token-Groups - Unqualified Names',
    },
    attributesLead: 'Claims to issue. Set the secure hash algorithm of the trust to SHA-256.',
    hosts: null,
  },
  {
    key: 'saml',
    name: 'Other SAML 2.0',
    kind: 'saml',
    words: 'Any identity provider that speaks SAML 2.0',
    isGeneric: true,
    steps: [
      'Add this service to your identity provider with the values below, or let it read our metadata.',
      'Let it sign its assertions with RSA-SHA256, and send a Name ID that stays the same for a person.',
      'Let it send the attributes below.',
      'Bring back its metadata: an address, or a file.',
    ],
    attributes: samlNames,
    sources: {
      email: 'the e-mail address',
      username: 'the user name',
      firstName: 'the first name',
      lastName: 'the last name',
      groups: 'the groups, one value each',
    },
    attributesLead: 'Attributes to send.',
    hosts: null,
  },
  {
    key: 'oidc',
    name: 'OpenID Connect',
    kind: 'oidc',
    words: 'Entra ID, Okta, Google, Keycloak and others, without SAML',
    isGeneric: true,
    steps: [
      'Register a confidential web application at your identity provider, with the code flow and the redirect URI below.',
      'Let it put the claims below into the ID token.',
      'Bring back its issuer, the client id and the client secret.',
    ],
    attributes: {
      email: 'email',
      username: 'preferred_username',
      firstName: 'given_name',
      lastName: 'family_name',
      groups: 'groups',
      companyIdentifier: '',
    },
    sources: {
      email: 'with email_verified',
      username: 'the user name',
      firstName: 'the first name',
      lastName: 'the last name',
      groups: 'a list; often to be turned on',
    },
    attributesLead: 'Claims that are read.',
    hosts: null,
  },
];

export const findProduct = (key: string): Product | null => products.find((one) => one.key === key) ?? null;

const hostOf = (address: string): string => (URL.canParse(address) ? new URL(address).hostname : '');

/** Of which product a connection is, told by where its answers come from; nobody has to say it twice. */
export function productOf(settings: Connection['settings']): Product {
  // Both stand in the list above.
  const generic = findProduct(settings.kind) as Product;
  if (settings.kind === 'oidc') return generic;
  const host = hostOf(settings.ssoUrl);
  const byHost = products.find(({ hosts }) => hosts?.test(host));
  return byHost ?? (/\/adfs\//i.test(settings.ssoUrl) ? (findProduct('adfs') ?? generic) : generic);
}

export interface GuideFacts {
  addresses: ReturnType<typeof ssoAddresses>;
  companyIdentifier: string;
  /** As a connection has them; else those that the product begins with. */
  attributes?: Attributes;
  /** Of one that is here already: its own addresses. */
  connectionId?: string;
}

/** What each product calls the two addresses. */
const fieldNames: Record<string, { entityId: string; acs: string }> = {
  entra: { entityId: 'Identifier (Entity ID)', acs: 'Reply URL (Assertion Consumer Service URL)' },
  okta: { entityId: 'Audience URI (SP Entity ID)', acs: 'Single sign-on URL' },
  google: { entityId: 'Entity ID', acs: 'ACS URL' },
  adfs: { entityId: 'Relying party trust identifier', acs: 'SAML Assertion Consumer Endpoint (POST)' },
  saml: { entityId: 'Entity ID (audience)', acs: 'Assertion Consumer Service URL (HTTP-POST)' },
};

const attributeOrder = ['email', 'username', 'firstName', 'lastName', 'groups'] as const;

const needs: Record<(typeof attributeOrder)[number], string> = {
  email: 'needed',
  username: 'the e-mail counts where it is missing',
  firstName: 'needed for new people',
  lastName: 'needed for new people',
  groups: 'for mapping rules',
};

export function guideOf(
  product: Product,
  { addresses, companyIdentifier, attributes, connectionId }: GuideFacts,
): Guide {
  const names = attributes ?? product.attributes;
  const called = fieldNames[product.key];
  const values =
    product.kind === 'oidc'
      ? [
          { label: 'Redirect URI', value: addresses.oidcCallback, note: '' },
          {
            label: 'Post-logout redirect URI',
            value: addresses.loggedOut,
            note: 'Only where single logout is wanted; then say so in the settings here.',
          },
          ...(connectionId === undefined
            ? []
            : [
                {
                  label: 'Back-channel logout URI',
                  value: `${addresses.oidcLogout}/${connectionId}`,
                  note: 'Whoever logs out there is logged out here at once.',
                },
              ]),
        ]
      : [
          { label: called?.entityId ?? 'Entity ID', value: addresses.entityId, note: '' },
          { label: called?.acs ?? 'ACS URL', value: addresses.acs, note: '' },
          { label: 'Metadata', value: addresses.metadata, note: 'All of this in one file, with our certificate.' },
          { label: 'Logout URL', value: addresses.logout, note: 'Only where single logout is wanted.' },
        ];
  const company =
    product.kind === 'saml' && names.companyIdentifier !== ''
      ? [
          {
            name: names.companyIdentifier,
            value: companyIdentifier,
            isCopied: true,
            note: 'a fixed value: the address is the same for all companies',
          },
        ]
      : [];
  return {
    title: `At ${product.isGeneric ? 'your identity provider' : product.name}`,
    steps: product.steps,
    values,
    attributesLead: product.attributesLead,
    attributes: [
      ...attributeOrder
        .filter((name) => names[name] !== '')
        .map((name) => ({ name: names[name], value: product.sources[name], isCopied: false, note: needs[name] })),
      ...company,
    ],
  };
}
