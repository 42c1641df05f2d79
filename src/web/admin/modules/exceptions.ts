// User Exceptions (A8.6): who may still log in locally, one at a time, each with a reason and an end.
import type { ExceptionRow } from '../../../domain/integrations/exception.ts';
import { addException, changeException, removeException } from '../../../domain/integrations/exception-commands.ts';
import {
  accountsFound,
  type FoundAccount,
  listExceptions,
  searchAccounts,
} from '../../../domain/integrations/exception-queries.ts';
import { findAccount, type InstanceDetail } from '../../../domain/integrations/instance-queries.ts';
import { canDo } from '../../../domain/modules/profile.ts';
import { notFound } from '../../../lib/errors.ts';
import { after, days } from '../../../lib/time.ts';
import { instantOf } from '../../../lib/zones.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { zoneOf } from '../../home/person.ts';
import { setFlash } from '../../page.ts';
import { param, type Route, seeOther } from '../../routes.ts';
import { askFirst, type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { searchOf } from '../groups/group-head.ts';
import type { StatusWords } from '../views.ts';
import { instanceAt, instanceHead, instancePath, modulesPath } from './instance-head.ts';
import type { ExceptionLine, ModuleViews } from './views.ts';

const pathOf = (instance: InstanceDetail, rest = '') => instancePath(instance.id, `exceptions${rest}`);

const kindWords = { person: 'Person', emergency: 'Sealed emergency account' };

/** Whether it does what it is there for, and if not, why. */
function statusOf({ isOver, isWayIn, account, kind }: ExceptionRow): StatusWords {
  if (isOver) return { tone: 'off', word: 'Ended', more: '' };
  if (isWayIn) return { tone: 'good', word: 'Way in', more: kind === 'emergency' ? 'sealed' : 'administrator' };
  if (account === null) return { tone: 'wait', word: 'Unknown account', more: 'not in the list of the module' };
  if (!account.isActive) return { tone: 'danger', word: 'Suspended there', more: '' };
  if (account.hasLocalLogin === false) return { tone: 'danger', word: 'No local password', more: '' };
  return { tone: 'good', word: 'Exempt', more: '' };
}

function toLine(instance: InstanceDetail, row: ExceptionRow, desk: Desk): ExceptionLine {
  return {
    userName: row.userName,
    email: row.account?.email && row.account.email !== row.userName ? row.account.email : '',
    kind: kindWords[row.kind],
    reason: row.reason,
    endsAt: row.endsAt && desk.moment(row.endsAt),
    status: statusOf(row),
    by: row.createdBy,
    since: desk.moment(row.createdAt),
    change: pathOf(instance, `/${row.id}`),
    remove: pathOf(instance, `/${row.id}/remove`),
  };
}

const list: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await requirableAt(ctx, desk);
  const search = searchOf(new URLSearchParams(ctx.querystring));
  const { rows, withoutEnd } = await listExceptions(desk.work, desk.companyId, instance.id);
  const found = await searchAccounts(desk.work, desk.companyId, instance.id, search);
  const inOrder = [...rows.filter(({ isOver }) => !isOver), ...rows.filter(({ isOver }) => isOver)];
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/modules/exceptions', title: `Exceptions of ${instance.name}`, place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'exceptions'),
      isRequired: instance.settings.enabled && instance.settings.require.state !== 'off',
      localLogin: instance.localLoginUrl,
      action: pathOf(instance),
      search,
      found: found.map((account) => ({
        name: account.name === '' ? account.userName : account.name,
        words: accountWords(account),
        isExempt: account.isExempt,
        href: `${pathOf(instance, '/new')}?${new URLSearchParams({ account: account.id })}`,
      })),
      foundMore:
        found.length === accountsFound ? `The first ${accountsFound} are shown: type more to narrow it down.` : '',
      accounts: instancePath(instance.id, 'accounts'),
      exceptions: inOrder.map((row) => toLine(instance, row, desk)),
      count: `${rows.length} ${rows.length === 1 ? 'exception' : 'exceptions'}`,
      withoutEnd,
      require: instancePath(instance.id, 'require'),
    },
  );
};

