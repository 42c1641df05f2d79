// The products that B.8 names, as data. A registered module keeps a copy of its profile, so that a newer catalogue changes nobody's
// module behind their back.
import { type Profile, profileSchema } from './profile.ts';

export interface Product {
  key: string;
  name: string;
  profile: Profile;
}

type Given = Parameters<typeof profileSchema.parse>[0];

const all = ['userImport', 'require', 'provision', 'deprovision', 'accessGroups', 'events'];
const permission = (label: string, choices: string[]) => ({ name: 'permission', label, type: 'permission', choices });
const timeZone = { name: 'timeZone', label: 'Time-zone', type: 'timeZone' };
const choice = (name: string, label: string, choices: string[]) => ({ name, label, type: 'choice', choices });
const text = (name: string, label: string) => ({ name, label, type: 'text' });

const product = (key: string, name: string, profile: Given): Product => ({
  key,
  name,
  profile: profileSchema.parse(profile),
});

export const catalogue: Product[] = [
  product('workplace', 'Datto Workplace', {
    capabilities: all,
    fields: [permission('Permissions', ['Read only', 'Team Access', 'Full Access']), timeZone],
    administrators: ['Full Access'],
    place: 'Settings > Integration Center',
    enabler: 'Superuser',
  }),
  product('rmm', 'Datto RMM', {
    capabilities: all,
    severalMatches: 'firstUsername',
    fields: [permission('Security Level', ['Read only', 'Technician', 'Administrator'])],
    administrators: ['Administrator'],
    permissionMode: 'many',
    place: 'Setup > Integrations > KaseyaOne',
    enabler: 'Administrator',
    note: 'All people of the company get the tile. While access groups are on, they govern the security levels.',
  }),
  product('autotask', 'Autotask PSA', {
    capabilities: ['userImport', 'require', 'provision', 'deprovision', 'accessGroups'],
    fields: [
      permission('Security Level', ['Time & Attendance Only', 'Team Member', 'System Administrator']),
      text('department', 'Department'),
      text('primaryLocation', 'Primary Location'),
      text('lineOfBusiness', 'Line of Business'),
    ],
    administrators: ['System Administrator'],
    place: 'Admin > Extensions & Integrations > Kaseya Integrations > KaseyaOne',
    enabler: 'System Administrator',
    note: 'Dashboard Users, Co-Managed Help Desk Users and Contractors cannot use it. Exempt people log in at an address of their own.',
  }),
  product('bms', 'BMS / Vorex', {
    capabilities: ['userImport', 'require', 'provision', 'deprovision', 'accessGroups'],
    fields: [
      text('department', 'Department'),
      text('location', 'Location'),
      text('manager', 'Manager'),
      text('jobTitle', 'Job Title'),
      choice('employmentType', 'Employment Type', ['Full time', 'Part time', 'Contractor']),
      permission('Security Role', ['Employee', 'Technician', 'Administrator']),
      choice('employeeRole', 'Employee Role', ['Employee', 'Supervisor', 'Manager']),
    ],
    administrators: ['Administrator'],
    place: 'Admin > My Company > KaseyaOne Settings',
    enabler: 'Administrator',
  }),
  product('partner-portal', 'Datto Partner Portal', {
    capabilities: ['require', 'provision', 'deprovision'],
    linkMode: 'emailOrUsername',
    fields: [permission('Role', ['Basic Access', 'Tech', 'Security Admin'])],
    administrators: ['Security Admin'],
    place: 'Admin > Security Settings > Single Sign-on (SSO)',
    enabler: 'Security Admin',
    note: 'Also the way into BCDR and Cloud Continuity. Several accounts with one address: the person chooses after the login.',
  }),
  product('edr', 'Datto EDR', {
    capabilities: ['userImport', 'require', 'provision', 'deprovision', 'accessGroups'],
    fields: [permission('Role', ['Analyst', 'Administrator'])],
    administrators: ['Administrator'],
    place: 'Admin > Settings > KaseyaOne',
    enabler: 'Administrator',
  }),
  product('it-glue', 'IT Glue', {
    capabilities: ['userImport', 'require', 'provision', 'deprovision', 'accessGroups'],
    fields: [permission('Role', ['Lite', 'Creator', 'Editor', 'Manager', 'Administrator'])],
    administrators: ['Administrator'],
    place: 'Account > Settings > Authentication',
    enabler: 'Administrator',
    note: 'With enforced login exempt people use a separate override address, on the web only.',
  }),
  product('vsa', 'VSA 10', {
    capabilities: ['require', 'provision', 'deprovision', 'accessGroups'],
    fields: [permission('Team', ['Users', 'Administrators'])],
    administrators: ['Administrators'],
    permissionMode: 'many',
    place: 'Administration > Configuration > Settings > Log In with KaseyaOne',
    enabler: 'member of the team Administrators',
    note: 'Disabling logs you out.',
  }),
  product('bullphish', 'BullPhish ID', {
    capabilities: ['require', 'provision', 'deprovision'],
    fields: [permission('Access role', ['User', 'Administrator'])],
    administrators: ['Administrator'],
    deletion: 'disable',
    place: 'Settings > KaseyaOne',
    note: 'Nothing is deleted there: whoever is deleted here is deactivated there.',
  }),
  product('dark-web-id', 'Dark Web ID', {
    capabilities: ['require', 'provision', 'deprovision'],
    fields: [permission('Role', ['User', 'Administrator'])],
    administrators: ['Administrator'],
    place: 'My Account > Organization Settings > KaseyaOne',
  }),
  product('graphus', 'Graphus', {
    capabilities: ['require', 'provision', 'deprovision'],
    linkMode: 'explicit',
    fields: [permission('Role', ['Analyst', 'Administrator'])],
    administrators: ['Administrator'],
    place: 'MSP Administration > KaseyaOne',
    note: 'People of KaseyaOne have no local password there.',
  }),
  product('vpentest', 'vPenTest', {
    capabilities: ['require', 'provision', 'deprovision'],
    fields: [permission('Role', ['Member', 'Administrator'])],
    administrators: ['Administrator'],
    place: 'Global Settings > KaseyaOne',
  }),
  product('myitprocess', 'myITprocess', {
    capabilities: ['require', 'provision', 'deprovision'],
    fields: [permission('Role', ['vCIO', 'IT provider admin'])],
    administrators: ['IT provider admin'],
    derivation: {
      'Root Admin': 'IT provider admin',
      Admin: 'IT provider admin',
      'Billing and Purchasing': 'vCIO',
      User: 'vCIO',
    },
    place: 'Account Settings > KaseyaOne',
  }),
  product('rocketcyber', 'RocketCyber', {
    capabilities: [],
    linkMode: 'explicit',
    place: 'Provider Settings',
    enabler: 'Owner',
    note: 'Each person logs in there one last time to tie both accounts.',
  }),
  product('siem', 'Kaseya SIEM', {
    capabilities: ['provision', 'deprovision'],
    place: 'Settings > Users',
    enabler: 'MSP Admin',
    note: 'New people have no role, group or organization there until an MSP Admin gives them one.',
  }),
  product('saas-alerts', 'SaaS Alerts', {
    capabilities: ['provision'],
    place: 'Settings > Users',
    note: 'Rights of new people are to be looked at afterwards.',
  }),
  product('spanning', 'Spanning', { capabilities: [], place: 'Settings > Integrations' }),
  product('quote-manager', 'Kaseya Quote Manager', { capabilities: [], place: '' }),
  product('unitrends', 'Unitrends / UniView', { capabilities: [], place: '' }),
  product('compliance-manager', 'Compliance Manager', { capabilities: [], place: '' }),
];

export const findProduct = (key: string): Product | null => catalogue.find((one) => one.key === key) ?? null;
