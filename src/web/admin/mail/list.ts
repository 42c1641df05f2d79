// Mail: what was sent to the company's people, and whether it arrived. What a mail said is kept by nobody.
import { countWaiting, listMails, type MailFilter, type MailRow } from '../../../domain/mails/list-queries.ts';
import { giveUpDays, keptDays, type MailState, mailKinds, mailStates } from '../../../domain/mails/mail.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import type { Route } from '../../routes.ts';
import { address, countWords, type Desk, type DeskHandler, deskOf, pageLinks, showDesk } from '../console.ts';
import { usersPath } from '../users/list.ts';
import type { Chip, Choice, StatusWords } from '../views.ts';
import type { MailLine, MailTab } from './views.ts';
import { kindWords, stateWords } from './words.ts';

export const mailPath = '/admin/mail';
export const blockedPath = `${mailPath}/blocked`;
export const textsPath = `${mailPath}/texts`;
export const settingsPath = `${mailPath}/settings`;

export const tabsOf = (here: string): MailTab[] =>
  [
    { label: 'Mails', href: mailPath },
    { label: 'Blocked', href: blockedPath },
    { label: 'Texts', href: textsPath },
    { label: 'Sender', href: settingsPath },
  ].map((tab) => ({ ...tab, isHere: tab.href === here }));

export const searchOf = (query: URLSearchParams): string =>
  (query.get('q') ?? '').replaceAll('\0', '').slice(0, 200).trim();

function filterOf(query: URLSearchParams): MailFilter {
  return {
    search: searchOf(query),
    state: mailStates.find((state) => state === query.get('state')) ?? null,
    kind: mailKinds.find((kind) => kind === query.get('kind')) ?? null,
  };
}

function choices<T extends string>(
  options: readonly T[],
  any: string,
  chosen: T | null,
  words: (o: T) => string,
): Choice[] {
  const all = options.map((value) => ({ value, label: words(value), selected: value === chosen }));
  return [{ value: '', label: any, selected: chosen === null }, ...all];
}

export function statusOfMail(mail: { state: MailState; nextTryAt: Date | null }, moment: Desk['moment']): StatusWords {
  const words = stateWords[mail.state];
  return mail.state === 'deferred' && mail.nextTryAt
    ? { ...words, more: `next try ${moment(mail.nextTryAt).text}` }
    : words;
}

function toLine(mail: MailRow, desk: Desk): MailLine {
  const { person } = mail;
  return {
    kind: kindWords[mail.kind],
    recipient: mail.recipient,
    person: person && { name: `${person.firstName} ${person.lastName}`, href: `${usersPath}/${person.id}` },
    status: statusOfMail(mail, desk.moment),
    answer: mail.answer ?? mail.error ?? '',
    at: desk.moment(mail.sentAt ?? mail.createdAt),
  };
}

async function noticeOf(desk: Desk, runtime: Runtime): Promise<string> {
  if (runtime.config.smtpUrl === undefined)
    return `This installation has no mail server. Mails are kept for ${keptDays} days and not sent; the operator sets one with SMTP_URL.`;
  const waiting = await countWaiting(desk.work, desk.companyId);
  if (waiting === 0) return '';
  const words = countWords({ total: waiting, isMore: false }, 'mail waits', 'mails wait');
  return `${words} for the mail server, which did not take ${waiting === 1 ? 'it' : 'them'} yet. Each is tried again by itself, for ${giveUpDays} days at most.`;
}

function chipsOf(ctx: Context, { search, state, kind }: MailFilter): Chip[] {
  const chip = (label: string, name: string): Chip => ({ label, without: address(ctx, { [name]: null }) });
  return [
    ...(search === '' ? [] : [chip(`“${search}”`, 'q')]),
    ...(state === null ? [] : [chip(stateWords[state].word, 'state')]),
    ...(kind === null ? [] : [chip(kindWords[kind], 'kind')]),
  ];
}

const list: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const filter = filterOf(query);
  const [mails, notice] = await Promise.all([
    listMails(desk.work, desk.companyId, filter, pagingOf(query)),
    noticeOf(desk, runtime),
  ]);
  const chips = chipsOf(ctx, filter);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/mail/list', title: 'Mail', place: 'mail' },
    {
      tabs: tabsOf(mailPath),
      notice,
      filters: {
        search: filter.search,
        states: choices(mailStates, 'Any state', filter.state, (state) => stateWords[state].word),
        kinds: choices(
          mailKinds.filter((kind) => kind !== 'forgotCompany'),
          'Any mail',
          filter.kind,
          (kind) => kindWords[kind],
        ),
        chips,
        clear: chips.length > 1 ? mailPath : null,
      },
      mails: mails.rows.map((mail) => toLine(mail, desk)),
      pages: pageLinks(ctx, mails),
      count: countWords(mails, 'mail', 'mails'),
      isFiltered: chips.length > 0,
    },
  );
};

export const mailListRoutes: Route[] = [{ method: 'get', path: mailPath, handle: deskOf('mail.manage', list) }];