const accountWords = ({ name, userName, email, isActive, isAdministrator, hasLocalLogin }: FoundAccount): string =>
  [
    ...(name === '' ? [] : [userName]),
    ...(email !== '' && email !== userName ? [email] : []),
    ...(isAdministrator ? ['administrator of the module'] : []),
    ...(isActive ? [] : ['suspended there']),
    ...(hasLocalLogin === false ? ['no local password'] : []),
  ].join(' · ');

/** Only products that can require the login have these pages. */
async function requirableAt(ctx: Context, desk: Desk): Promise<InstanceDetail> {
  const instance = await instanceAt(ctx, desk);
  if (!canDo(instance.profile, 'require')) throw notFound('page');
  return instance;
}

async function exceptionAt(ctx: Context, desk: Desk): Promise<{ instance: InstanceDetail; row: ExceptionRow }> {
  const instance = await requirableAt(ctx, desk);
  const { rows } = await listExceptions(desk.work, desk.companyId, instance.id);
  const row = rows.find(({ id }) => id === param(ctx, 'exception'));
  if (!row) throw notFound('exception');
  return { instance, row };
}

type Locals = ModuleViews['admin/modules/exception'];
type Values = Locals['values'];

/** A day of the calendar of whoever types it, to its last minute. */
const endOf = (day: string, desk: Desk): Date | null => instantOf(`${day}T23:59`, zoneOf(desk.user));

const dayOf = (at: Date, desk: Desk): string =>
  new Intl.DateTimeFormat('sv', { timeZone: zoneOf(desk.user), dateStyle: 'short' }).format(at);

/** A month is what a stand-in or a move usually takes. */
const usualDays = 30;

const readValues = (form: Record<string, string>): Values => ({
  kind: form.kind === 'emergency' ? 'emergency' : 'person',
  reason: form.reason ?? '',
  endsAt: form.endsAt ?? '',
  noEnd: form.noEnd === 'yes',
});

/** A day that is none is as good as none typed: the command asks for one. "No end" counts more than a day that was left standing. */
const inputOf = ({ kind, reason, endsAt, noEnd }: Values, desk: Desk) => ({
  kind,
  reason,
  endsAt: noEnd || endsAt.trim() === '' ? null : endOf(endsAt, desk),
  noEnd,
});

interface Drawn {
  account: Locals['account'];
  exception: ExceptionRow | null;
  values: Values;
  problem: Locals['problem'];
}

async function drawForm(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  instance: InstanceDetail,
  drawn: Drawn,
): Promise<void> {
  const { account, exception, values, problem } = drawn;
  const title = exception ? `Exception of ${account.userName}` : `Exempt ${account.userName}`;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/modules/exception', title, place: 'instances' },
    {
      title,
      module: instance.name,
      problem: problem && { ...problem, field: placedAt(problem.fields) },
      account,
      values,
      least: dayOf(desk.work.now, desk),
      most: dayOf(after(desk.work.now, days(365)), desk),
      action: exception ? pathOf(instance, `/${exception.id}`) : pathOf(instance, '/new'),
      button: exception ? `Save the exception of ${account.userName}` : `Exempt ${account.userName}`,
      back: pathOf(instance),
    },
  );
}

const formFields = ['reason', 'endsAt'];

const placedAt = (fields: Record<string, string>): string | null => formFields.find((name) => fields[name]) ?? null;

const empty: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await requirableAt(ctx, desk);
  const id = (new URLSearchParams(ctx.querystring).get('account') ?? '').replaceAll('\0', '');
  const account = await findAccount(desk.work, desk.companyId, instance.id, id);
  if (!account) return seeOther(ctx, pathOf(instance));
  const endsAt = dayOf(after(desk.work.now, days(usualDays)), desk);
  const values: Values = { kind: 'person', reason: '', endsAt, noEnd: false };
  await drawForm(ctx, runtime, desk, instance, { account, exception: null, values, problem: null });
};

