// The door of the console, and what all its pages share. Commands and queries ask for the permission themselves, too.
import { can, type Permission } from '../../domain/roles/role.ts';
import type { User } from '../../domain/users/user.ts';
import { AppError, forbidden, notFound } from '../../lib/errors.ts';
import { isId, type UserId } from '../../lib/ids.ts';
import { type Listed, pageSizes } from '../../lib/paging.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context, Handler } from '../context.ts';
import { signedInOnly } from '../home/home-routes.ts';
import { getUser, momentOf, type Person, shellOf, zoneOf } from '../home/person.ts';
import { showPage } from '../page.ts';
import { param } from '../routes.ts';
import type { ConsolePlace, FormProblem, Moment, Shell, ViewLocals } from '../views.ts';
import type { AdminViews, PageLinks } from './views.ts';

/** An administrator at work. */
export interface Desk extends Person {
  user: User;
  /** A time as this person reads it. */
  moment(at: Date): Moment;
}

export type DeskHandler = (ctx: Context, runtime: Runtime, desk: Desk) => Promise<void>;

/** A1.1: other roles are refused at the door, whatever the page. */
export function deskOf(permission: Permission, handle: DeskHandler): Handler {
  return signedInOnly(async (ctx, runtime, person) => {
    const user = await getUser(person);
    if (!can(user.role, permission)) throw forbidden('Only an administrator of this company may open this page.');
    const zone = zoneOf(user);
    await handle(ctx, runtime, { ...person, user, moment: (at) => momentOf(at, person.work.now, zone) });
  });
}

/** Draws a page of the console inside its shell. */
export async function showDesk<N extends keyof AdminViews>(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  page: { view: N; title: string; place: ConsolePlace },
  locals: Omit<AdminViews[N], 'shell'>,
): Promise<void> {
  const shell: Shell = await shellOf(desk, desk.user, page.place);
  // `shell` is the one member that Omit took away.
  const whole = { ...locals, shell } as unknown as ViewLocals[N];
  await showPage(ctx, runtime, page.view, page.title, whole, desk.user.theme);
}

/** What the page before a danger says: who and what, what stops, and what can be undone. */
export interface Question {
  place: ConsolePlace;
  /** Repeats the verb and the name. */
  button: string;
  lead: string;
  /** The first of those whom it meets, by name. */
  who?: string;
  sentences: string[];
  /** Where the answer is posted to, and what with. */
  action: string;
  hidden?: { name: string; value: string }[];
  isDanger: boolean;
  cancel: string;
  /** Why the answer was refused. */
  problem?: FormProblem | null;
  /** What has to be done before; it stands in the place of the answer. */
  before?: { href: string; button: string } | null;
}

/** Every danger is a page of its own first, by GET. */
export async function askFirst(ctx: Context, runtime: Runtime, desk: Desk, question: Question): Promise<void> {
  const { place, problem = null, before = null, who = '', hidden = [], ...words } = question;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/confirm', title: words.button, place },
    // The page has no field that could be marked.
    { ...words, title: `${words.button}?`, who, hidden, before, problem: problem && { ...problem, field: null } },
  );
}

/** An id of the path; what is none names nothing. */
export function idParam<Id extends string = UserId>(ctx: Context, name: string, what: string): Id {
  const value = param(ctx, name);
  if (!isId(value)) throw notFound(what);
  return value as Id;
}

/** Runs a command; one that refuses what was typed draws the form again with 422, and nothing is lost. */
export async function orRedraw(
  ctx: Context,
  act: () => Promise<void>,
  redraw: (problem: FormProblem & { fields: Record<string, string> }) => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof AppError) || ![409, 413, 422].includes(error.status)) throw error;
    const [field = null] = Object.keys(error.fields);
    await redraw({ sentence: error.message, field, code: null, fields: error.fields });
    ctx.status = error.status === 409 ? 409 : 422;
  }
}

/** The present address with some parameters of its query changed; `null` takes one away. A change begins on page one. */
export function address(ctx: Context, changes: Record<string, string | null>): string {
  const query = new URLSearchParams(ctx.querystring);
  if (!('page' in changes)) query.delete('page');
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return text === '' ? ctx.path : `${ctx.path}?${text}`;
}

const number = new Intl.NumberFormat('en');

/** "1,204 people"; more than can be leafed through: "more than 10,000 people". */
export function countWords(
  { total, isMore }: Pick<Listed<unknown>, 'total' | 'isMore'>,
  one: string,
  many: string,
): string {
  return `${isMore ? 'more than ' : ''}${number.format(total)} ${total === 1 && !isMore ? one : many}`;
}

export function pageLinks(ctx: Context, list: Listed<unknown>): PageLinks {
  const first = (list.page - 1) * list.size + 1;
  const last = first + list.rows.length - 1;
  const of = `${number.format(list.total)}${list.isMore ? '+' : ''}`;
  return {
    words: list.rows.length === 0 ? '' : `${number.format(first)} to ${number.format(last)} of ${of}`,
    sizes: pageSizes.map((size) => ({ value: String(size), label: `${size} a page`, selected: size === list.size })),
    previous: list.page > 1 ? address(ctx, { page: list.page > 2 ? String(list.page - 1) : null }) : null,
    next: last < list.total ? address(ctx, { page: String(list.page + 1) }) : null,
  };
}
