// What the demo shows: a company, its people and access groups, and two modules. Made once through the operator's commands.
import { randomBytes, randomInt } from 'node:crypto';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SeedUser } from './module/config.ts';
import { createLook } from './module/look.ts';

export interface DemoPerson {
  role: string;
  firstName: string;
  lastName: string;
  username: string;
  email: string;
  password: string;
  totpSecret: string;
  state: 'Active' | 'LockedOut';
  groups: string[];
}

export interface DemoState {
  company: { name: string; slug: string };
  people: DemoPerson[];
  clients: DemoClient[];
}

/** What a module needs at its first start. Data of an earlier version have less. */
export interface DemoClient {
  clientId: string;
  clientSecret: string;
  scimToken?: string;
  instanceId?: string;
  credential?: string;
}

type RunCommand = (args: string[], input?: string) => Promise<Record<string, unknown>>;

const companyName = 'Northwind IT';
/** What the modules call the company. */
export const tenantId = 'northwind';
const allModules = 'All Module Access';

const cast: Pick<DemoPerson, 'role' | 'firstName' | 'lastName' | 'username' | 'state' | 'groups'>[] = [
  { role: 'Root Admin', firstName: 'Ada', lastName: 'Root', username: 'ada', state: 'Active', groups: [allModules] },
  { role: 'Admin', firstName: 'Alan', lastName: 'Admin', username: 'alan', state: 'Active', groups: [allModules] },
  {
    role: 'Billing and Purchasing',
    firstName: 'Bea',
    lastName: 'Billing',
    username: 'bea',
    state: 'Active',
    groups: [allModules],
  },
  { role: 'User', firstName: 'Ben', lastName: 'User', username: 'ben', state: 'Active', groups: ['Workplace Team'] },
  {
    role: 'Co-Managed User',
    firstName: 'Cleo',
    lastName: 'Partner',
    username: 'cleo',
    state: 'Active',
    groups: ['Helpdesk Team'],
  },
  { role: 'User', firstName: 'Lou', lastName: 'Locked', username: 'lou', state: 'LockedOut', groups: [allModules] },
];

/** People whom a module alone knows: they can be imported from there, but for the last three, each for a reason of its own. */
const moduleOnly: (Pick<SeedUser, 'name' | 'role' | 'email'> & Partial<SeedUser>)[] = [
  { name: 'Grace Hopper', role: 'Full Access', email: 'grace.hopper@northwind.example' },
  { name: 'Zoë Ångström', role: 'Team Access', email: 'zoe@northwind.example' },
  { name: "Sinéad O'Brien", role: 'Team Access', email: 'sinead@northwind.example' },
  { name: 'Nikolai Rimsky-Korsakow', role: 'Read only', email: 'nikolai@northwind.example' },
  { name: 'Maximiliane Long', role: 'Read only', email: 'maximiliane.von.und.zu.long@workshops.northwind.example' },
  { name: 'Shared', role: 'Read only', email: 'frontdesk@northwind.example' },
  { name: 'Sue Spended', role: 'Read only', email: 'sue@northwind.example', status: 'suspended' },
];

/** Accounts that a module has of its own; KaseyaOne people are matched to them by verified e-mail. */
function accountsFor(roles: Record<string, string>, roleOf = (role: string) => role) {
  return (people: DemoPerson[]) => [
    ...people
      .filter(({ username }) => roles[username])
      .map(({ email, firstName, lastName, username, password }) => ({
        email,
        name: `${firstName} ${lastName}`,
        role: roles[username] ?? '',
        timeZone: 'Europe/Berlin',
        password,
      })),
    ...moduleOnly.map((one) => ({ timeZone: 'Europe/Berlin', ...one, role: roleOf(one.role) })),
  ];
}

/** A product like BMS: its own fields, its own permissions, and nothing is ever deleted there. */
const helpdeskPermissions = ['Employee', 'Technician', 'Administrator'];
const helpdeskProfile = {
  capabilities: ['userImport', 'require', 'provision', 'deprovision', 'accessGroups', 'events'],
  fields: [
    { name: 'department', label: 'Department', type: 'text' },
    { name: 'location', label: 'Location', type: 'text' },
    { name: 'manager', label: 'Manager', type: 'text' },
    { name: 'jobTitle', label: 'Job Title', type: 'text' },
    {
      name: 'employmentType',
      label: 'Employment Type',
      type: 'choice',
      choices: ['Full time', 'Part time', 'Contractor'],
    },
    { name: 'permission', label: 'Security Role', type: 'permission', choices: helpdeskPermissions },
    { name: 'employeeRole', label: 'Employee Role', type: 'choice', choices: ['Employee', 'Supervisor', 'Manager'] },
  ],
  administrators: ['Administrator'],
  place: 'Settings > Integration Center',
  enabler: 'Administrator',
};

