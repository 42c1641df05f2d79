import { switchIpList } from '../domain/companies/commands.ts';
import type { Company } from '../domain/companies/company.ts';
import { createGroup } from '../domain/groups/commands.ts';
import { inviteRoot } from '../domain/users/commands.ts';
import { createCompany } from '../domain/users/company-commands.ts';
import { invalid, notFound } from '../lib/errors.ts';
import { transaction, type Work } from '../work.ts';
import type { Command } from './commands.ts';

/** By name or by login slug. @throws AppError 404 */
export async function getCompany(work: Work, name: string): Promise<Company> {
  const company = (await work.store.companies.findByName(name)) ?? (await work.store.companies.findBySlug(name));
  if (!company) throw notFound(`company "${name}"`);
  return company;
}

function parsePolicy(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('--policy takes JSON, such as {"lock":{"threshold":5,"minutes":10}}.');
  }
}

const createCompanyCommand: Command = {
  name: 'create-company',
  summary: 'Makes a company with its two system groups, and invites its Root Admin if one is named',
  options: {
    name: { about: 'Name that people type to sign in', required: true },
    policy: { about: 'JSON with what differs from the default policy (password, lock, session, ...)' },
    'root-email': { about: 'E-mail of the Root Admin' },
    'root-username': { about: 'Username of the Root Admin; the e-mail otherwise' },
    'root-first-name': { about: 'First name of the Root Admin' },
    'root-last-name': { about: 'Last name of the Root Admin' },
  },
  async run({ work, options }) {
    const email = options.text('root-email');
    const { company, root } = await transaction(work, async (work) => {
      const company = await createCompany(work, {
        name: options.need('name'),
        policy: parsePolicy(options.text('policy')),
      });
      if (email === undefined) return { company, root: null };
      const root = await inviteRoot(work, company, {
        email,
        username: options.text('root-username') ?? email,
        firstName: options.text('root-first-name') ?? 'Root',
        lastName: options.text('root-last-name') ?? 'Admin',
      });
      return { company, root };
    });
    const loginUrl = `${work.config.publicUrl}/login/${company.loginSlug}`;
    return {
      json: {
        id: company.id,
        name: company.name,
        slug: company.loginSlug,
        loginUrl,
        ...(root ? { root: { id: root.user.id, username: root.user.username, invitation: root.invitation } } : {}),
      },
      text: [
        `Company ${company.name} is made. People log in at ${loginUrl}`,
        ...(root ? [`The Root Admin signs up with ${root.invitation}`] : []),
      ].join('\n'),
    };
  },
};

const createGroupCommand: Command = {
  name: 'create-group',
  summary: 'Makes an access group in a company',
  options: {
    company: { about: 'Name or slug of the company', required: true },
    name: { about: 'Name of the group, case-sensitive', required: true },
    inactive: { about: 'Make it inactive: it opens nothing until it is activated', type: 'boolean' },
  },
  async run({ work, options }) {
    const company = await getCompany(work, options.need('company'));
    const group = await createGroup(work, company.id, {
      name: options.need('name'),
      isActive: options.flag('inactive') !== true,
    });
    return { json: group, text: `Group ${group.name} is made.` };
  },
};

const ipListCommand: Command = {
  name: 'ip-list',
  summary: 'Shows the IP access list of a company, or turns it off: the way out for who is locked out by it',
  options: {
    company: { about: 'Name or slug of the company', required: true },
    off: { about: 'Turn it off: people log in from anywhere again; the entries stay', type: 'boolean' },
  },
  async run({ work, options }) {
    const company = await getCompany(work, options.need('company'));
    const isOff = options.flag('off') === true;
    const wasOn = company.policy.ipList.enabled;
    if (isOff) await switchIpList(work, company.id, false);
    const entries = await work.store.of(company.id).ipEntries.list();
    const enabled = wasOn && !isOff;
    return {
      json: { company: company.name, enabled, entries: entries.map(({ network, note }) => ({ network, note })) },
      text: [
        `The IP access list of ${company.name} is ${enabled ? 'on: only these may log in' : 'off: people log in from anywhere'}.`,
        ...entries.map(({ network, note }) => `  ${network}${note === '' ? '' : `  ${note}`}`),
      ].join('\n'),
    };
  },
};

export const companyCommands: Command[] = [createCompanyCommand, createGroupCommand, ipListCommand];
