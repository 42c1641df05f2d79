import { disconnectInstance } from '../domain/integrations/connect-commands.ts';
import { listConnected } from '../domain/integrations/connected-queries.ts';
import { findInstances } from '../domain/integrations/contract-queries.ts';
import { rotateCredential } from '../domain/integrations/credential-commands.ts';
import { AppError, invalid } from '../lib/errors.ts';
import type { CompanyId, InstanceId } from '../lib/ids.ts';
import type { Work } from '../work.ts';
import type { Command } from './commands.ts';
import { getCompany } from './company-commands.ts';
import type { OptionSpecs } from './options.ts';

/** By its id or its name; a name that several bear names none of them. */
export async function getInstanceId(work: Work, companyId: CompanyId, name: string): Promise<InstanceId> {
  const [found, ...others] = await findInstances(work, companyId, name);
  if (!found) throw new AppError('not_found', await notConnected(work, companyId, name), { status: 404 });
  if (others.length > 0) throw invalid(`Several modules are named "${name}". Give the id of one.`);
  return found;
}

/** With the names that would do. */
async function notConnected(work: Work, companyId: CompanyId, name: string): Promise<string> {
  const page = { page: 1, size: 20, order: 'name', descending: false } as const;
  const { rows, total } = await listConnected(work, companyId, { search: '', state: null }, page);
  const names = rows.map((row) => `"${row.name}"`).join(', ');
  const more = total > rows.length ? ', and more' : '';
  return `No connected module has the name or id "${name}". ${names === '' ? 'None is connected.' : `Connected: ${names}${more}.`}`;
}

const which = {
  company: { about: 'Name or slug of the company', required: true },
  instance: { about: 'Name or id of the connected module', required: true },
} satisfies OptionSpecs;

const disconnectModule: Command = {
  name: 'disconnect-module',
  summary: 'Ends a connection: its tile, settings, credentials and tokens are gone; accounts at the module stay',
  options: which,
  async run({ work, options }) {
    const company = await getCompany(work, options.need('company'));
    const instanceId = await getInstanceId(work, company.id, options.need('instance'));
    await disconnectInstance(work, company.id, instanceId);
    return {
      json: { instanceId, company: company.name },
      text: `Disconnected ${instanceId} from ${company.name}.`,
    };
  },
};

const newCredential: Command = {
  name: 'new-credential',
  summary:
    'Makes a new machine credential of a connected module and prints it, this once; the others end after 24 hours',
  options: which,
  async run({ work, options }) {
    const company = await getCompany(work, options.need('company'));
    const instanceId = await getInstanceId(work, company.id, options.need('instance'));
    const { id, secret, othersEndAt } = await rotateCredential(work, company.id, instanceId);
    return {
      json: { id, credential: secret, othersEndAt },
      text: `Credential, shown this once: ${secret}\nThe others end at ${othersEndAt.toISOString()}.`,
    };
  },
};

export const instanceCommands: Command[] = [disconnectModule, newCredential];
