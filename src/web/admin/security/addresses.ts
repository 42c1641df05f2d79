// The IP access list (B.3): the entries, the switch, and what each change would mean.
import { addIpEntry, removeIpEntry, switchIpList } from '../../../domain/companies/commands.ts';
import { lockOutProblem } from '../../../domain/companies/ip-entry.ts';
import { plainAddress } from '../../../lib/addresses.ts';
import { notFound } from '../../../lib/errors.ts';
import { isWithin } from '../../../lib/networks.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { countWords, type Desk, type DeskHandler, deskOf, idParam, orRedraw, showDesk } from '../console.ts';
import { companyOf } from './company.ts';
import { type PreviewPage, showPreview } from './preview.ts';

export const addressesPath = '/admin/security/addresses';
const switchPath = `${addressesPath}/switch`;

const entriesOf = (desk: Desk) => desk.work.store.of(desk.companyId).ipEntries.list();
const ownAddress = (desk: Desk) => plainAddress(desk.work.origin.ip);

async function drawAddresses(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  typed: { values: { network: string; note: string }; problem: FormProblem } | null,
): Promise<void> {
  const [company, entries] = await Promise.all([companyOf(desk), entriesOf(desk)]);
  const own = ownAddress(desk);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/security/addresses', title: 'IP access list', place: 'policy' },
    {
      problem: typed?.problem ?? null,
      back: '/admin/security',
      isOn: company.policy.ipList.enabled,
      own: {
        address: own,
        isCovered: isWithin(
          entries.map(({ network }) => network),
          own,
        ),
      },
      switchHref: switchPath,
      action: addressesPath,
      values: typed?.values ?? { network: '', note: '' },
      entries: entries.map(({ id, network, note, createdAt }) => ({
        network,
        note,
        added: desk.moment(createdAt),
        isOwn: isWithin([network], own),
        remove: `${addressesPath}/${id}/remove`,
      })),
      count: countWords({ total: entries.length, isMore: false }, 'entry', 'entries'),
    },
  );
}

const list: DeskHandler = (ctx, runtime, desk) => drawAddresses(ctx, runtime, desk, null);

const add: DeskHandler = async (ctx, runtime, desk) => {
  const { network = '', note = '' } = ctx.state.form;
  await orRedraw(
    ctx,
    async () => {
      const entry = await addIpEntry(desk.work, desk.companyId, { network, note });
      setFlash(ctx, runtime, { kind: 'success', text: `${entry.network} is on the list.` });
      seeOther(ctx, addressesPath);
    },
    (problem) => drawAddresses(ctx, runtime, desk, { values: { network, note }, problem }),
  );
};

const back = { href: addressesPath, label: 'IP access list' };
const says = (sentence: string | null): { problem?: FormProblem } =>
  sentence === null ? {} : { problem: { sentence, field: null, code: null } };

/** What stands against it is said at once, and there is no button then. */
function confirmPage(
  ctx: Context,
  page: Pick<PreviewPage, 'title' | 'lead' | 'consequences'> & { form: NonNullable<PreviewPage['form']> },
  refusal: string | null,
): PreviewPage {
  const form = refusal === null ? page.form : null;
  return { ...page, ...says(refusal), form, back, kept: {}, paging: pagingOf(new URLSearchParams(ctx.querystring)) };
}

