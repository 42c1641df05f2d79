import { type CaseResult, contractCases } from '../domain/integrations/contract.ts';
import { startContractRun } from '../domain/integrations/contract-commands.ts';
import { findLeaver } from '../domain/provisioning/end-queries.ts';
import { proveEndOfAccess } from '../domain/provisioning/proof-commands.ts';
import { AppError, invalid, notFound } from '../lib/errors.ts';
import type { Command } from './commands.ts';
import { getCompany } from './company-commands.ts';
import { getInstanceId } from './instance-commands.ts';

const marks = { passed: 'passed ', failed: 'FAILED ', skipped: 'skipped' };

const lineOf = ({ title, outcome, sentence, advice }: CaseResult): string =>
  [`${marks[outcome]}  ${title}: ${sentence}`, ...(advice === '' ? [] : [`         What to do: ${advice}`])].join('\n');

/** The refusal for want of consent, with the options that give it or need none. */
function nameConsent(error: unknown): never {
  if (error instanceof AppError && error.fields.consent !== undefined)
    throw invalid(`${error.message} Here that is --consent, or --fake.`, error.fields);
  throw error;
}

const contractTest: Command = {
  name: 'contract-test',
  summary:
    'Tests what a module does with accounts, with accounts named unified-login-test-…; ends with 1 if a case fails',
  options: {
    company: { about: 'Name or slug of the company', required: true },
    instance: { about: 'Name or id of the connected module', required: true },
    fake: {
      about: 'Against the built-in fake instead: shows what is sent, and proves nothing of the module',
      type: 'boolean',
    },
    consent: { about: 'It is no test tenant, and test accounts may be made and removed there', type: 'boolean' },
  },
  async run({ runtime, work, options }) {
    const company = await getCompany(work, options.need('company'));
    const instanceId = await getInstanceId(work, company.id, options.need('instance'));
    const run = await startContractRun(work, company.id, instanceId, {
      target: options.flag('fake') === true ? 'fake' : 'module',
      hasConsent: options.flag('consent') === true,
      isDirect: true,
    }).catch(nameConsent);
    const ended = await runtime.testContract(work, run, () => {});
    if (!ended) throw notFound('contract test');
    const { state, results, problem } = ended;
    const count = (outcome: CaseResult['outcome']) => results.filter((one) => one.outcome === outcome).length;
    const summary = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped of ${contractCases.length}.`;
    return {
      json: { run: run.id, company: company.name, instance: instanceId, target: run.target, state, problem, results },
      text: [...results.map(lineOf), ...(problem === null ? [] : [problem]), summary].join('\n'),
      failed: state !== 'passed',
    };
  },
};

const proveEnd: Command = {
  name: 'prove-end-of-access',
  summary: 'Prints the signed proof (JWS) of when and how all access of a leaver ended',
  options: {
    company: { about: 'Name or slug of the company', required: true },
    username: { about: 'Username of the person, who may be deleted by now', required: true },
  },
  async run({ work, options }) {
    const company = await getCompany(work, options.need('company'));
    const username = options.need('username');
    const userId = await findLeaver(work, company.id, username);
    if (!userId) throw notFound(`person "${username}"`);
    const { jws, document, kid, state } = await proveEndOfAccess(work, company.id, userId);
    return { json: { kid, jws, document }, text: jws, failed: state === 'failed' || state === 'pending' };
  },
};

export const contractCommands: Command[] = [contractTest, proveEnd];
