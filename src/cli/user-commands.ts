import { z } from 'zod';
import type { Company } from '../domain/companies/company.ts';
import { roles } from '../domain/roles/role.ts';
import {
  activateUser,
  createReadyUser,
  deactivateUser,
  inviteUser,
  recoverRoot,
  unlockUser,
} from '../domain/users/commands.ts';
import { fieldProblems } from '../domain/users/fields.ts';
import type { NewUser } from '../domain/users/invite-commands.ts';
import { statusOf, type User } from '../domain/users/user.ts';
import { invalid, notFound } from '../lib/errors.ts';
import type { CompanyId } from '../lib/ids.ts';
import type { Work } from '../work.ts';
import type { Command, CommandInput, CommandResult } from './commands.ts';
import { getCompany } from './company-commands.ts';
import { type OptionSpecs, Unconfirmed } from './options.ts';

const recordSchema = z.object({
  username: z.string().optional(),
  email: z.string(),
  firstName: z.string().default('New'),
  lastName: z.string().default('Person'),
  role: z.enum(roles).default('User'),
  groups: z.array(z.string()).optional(),
  password: z.string().optional(),
  totpSecret: z
    .string()
    .regex(/^[A-Z2-7]{16,}=*$/i, 'must be base32')
    .optional(),
  mustChangePassword: z.boolean().default(false),
  emailVerified: z.boolean().default(true),
});

type Entry = z.output<typeof recordSchema>;

async function create(work: Work, companyId: CompanyId, entry: Entry): Promise<{ user: User; invitation?: string }> {
  const { email, firstName, lastName, role, groups } = entry;
  const person = { email, username: entry.username ?? email, firstName, lastName, ...(groups ? { groups } : {}) };
  if (entry.password === undefined) {
    if (role === 'Root Admin') throw invalid('The Root Admin is invited by create-company, or made with a password.');
    return inviteUser(work, companyId, { ...person, role } satisfies NewUser);
  }
  const ready = {
    password: entry.password,
    totpSecret: entry.totpSecret?.toUpperCase().replaceAll('=', '') ?? null,
    isOwnPassword: !entry.mustChangePassword,
    emailVerified: entry.emailVerified,
  };
  return { user: await createReadyUser(work, companyId, { ...person, role }, ready) };
}

function describe(user: User, work: Work) {
  return { id: user.id, username: user.username, email: user.email, role: user.role, status: statusOf(user, work.now) };
}

const parallel = 4;

