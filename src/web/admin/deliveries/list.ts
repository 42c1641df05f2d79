// Deliveries to one module: what was sent, what became of it, and sending it again.

import type { LaneFacts } from '../../../domain/integrations/instance-queries.ts';
import type { Act, Delivery } from '../../../domain/provisioning/account.ts';
import { getLeaver } from '../../../domain/provisioning/end-queries.ts';
import { isConfirmed, isLate, mayResend, stepsOf } from '../../../domain/provisioning/receipt.ts';
import { resendDelivery, resendGivenUp } from '../../../domain/provisioning/receipt-commands.ts';
import {
  countGivenUp,
  getDelivery,
  listDeliveries,
  type ReceiptFilter,
  type ReceiptState,
  receiptActs,
  receiptStates,
} from '../../../domain/provisioning/receipt-queries.ts';
import { notFound } from '../../../lib/errors.ts';
import { type InstanceId, isId, type UserId } from '../../../lib/ids.ts';
import { pagingOf } from '../../../lib/paging.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { address, countWords, type Desk, type DeskHandler, deskOf, idParam, pageLinks, showDesk } from '../console.ts';
import { searchOf } from '../groups/group-head.ts';
import { instanceAt, instanceHead, instancePath } from '../modules/instance-head.ts';
import type { StatusWords } from '../views.ts';
import { actWords, answerWords, deliveryLine, deliveryPath, deliveryStatus } from './words.ts';

const filterWords: Record<ReceiptState, string> = {
  waiting: 'Waiting',
  open: 'Under way',
  verified: 'Verified',
  'given-up': 'Given up',
  confirmed: 'Confirmed',
  superseded: 'Superseded',
};

function filterOf(query: URLSearchParams): ReceiptFilter {
  const user = query.get('user') ?? '';
  return {
    state: receiptStates.find((state) => state === query.get('state')) ?? null,
    act: receiptActs.find((act) => act === query.get('act')) ?? null,
    search: searchOf(query),
    userId: isId(user) ? (user as UserId) : null,
  };
}

function laneWords(lane: LaneFacts | null, desk: Desk): { status: StatusWords; words: string } {
  const last = lane?.lastSuccessAt ? `Last answered well ${desk.moment(lane.lastSuccessAt).text}.` : '';
  if (lane?.closedUntil && lane.closedUntil > desk.work.now)
    return {
      status: { tone: 'danger', word: 'Paused', more: `until ${desk.moment(lane.closedUntil).text}` },
      words: [`After ${lane.failures} failures in a row only one is tried then.`, lane.lastProblem, last]
        .filter(Boolean)
        .join(' '),
    };
  if (lane && lane.failures > 0)
    return {
      status: { tone: 'wait', word: 'Failing', more: '' },
      words: [lane.lastProblem, last].filter(Boolean).join(' '),
    };
  return { status: { tone: 'good', word: 'Open', more: '' }, words: last };
}

const list: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const query = new URLSearchParams(ctx.querystring);
  const filter = filterOf(query);
  const [deliveries, givenUp, leaver] = await Promise.all([
    listDeliveries(desk.work, desk.companyId, instance.id, filter, pagingOf(query)),
    countGivenUp(desk.work, desk.companyId, instance.id),
    filter.userId ? getLeaver(desk.work, desk.companyId, filter.userId) : null,
  ]);
  const here = instancePath(instance.id, 'deliveries');
  const any = (label: string, isChosen: boolean) => ({ value: '', label, selected: !isChosen });
  const numbers = countWords({ total: givenUp, isMore: false }, 'delivery', 'deliveries');
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/deliveries/list', title: `Deliveries to ${instance.name}`, place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'deliveries'),
      action: here,
      search: filter.search,
      states: [
        any('Any state', filter.state !== null),
        ...receiptStates.map((value) => ({ value, label: filterWords[value], selected: value === filter.state })),
      ],
      acts: [
        any('Any act', filter.act !== null),
        ...receiptActs.map((value: Act) => ({ value, label: actWords[value], selected: value === filter.act })),
      ],
      person: leaver && { name: leaver.name, without: address(ctx, { user: null }) },
      hidden: leaver ? [{ name: 'user', value: leaver.userId }] : [],
      deliveries: deliveries.rows.map((one) => deliveryLine(one, desk)),
      pages: pageLinks(ctx, deliveries),
      count: countWords(deliveries, 'delivery', 'deliveries'),
      isFiltered: filter.state !== null || filter.act !== null || filter.search !== '' || leaver !== null,
      lane: laneWords(instance.lane, desk),
      demand: instancePath(instance.id, 'provision'),
      resend: givenUp > 0 ? { action: `${here}/resend`, button: `Send ${numbers} again` } : null,
    },
  );
};