async function drawSwitch(ctx: Context, runtime: Runtime, desk: Desk, refused: string | null): Promise<void> {
  const [company, entries] = await Promise.all([companyOf(desk), entriesOf(desk)]);
  const turnsOn = !company.policy.ipList.enabled;
  const networks = entries.map(({ network }) => network);
  const refusal = refused ?? (turnsOn ? lockOutProblem(networks, ownAddress(desk), 'on') : null);
  const form = (on: 'yes' | 'no', button: string) => ({
    action: switchPath,
    hidden: { on },
    button,
    isDanger: turnsOn,
  });
  const page = turnsOn
    ? confirmPage(
        ctx,
        {
          title: 'Turn on the IP access list',
          lead: 'Logins from any other address are refused from then on, in every module that logs in with us.',
          consequences: [
            'List every address from which you log in yourself, IPv6 included: many networks use both.',
            'Whoever is logged in stays logged in; the next login counts.',
            'You can turn it off again at any time; an operator can at the server, too.',
          ],
          form: form('yes', 'Turn on the IP access list'),
        },
        refusal,
      )
    : confirmPage(
        ctx,
        {
          title: 'Turn off the IP access list',
          lead: 'People log in from anywhere again.',
          consequences: ['The entries stay, for the next time.'],
          form: form('no', 'Turn off the IP access list'),
        },
        refusal,
      );
  await showPreview(ctx, runtime, desk, { ipList: turnsOn }, page);
}

const askSwitch: DeskHandler = (ctx, runtime, desk) => drawSwitch(ctx, runtime, desk, null);

const doSwitch: DeskHandler = async (ctx, runtime, desk) => {
  const turnsOn = ctx.state.form.on === 'yes';
  await orRedraw(
    ctx,
    async () => {
      await switchIpList(desk.work, desk.companyId, turnsOn);
      setFlash(ctx, runtime, { kind: 'success', text: `The IP access list is ${turnsOn ? 'on' : 'off'}.` });
      seeOther(ctx, addressesPath);
    },
    ({ sentence }) => drawSwitch(ctx, runtime, desk, sentence),
  );
};

async function drawRemoval(ctx: Context, runtime: Runtime, desk: Desk, refused: string | null): Promise<void> {
  const id = idParam<string>(ctx, 'id', 'entry');
  const [company, entries] = await Promise.all([companyOf(desk), entriesOf(desk)]);
  const entry = entries.find((one) => one.id === id);
  if (!entry) throw notFound('entry');
  const isOn = company.policy.ipList.enabled;
  const rest = entries.filter((one) => one !== entry).map(({ network }) => network);
  const refusal = refused ?? (isOn ? lockOutProblem(rest, ownAddress(desk), 'remove') : null);
  const page = confirmPage(
    ctx,
    {
      title: `Remove ${entry.network}`,
      lead: entry.note === '' ? 'An entry of the IP access list.' : entry.note,
      consequences: isOn
        ? ['Nobody logs in from there any more, unless another entry covers the address.', 'Live sessions go on.']
        : ['The list is off, so nobody notices now.'],
      form: { action: ctx.path, hidden: {}, button: `Remove ${entry.network}`, isDanger: true },
    },
    refusal,
  );
  await showPreview(ctx, runtime, desk, { withoutEntry: id }, page);
}

const askRemoval: DeskHandler = (ctx, runtime, desk) => drawRemoval(ctx, runtime, desk, null);

const doRemoval: DeskHandler = async (ctx, runtime, desk) => {
  await orRedraw(
    ctx,
    async () => {
      const entry = await removeIpEntry(desk.work, desk.companyId, idParam<string>(ctx, 'id', 'entry'));
      setFlash(ctx, runtime, { kind: 'success', text: `${entry.network} is off the list.` });
      seeOther(ctx, addressesPath);
    },
    ({ sentence }) => drawRemoval(ctx, runtime, desk, sentence),
  );
};

export const addressRoutes: Route[] = [
  { method: 'get', path: addressesPath, handle: deskOf('security.manage', list) },
  { method: 'post', path: addressesPath, handle: deskOf('security.manage', add) },
  { method: 'get', path: switchPath, handle: deskOf('security.manage', askSwitch) },
  { method: 'post', path: switchPath, handle: deskOf('security.manage', doSwitch) },
  { method: 'get', path: `${addressesPath}/:id/remove`, handle: deskOf('security.manage', askRemoval) },
  { method: 'post', path: `${addressesPath}/:id/remove`, handle: deskOf('security.manage', doRemoval) },
];
