// The contract test of one module: one button, its progress, and each case with what went over the wire.
import {
  type CaseResult,
  type ContractRun,
  type ContractTarget,
  contractCases,
  type Exchange,
  isOver,
} from '../../../domain/integrations/contract.ts';
import { startContractRun } from '../../../domain/integrations/contract-commands.ts';
import { type ContractPage, readContract } from '../../../domain/integrations/contract-queries.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { instanceAt, instanceHead, instancePath } from '../modules/instance-head.ts';
import type { StatusWords } from '../views.ts';
import type { CaseLine, ContractViews } from './views.ts';

const runStates: Record<ContractRun['state'], StatusWords> = {
  waiting: { tone: 'wait', word: 'Waiting', more: '' },
  running: { tone: 'wait', word: 'Running', more: '' },
  passed: { tone: 'good', word: 'Passed', more: '' },
  failed: { tone: 'danger', word: 'Failed', more: '' },
  stopped: { tone: 'danger', word: 'Stopped', more: '' },
};

const outcomes: Record<CaseResult['outcome'], StatusWords> = {
  passed: { tone: 'good', word: 'Passed', more: '' },
  failed: { tone: 'danger', word: 'Failed', more: '' },
  skipped: { tone: 'off', word: 'Skipped', more: '' },
};

const targetWords: Record<ContractTarget, string> = {
  module: 'This module',
  fake: 'The built-in fake (nothing leaves this server)',
};

const exchangeLine = ({ method, address, sent, status, headers, received, isInjected }: Exchange) => ({
  asked: `${method} ${address}`,
  sent,
  answered: [
    status === null ? 'No answer' : String(status),
    ...Object.entries(headers).map((pair) => pair.join(': ')),
  ].join(' · '),
  received,
  isInjected,
});

const caseLine = ({ title, outcome, sentence, advice, exchanges }: CaseResult): CaseLine => ({
  title,
  status: outcomes[outcome],
  sentence,
  advice,
  exchanges: exchanges.map(exchangeLine),
  count: `${exchanges.length} ${exchanges.length === 1 ? 'request with its answer' : 'requests with their answers'}`,
});

function runOf(run: ContractRun, desk: Desk): NonNullable<ContractViews['admin/contract/page']['run']> {
  const count = (outcome: CaseResult['outcome']) => run.results.filter((one) => one.outcome === outcome).length;
  const done = run.results.length;
  return {
    title: run.target === 'fake' ? 'Against the built-in fake' : 'Against the module',
    status: runStates[run.state],
    isRunning: !isOver(run),
    by: run.actor.name,
    at: desk.moment(run.finishedAt ?? run.createdAt),
    problem: run.problem ?? '',
    done,
    total: contractCases.length,
    progress: `${done} of ${contractCases.length} cases`,
    counts: [
      { label: 'Passed', value: String(count('passed')) },
      { label: 'Failed', value: String(count('failed')) },
      { label: 'Skipped', value: String(count('skipped')) },
    ],
    cases: run.results.map(caseLine),
  };
}

function startOf(
  { instance, runs }: ContractPage,
  here: string,
  typed: { target: ContractTarget; hasConsent: boolean },
): ContractViews['admin/contract/page']['start'] {
  if (runs.some((run) => !isOver(run))) return null;
  const targets: ContractTarget[] = instance.hasScim ? ['module', 'fake'] : ['fake'];
  return {
    action: here,
    targets: targets.map((value) => ({ value, label: targetWords[value], selected: value === typed.target })),
    consent:
      instance.hasScim && !instance.isTest
        ? `${instance.name} is not a test tenant. Accounts named unified-login-test-… may be made there, and are removed or disabled at the end.`
        : '',
    hasConsent: typed.hasConsent,
  };
}

interface Typed {
  target: ContractTarget;
  hasConsent: boolean;
  problem: FormProblem | null;
}

async function draw(ctx: Context, runtime: Runtime, desk: Desk, typed: Typed): Promise<void> {
  const instance = await instanceAt(ctx, desk);
  const wanted = new URLSearchParams(ctx.querystring).get('run');
  const page = await readContract(desk.work, desk.companyId, instance.id, wanted);
  const here = instancePath(instance.id, 'test');
  const { run } = page;
  const { passed, because } = page.standing;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/contract/page', title: `Contract test of ${instance.name}`, place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'test'),
      here: run ? `${here}?run=${run.id}` : here,
      standing: {
        status: passed
          ? { tone: 'good', word: 'Passed', more: '' }
          : { tone: 'wait', word: 'Not passed yet', more: '' },
        words: because,
      },
      start: startOf(page, here, typed),
      problem: typed.problem,
      run: run ? runOf(run, desk) : null,
      others: page.runs
        .filter(({ id }) => id !== run?.id)
        .map((one) => ({
          href: `${here}?run=${one.id}`,
          words: one.target === 'fake' ? 'Against the built-in fake' : 'Against the module',
          at: desk.moment(one.createdAt),
          status: runStates[one.state],
        })),
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) =>
  draw(ctx, runtime, desk, { target: 'module', hasConsent: false, problem: null });

const start: DeskHandler = async (ctx, runtime, desk) => {
  const { form } = ctx.state;
  const target: ContractTarget = form.target === 'fake' ? 'fake' : 'module';
  const hasConsent = form.consent === 'yes';
  const instance = await instanceAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      const run = await startContractRun(desk.work, desk.companyId, instance.id, { target, hasConsent });
      setFlash(ctx, runtime, { kind: 'success', text: 'The contract test runs. You can leave this page.' });
      seeOther(ctx, `${instancePath(instance.id, 'test')}?run=${run.id}`);
    },
    (problem) => draw(ctx, runtime, desk, { target, hasConsent, problem }),
  );
};

const at = instancePath(':instance', 'test');

export const contractRoutes: Route[] = [
  { method: 'get', path: at, handle: deskOf('modules.manage', show) },
  { method: 'post', path: at, handle: deskOf('modules.manage', start) },
];