const add: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await requirableAt(ctx, desk);
  const accountId = (ctx.state.form.account ?? '').replaceAll('\0', '');
  const account = await findAccount(desk.work, desk.companyId, instance.id, accountId);
  if (!account) return seeOther(ctx, pathOf(instance));
  const values = readValues(ctx.state.form);
  await orRedraw(
    ctx,
    async () => {
      await addException(desk.work, desk.companyId, instance.id, { accountId, ...inputOf(values, desk) });
      const text = `${account.userName} may log in to ${instance.name} either way.`;
      setFlash(ctx, runtime, { kind: 'success', text });
      seeOther(ctx, pathOf(instance));
    },
    (problem) => drawForm(ctx, runtime, desk, instance, { account, exception: null, values, problem }),
  );
};

const accountOf = ({ accountId, userName, account }: ExceptionRow): Locals['account'] => ({
  id: accountId,
  userName,
  email: account?.email ?? '',
  isAdministrator: account?.isAdministrator ?? false,
});

const edit: DeskHandler = async (ctx, runtime, desk) => {
  const { instance, row } = await exceptionAt(ctx, desk);
  const { kind, reason, endsAt } = row;
  const values = { kind, reason, endsAt: endsAt === null ? '' : dayOf(endsAt, desk), noEnd: endsAt === null };
  await drawForm(ctx, runtime, desk, instance, { account: accountOf(row), exception: row, values, problem: null });
};

const save: DeskHandler = async (ctx, runtime, desk) => {
  const { instance, row } = await exceptionAt(ctx, desk);
  const values = readValues(ctx.state.form);
  await orRedraw(
    ctx,
    async () => {
      await changeException(desk.work, desk.companyId, instance.id, { id: row.id, ...inputOf(values, desk) });
      setFlash(ctx, runtime, { kind: 'success', text: `The exception of ${row.userName} is saved.` });
      seeOther(ctx, pathOf(instance));
    },
    (problem) => drawForm(ctx, runtime, desk, instance, { account: accountOf(row), exception: row, values, problem }),
  );
};

async function ask(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  { instance, row }: { instance: InstanceDetail; row: ExceptionRow },
  problem: Locals['problem'],
): Promise<void> {
  const brand = runtime.config.brandName;
  const button = `Remove the exception of ${row.userName}`;
  const isRequired = instance.settings.enabled && instance.settings.require.state !== 'off';
  await askFirst(ctx, runtime, desk, {
    place: 'instances',
    lead: isRequired
      ? `They can log in to ${instance.name} through ${brand} only from then on.`
      : `It makes a difference once Log In with ${brand} is required for ${instance.name}.`,
    sentences: [
      `It was made ${row.reason === '' ? 'without a reason' : `because: ${row.reason}`}`,
      ...(row.isWayIn ? [`They are one of those who can get into ${instance.name} without ${brand}.`] : []),
      'A session that they have at the module goes on.',
      'You can undo it: exempt them again.',
    ],
    problem,
    action: pathOf(instance, `/${row.id}/remove`),
    button,
    isDanger: true,
    cancel: pathOf(instance),
  });
}

const askRemove: DeskHandler = async (ctx, runtime, desk) =>
  ask(ctx, runtime, desk, await exceptionAt(ctx, desk), null);

const remove: DeskHandler = async (ctx, runtime, desk) => {
  const at = await exceptionAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      await removeException(desk.work, desk.companyId, at.instance.id, at.row.id);
      setFlash(ctx, runtime, { kind: 'success', text: `${at.row.userName} is not exempt any more.` });
      seeOther(ctx, pathOf(at.instance));
    },
    (problem) => ask(ctx, runtime, desk, at, problem),
  );
};

const path = `${modulesPath}/:instance/exceptions`;

export const instanceExceptionRoutes: Route[] = [
  { method: 'get', path, handle: deskOf('modules.manage', list) },
  { method: 'get', path: `${path}/new`, handle: deskOf('modules.manage', empty) },
  { method: 'post', path: `${path}/new`, handle: deskOf('modules.manage', add) },
  { method: 'get', path: `${path}/:exception`, handle: deskOf('modules.manage', edit) },
  { method: 'post', path: `${path}/:exception`, handle: deskOf('modules.manage', save) },
  { method: 'get', path: `${path}/:exception/remove`, handle: deskOf('modules.manage', askRemove) },
  { method: 'post', path: `${path}/:exception/remove`, handle: deskOf('modules.manage', remove) },
];