export const modules = [
  {
    name: 'Workplace',
    port: 4000,
    url: 'http://localhost:4000',
    group: 'Workplace Team',
    /** Of the catalogue; null: the profile above. */
    product: 'workplace',
    permissions: ['Read only', 'Team Access', 'Full Access'],
    administrators: ['Full Access'],
    accounts: accountsFor({
      ada: 'Full Access',
      alan: 'Full Access',
      bea: 'Read only',
      ben: 'Team Access',
      lou: 'Team Access',
    }),
  },
  {
    name: 'Helpdesk',
    port: 4001,
    url: 'http://localhost:4001',
    group: 'Helpdesk Team',
    product: null,
    permissions: helpdeskPermissions,
    administrators: ['Administrator'],
    accounts: accountsFor({ ada: 'Administrator', alan: 'Administrator', cleo: 'Technician' }, (role) => {
      if (role === 'Full Access') return 'Administrator';
      return role === 'Team Access' ? 'Technician' : 'Employee';
    }),
  },
];

const words = [
  'Amber',
  'Birch',
  'Copper',
  'Delta',
  'Ember',
  'Fjord',
  'Granite',
  'Harbour',
  'Indigo',
  'Juniper',
  'Lagoon',
  'Meadow',
  'Nimbus',
  'Opal',
  'Pebble',
  'Quartz',
];

/** Random, since no account may have a password that is printed in a manual (AUT-11). */
function newPassword(): string {
  const pick = () => words[randomInt(words.length)];
  return `${pick()}-${pick()}-${pick()}-${randomInt(10, 100)}`;
}

function newTotpSecret(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  // 32 letters of 5 bits: a byte's low five bits are uniform.
  return [...randomBytes(32)].map((byte) => alphabet[byte & 31]).join('');
}

const stateFile = (dataDir: string) => join(dataDir, 'demo.json');

export function isSeeded(dataDir: string): Promise<boolean> {
  return access(stateFile(dataDir)).then(
    () => true,
    () => false,
  );
}

/** Reads what the first start made; makes it when there is none. */
export async function loadOrSeed(dataDir: string, run: RunCommand): Promise<DemoState> {
  const file = stateFile(dataDir);
  const known = await readFile(file, 'utf8').catch(() => null);
  if (known !== null) return JSON.parse(known);
  const state = await seed(run, dataDir);
  await mkdir(dataDir, { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return state;
}

async function seed(run: RunCommand, dataDir: string): Promise<DemoState> {
  const company = await run(['create-company', '--name', companyName]);
  const slug = String(company.slug);
  const registered = await Promise.all(modules.map((module) => register(run, dataDir, module)));
  const clients: DemoClient[] = [];
  for (const [i, module] of modules.entries()) {
    await run(['create-group', '--company', slug, '--name', module.group]);
    clients.push(await connect(run, slug, module, registered[i] ?? { clientId: '', clientSecret: '' }));
  }
  const people = cast.map(
    (person): DemoPerson => ({
      ...person,
      email: `${person.username}@northwind.example`,
      password: newPassword(),
      totpSecret: newTotpSecret(),
    }),
  );
  const lines = people.map((person) => JSON.stringify(person)).join('\n');
  await run(['create-user', '--company', slug, '--bulk-stdin'], lines);
  return { company: { name: companyName, slug }, people, clients };
}

/** As the ceremony would do it, by the operator: the modules of the demo start connected. */
async function connect(
  run: RunCommand,
  slug: string,
  { url, group }: (typeof modules)[number],
  client: DemoClient,
): Promise<DemoClient> {
  const made = await run(
    [
      'connect-module',
      ...['--company', slug, '--client-id', client.clientId, '--group', group],
      ...['--tenant', tenantId, '--landing-url', `${url}/`, '--initiate-login-uri', `${url}/initiate-login`],
      ...['--scim-url', `${url}/scim/v2`, '--events-url', `${url}/events`],
      ...['--local-login-url', `${url}/login/local`],
    ],
    client.scimToken,
  );
  return { ...client, instanceId: String(made.instanceId), credential: String(made.credential) };
}

async function register(
  run: RunCommand,
  dataDir: string,
  { name, url, product }: (typeof modules)[number],
): Promise<DemoClient> {
  const icon = join(dataDir, `${name.toLowerCase()}.svg`);
  await writeFile(icon, createLook(name.toLowerCase()).assets.get('/icon.svg')?.body ?? '');
  const profile = join(dataDir, `${name.toLowerCase()}-profile.json`);
  if (product === null) await writeFile(profile, JSON.stringify(helpdeskProfile));
  const made = await run([
    'create-module',
    ...['--name', name, '--icon-file', icon],
    ...['--redirect-uri', `${url}/callback`],
    ...['--post-logout-redirect-uri', `${url}/login`],
    ...['--initiate-login-uri', `${url}/initiate-login`],
    ...['--backchannel-logout-uri', `${url}/backchannel-logout`],
    ...(product === null ? ['--profile-file', profile] : ['--product', product]),
  ]);
  const scimToken = randomBytes(32).toString('base64url');
  return { clientId: String(made.client_id), clientSecret: String(made.client_secret), scimToken };
}
