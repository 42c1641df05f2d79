// Large batches of suspensions at a module, and the second administrator's word on them (A8.8).
import { approvalRefusal, type Batch, waitWords } from '../../../domain/provisioning/batch.ts';
import { approveBatch, refuseBatch } from '../../../domain/provisioning/batch-commands.ts';
import { getBatch, listWaitingBatches } from '../../../domain/provisioning/batch-queries.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { countWords, type Desk, type DeskHandler, deskOf, idParam, orRedraw, pageLinks, showDesk } from '../console.ts';
import { usersPath } from '../users/list.ts';
import type { StatusWords } from '../views.ts';

export const batchesPath = '/admin/batches';

const number = new Intl.NumberFormat('en');
const peopleWords = (people: number) => `${number.format(people)} ${people === 1 ? 'person' : 'people'}`;

const statuses: Record<Batch['state'], StatusWords> = {
  waiting: { tone: 'wait', word: 'Waiting', more: 'for a second administrator' },
  approved: { tone: 'good', word: 'Confirmed', more: '' },
  refused: { tone: 'off', word: 'Refused', more: '' },
  void: { tone: 'off', word: 'Settled by itself', more: 'nobody of them is concerned any more' },
};

const list: DeskHandler = async (ctx, runtime, desk) => {
  const batches = await listWaitingBatches(desk.work, desk.companyId);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/batches/list', title: 'Waiting changes', place: 'instances' },
    {
      batches: batches.map((batch) => ({
        title: `Suspend ${peopleWords(batch.people)} in ${batch.instanceName}`,
        cause: sentenceCase(batch.cause),
        people: peopleWords(batch.people),
        at: desk.moment(batch.createdAt),
        href: `${batchesPath}/${batch.id}`,
        isOwn: batch.causedBy === desk.userId,
      })),
    },
  );
};

/** Causes are parts of sentences elsewhere. */
const sentenceCase = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const idOf = (ctx: Context) => idParam<string>(ctx, 'id', 'batch');

async function draw(ctx: Context, runtime: Runtime, desk: Desk, problem: FormProblem | null = null): Promise<void> {
  const paging = pagingOf(new URLSearchParams(ctx.querystring));
  const { batch, people, causedBy } = await getBatch(desk.work, desk.companyId, idOf(ctx), paging);
  const refusal = approvalRefusal(batch, desk.userId);
  const here = `${batchesPath}/${batch.id}`;
  const brand = runtime.config.brandName;
  const whom = peopleWords(batch.people);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/batches/show', title: `Suspend ${whom} in ${batch.instanceName}`, place: 'instances' },
    {
      problem,
      back: batchesPath,
      here,
      title: `Suspend ${whom} in ${batch.instanceName}?`,
      lead: waitWords(batch, batch.instanceName),
      status: statuses[batch.state],
      cause: sentenceCase(batch.cause),
      by: causedBy ?? (batch.causedBy ? 'Somebody who is gone' : 'The system'),
      at: desk.moment(batch.createdAt),
      decided: batch.decidedAt && { by: batch.decidedBy ?? 'The system', at: desk.moment(batch.decidedAt) },
      instance: { name: batch.instanceName, href: `/admin/modules/${batch.instanceId}` },
      sentences: [
        `Each of them whose access is still gone is suspended in ${batch.instanceName}, and their sessions there end.`,
        'For the time that the settings say, giving the access back restores everything.',
        `If you refuse, the accounts in ${batch.instanceName} stay as they are. Login through ${brand} is not changed by either.`,
      ],
      people: people.rows.map(({ userId, person, account, email, isAdministrator }) => ({
        name: person,
        href: `${usersPath}/${userId}`,
        account,
        email,
        isAdministrator,
      })),
      count: countWords(people, 'person', 'people'),
      pages: pageLinks(ctx, people),
      acts:
        refusal === null ? { approve: `${here}/approve`, refuse: `${here}/refuse`, button: `Suspend ${whom}` } : null,
      refusal: batch.state === 'waiting' ? refusal : null,
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) => draw(ctx, runtime, desk);

const decide =
  (act: typeof approveBatch, words: (people: number) => string): DeskHandler =>
  async (ctx, runtime, desk) => {
    await orRedraw(
      ctx,
      async () => {
        const people = await act(desk.work, desk.companyId, idOf(ctx));
        setFlash(ctx, runtime, { kind: 'success', text: words(people) });
        seeOther(ctx, batchesPath);
      },
      (problem) => draw(ctx, runtime, desk, problem),
    );
  };

const approve = decide(approveBatch, (people) =>
  people === 0 ? 'Nobody of them had to be suspended any more.' : `${peopleWords(people)} are being suspended.`,
);
const refuse = decide(refuseBatch, () => 'Refused. The accounts stay as they are.');

export const batchRoutes: Route[] = [
  { method: 'get', path: batchesPath, handle: deskOf('modules.manage', list) },
  { method: 'get', path: `${batchesPath}/:id`, handle: deskOf('modules.manage', show) },
  { method: 'post', path: `${batchesPath}/:id/approve`, handle: deskOf('modules.manage', approve) },
  { method: 'post', path: `${batchesPath}/:id/refuse`, handle: deskOf('modules.manage', refuse) },
];