/** The delivery of the path, of the instance of the path. */
async function deliveryAt(ctx: Parameters<DeskHandler>[0], desk: Desk): Promise<Delivery> {
  const delivery = await getDelivery(desk.work, desk.companyId, idParam<string>(ctx, 'delivery', 'delivery'));
  if (delivery.instanceId !== idParam<InstanceId>(ctx, 'instance', 'module')) throw notFound('delivery');
  return delivery;
}

const titleOf = ({ act, person, instanceName }: Delivery): string =>
  person === '' ? `${actWords[act]}: ${instanceName}` : `${actWords[act]} ${person} in ${instanceName}`;

function factsOf(delivery: Delivery): { label: string; value: string }[] {
  const { reason, channel, externalId, attempts, id, seq, batchId } = delivery;
  return [
    { label: 'Because', value: reason },
    { label: 'Sent as', value: channel === 'scim' ? 'Change of the account (SCIM)' : 'Security Event Token' },
    { label: 'Account there', value: externalId ?? '' },
    { label: 'Tries', value: String(attempts) },
    { label: 'Number', value: String(seq) },
    { label: 'Id', value: id },
    { label: 'Batch', value: batchId ?? '' },
  ].filter(({ value }) => value !== '');
}

const one: DeskHandler = async (ctx, runtime, desk) => {
  const delivery = await deliveryAt(ctx, desk);
  const here = deliveryPath(delivery.instanceId, delivery.id);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/deliveries/one', title: titleOf(delivery), place: 'instances' },
    {
      title: titleOf(delivery),
      lead: `Queued ${desk.moment(delivery.queuedAt).text}.`,
      back: { href: instancePath(delivery.instanceId, 'deliveries'), label: `Deliveries to ${delivery.instanceName}` },
      status: deliveryStatus(delivery, desk),
      isLate: isLate(delivery, desk.work.now),
      steps: stepsOf(delivery).map(({ words, at }) => ({ words, at: at && desk.moment(at) })),
      facts: factsOf(delivery),
      wanted: Object.keys(delivery.wanted).length > 0 ? JSON.stringify(delivery.wanted, null, 2) : '',
      answer: isConfirmed(delivery) ? '' : answerWords(delivery),
      sentAs: delivery.answer?.sentAs ? deliveryPath(delivery.instanceId, delivery.answer.sentAs) : null,
      resend: mayResend(delivery) ? `${here}/resend` : null,
    },
  );
};

const resendOne: DeskHandler = async (ctx, runtime, desk) => {
  const delivery = await deliveryAt(ctx, desk);
  await resendDelivery(desk.work, desk.companyId, delivery.id);
  setFlash(ctx, runtime, { kind: 'success', text: 'It is queued again, and goes out now.' });
  seeOther(ctx, deliveryPath(delivery.instanceId, delivery.id));
};

const resendAll: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const { queued, outdated } = await resendGivenUp(desk.work, desk.companyId, instance.id);
  const text = [
    `${countWords({ total: queued, isMore: false }, 'delivery is', 'deliveries are')} queued again.`,
    outdated > 0 ? `${outdated} were left out: a later act says otherwise.` : '',
  ];
  setFlash(ctx, runtime, { kind: 'success', text: text.filter(Boolean).join(' ') });
  seeOther(ctx, instancePath(instance.id, 'deliveries'));
};

const at = instancePath(':instance', 'deliveries');

export const deliveryRoutes: Route[] = [
  { method: 'get', path: at, handle: deskOf('modules.manage', list) },
  { method: 'post', path: `${at}/resend`, handle: deskOf('modules.manage', resendAll) },
  { method: 'get', path: `${at}/:delivery`, handle: deskOf('modules.manage', one) },
  { method: 'post', path: `${at}/:delivery/resend`, handle: deskOf('modules.manage', resendOne) },
];