/** One JSON object a line; all or nothing is not wanted here, so each line answers for itself. */
async function createMany({ work, options, readStandardInput }: CommandInput): Promise<CommandResult> {
  const company = await getCompany(work, options.need('company'));
  const lines = (await readStandardInput()).split('\n').filter((line) => line.trim() !== '');
  const failed: { line: number; error: string }[] = [];
  let created = 0;
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < lines.length; i = next++) {
      try {
        await create(work, company.id, recordSchema.parse(JSON.parse(lines[i] ?? '')));
        created += 1;
      } catch (error) {
        failed.push({
          line: i + 1,
          error: error instanceof z.ZodError ? JSON.stringify(fieldProblems(error)) : String((error as Error).message),
        });
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const text = [
    `${created} made, ${failed.length} failed.`,
    ...failed.map(({ line, error }) => `line ${line}: ${error}`),
  ].join('\n');
  return { json: { created, failed }, text, failed: failed.length > 0 };
}

const createUser: Command = {
  name: 'create-user',
  summary: 'Invites a person, or makes one with a ready password (imports from elsewhere, demos, tests)',
  options: {
    company: { about: 'Name or slug of the company', required: true },
    email: { about: 'E-mail address' },
    username: { about: 'Username; the e-mail otherwise' },
    'first-name': { about: 'First name' },
    'last-name': { about: 'Last name' },
    role: { about: roles.join(', ') },
    groups: { about: 'Access groups, repeatable; default All Module Access', type: 'list', alias: 'group' },
    'password-stdin': { about: 'Read the password from standard input; the person is Active at once', type: 'boolean' },
    'must-change-password': { about: 'The person must choose another password at the first login', type: 'boolean' },
    'totp-secret': { about: 'Base32 secret of an authenticator that is enrolled already' },
    'unverified-email': { about: 'The address has not been verified', type: 'boolean' },
    'bulk-stdin': {
      about: 'Read many people from standard input: one JSON object a line with the names above in camelCase',
      type: 'boolean',
    },
  },
  async run(input) {
    const { work, options, readStandardInput } = input;
    if (options.flag('bulk-stdin')) return createMany(input);
    const company = await getCompany(work, options.need('company'));
    const groups = options.list('groups');
    const parsed = recordSchema.safeParse({
      email: options.need('email'),
      username: options.text('username'),
      firstName: options.text('first-name'),
      lastName: options.text('last-name'),
      role: options.text('role'),
      groups: groups.length > 0 ? groups : undefined,
      password: options.flag('password-stdin') ? (await readStandardInput()).replace(/\r?\n$/, '') : undefined,
      totpSecret: options.text('totp-secret'),
      mustChangePassword: options.flag('must-change-password'),
      emailVerified: options.flag('unverified-email') === true ? false : undefined,
    });
    if (!parsed.success) {
      const fields = fieldProblems(parsed.error);
      throw invalid(
        Object.entries(fields)
          .map(([field, problem]) => `${field}: ${problem}`)
          .join('; '),
        fields,
      );
    }
    const { user, invitation } = await create(work, company.id, parsed.data);
    return {
      json: { ...describe(user, work), ...(invitation ? { invitation } : {}) },
      text: [
        `${user.username} is ${statusOf(user, work.now)}.`,
        ...(invitation ? [`Sign-up link: ${invitation}`] : []),
      ].join('\n'),
    };
  },
};

const person: OptionSpecs = {
  company: { about: 'Name or slug of the company', required: true },
  username: { about: 'Username of the person', required: true },
};

async function findPerson({ work, options }: CommandInput): Promise<{ companyId: CompanyId; user: User }> {
  const company = await getCompany(work, options.need('company'));
  const user = await work.store.of(company.id).users.findByUsername(options.need('username'));
  if (!user) throw notFound(`person "${options.need('username')}" in ${company.name}`);
  return { companyId: company.id, user };
}

const deactivate: Command = {
  name: 'deactivate',
  summary: 'Deactivates a person: every session, grant and token ends at once',
  options: person,
  async run(input) {
    const { companyId, user } = await findPerson(input);
    const result = await deactivateUser(input.work, companyId, user.id);
    return {
      json: describe(result, input.work),
      text: `${result.username} is deactivated. All sessions and tokens have ended.`,
    };
  },
};

const activate: Command = {
  name: 'activate',
  summary: 'Activates a deactivated person, who sets password and second factor anew by a link',
  options: person,
  async run(input) {
    const { companyId, user } = await findPerson(input);
    const result = await activateUser(input.work, companyId, user.id);
    return {
      json: { ...describe(result.user, input.work), setup: result.setup },
      text: `${result.user.username} is active again. Set-up link: ${result.setup}`,
    };
  },
};

const unlock: Command = {
  name: 'unlock',
  summary: 'Ends a lock at once',
  options: person,
  async run(input) {
    const { companyId, user } = await findPerson(input);
    const result = await unlockUser(input.work, companyId, user.id);
    const { username } = result.user;
    return {
      json: describe(result.user, input.work),
      text: result.wasLocked ? `${username} can log in again.` : `${username} is not locked any more.`,
    };
  },
};

/** @throws Unconfirmed, with whom it is about and what it would do; a company without a Root Admin is recoverRoot's to refuse. */
async function refuseUnconfirmed(work: Work, { id, name, rootUserId, policy }: Company): Promise<void> {
  const root = rootUserId && (await work.store.of(id).users.findById(rootUserId));
  if (!root) return;
  throw new Unconfirmed(
    [
      `This is about ${root.username}, the Root Admin of ${name}.`,
      'Password and second factor are erased, and every session and token of this person ends at once.',
      ...(policy.ipList.enabled ? ['The IP access list is turned off: people log in from anywhere.'] : []),
      'You get a link by which a new password and second factor are set.',
    ].join(' '),
  );
}

const recover: Command = {
  name: 'recover',
  summary:
    'A way in for the Root Admin with every mail server and upstream down: erases password and second factor, ends every session and token, turns the IP access list off, and prints a set-up link',
  options: {
    company: { about: 'Name or slug of the company', required: true },
    yes: { about: 'I know what it erases and ends; without it, only says so and ends with 2', type: 'boolean' },
  },
  async run({ work, options }) {
    const company = await getCompany(work, options.need('company'));
    if (options.flag('yes') !== true) await refuseUnconfirmed(work, company);
    const { user, link, ipListWasOn } = await recoverRoot(work, company.id);
    return {
      json: { username: user.username, company: company.name, link, ipListWasOn },
      text: [
        `${user.username} of ${company.name} sets a new password and second factor here:`,
        link,
        ...(ipListWasOn ? ['The IP access list was on and is off now. Turn it on again under Security.'] : []),
      ].join('\n'),
    };
  },
};

export const userCommands: Command[] = [createUser, deactivate, activate, unlock, recover];
