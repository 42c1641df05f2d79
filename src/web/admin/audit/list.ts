// The audit log: who did what, when, from where. The address holds the filter and the place; pages go by keyset.
import { Readable } from 'node:stream';
import { actorWords, sentenceOf } from '../../../domain/audit/sentence.ts';
import { type AuditEntry, type Cursor, listAudit, suggestPeople } from '../../../domain/reports/audit-queries.ts';
import { exportAudit } from '../../../domain/reports/export-commands.ts';
import { namesFor } from '../../../domain/reports/name-queries.ts';
import type { Context } from '../../context.ts';
import { zoneOf } from '../../home/person.ts';
import type { Route } from '../../routes.ts';
import { address, type Desk, type DeskHandler, deskOf, showDesk } from '../console.ts';
import type { Chip } from '../views.ts';
import { auditPath, showEvent } from './event.ts';
import { type AskedFilter, actionChoices, filterNames, labelOfAction, ranges, readFilter } from './filter.ts';
import type { AuditLine } from './views.ts';

const size = 50;

const alarming = /^(login\.fail|entry\.refuse|user\.(lock|delete|deactivate)|operator\.|root\.|policy\.|ip\.)/;

/** `before` and `after` hold the id of an event. */
function cursorOf(query: URLSearchParams): Cursor | null {
  for (const [name, towards] of [
    ['before', 'older'],
    ['after', 'newer'],
  ] as const) {
    const id = query.get(name) ?? '';
    if (/^\d{1,18}$/.test(id)) return { id, towards };
  }
  return null;
}

const place = { before: null, after: null };

function chipsOf(ctx: Context, { asked, person, isPersonUnknown }: AskedFilter): Chip[] {
  const chip = (label: string, ...names: string[]): Chip => ({
    label,
    without: address(ctx, { ...place, ...Object.fromEntries(names.map((name) => [name, null])) }),
  });
  const range = ranges.find(({ value }) => value === asked.range);
  return [
    ...(person ? [chip(person.name, 'person')] : isPersonUnknown ? [chip(`“${asked.person}”`, 'person')] : []),
    ...(asked.action ? [chip(labelOfAction(asked.action), 'action')] : []),
    ...(range ? [chip(range.label, 'range')] : []),
    ...(asked.from ? [chip(`From ${asked.from.replace('T', ' ')}`, 'from')] : []),
    ...(asked.to ? [chip(`Until ${asked.to.replace('T', ' ')}`, 'to')] : []),
    ...(asked.ip ? [chip(`Address ${asked.ip}`, 'ip')] : []),
    ...(asked.code ? [chip(`Code ${asked.code}`, 'code')] : []),
  ];
}

async function linesOf(desk: Desk, entries: AuditEntry[]): Promise<AuditLine[]> {
  const nameOf = await namesFor(desk.work, desk.companyId, entries);
  return entries.map((entry) => ({
    id: entry.id,
    href: `${auditPath}/${entry.id}`,
    at: desk.moment(entry.at),
    sentence: sentenceOf(entry, nameOf),
    who: actorWords(entry.actor, nameOf),
    ip: entry.ip,
    code: entry.code ?? '',
    isAlarming: alarming.test(entry.action),
  }));
}

const list: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const found = await readFilter(query, desk);
  const { asked, filter, isPersonUnknown } = found;
  const cursor = cursorOf(query);
  const page = isPersonUnknown
    ? { entries: [], hasOlder: false, hasNewer: false }
    : await listAudit(desk.work, desk.companyId, filter, { size, cursor });
  const chips = chipsOf(ctx, found);
  const [first, last] = [page.entries[0], page.entries.at(-1)];
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/audit/list', title: 'Audit log', place: 'audit' },
    {
      filters: {
        person: asked.person,
        actions: actionChoices(asked.action),
        isAnyAction: asked.action === '',
        ranges: [
          { value: '', label: 'Any time', selected: asked.range === '' },
          ...ranges.map(({ value, label }) => ({ value, label, selected: value === asked.range })),
        ],
        from: asked.from,
        to: asked.to,
        ip: asked.ip,
        code: asked.code,
        isMoreOpen: [asked.from, asked.to, asked.ip, asked.code].some((value) => value !== ''),
        chips,
        clear: chips.length > 1 ? auditPath : null,
      },
      zone: zoneOf(desk.user),
      events: await linesOf(desk, page.entries),
      isFiltered: chips.length > 0,
      unknownPerson: isPersonUnknown ? asked.person : '',
      links: {
        newest: cursor ? address(ctx, place) : null,
        newer: page.hasNewer && first ? address(ctx, { before: null, after: first.id }) : null,
        older: page.hasOlder && last ? address(ctx, { before: last.id, after: null }) : null,
      },
      hidden: filterNames.flatMap((name) => (asked[name] === '' ? [] : [{ name, value: asked[name] }])),
    },
  );
};

const formats = {
  csv: { type: 'text/csv; charset=utf-8', ending: 'csv' },
  jsonl: { type: 'application/x-ndjson; charset=utf-8', ending: 'jsonl' },
} as const;

/** By POST, since it leaves an event behind; the answer begins at once and takes no memory, however long it is. */
const download: DeskHandler = async (ctx, _runtime, desk) => {
  const format = ctx.state.form.format === 'jsonl' ? 'jsonl' : 'csv';
  const { filter, isPersonUnknown } = await readFilter(new URLSearchParams(ctx.state.form), desk);
  // Nobody of that name: an empty file, not everybody's events.
  const nothing = { ...filter, from: desk.work.now, to: desk.work.now };
  const file = await exportAudit(desk.work, desk.companyId, isPersonUnknown ? nothing : filter, format);
  const { type, ending } = formats[format];
  ctx.attachment(`audit-${desk.work.now.toISOString().slice(0, 10)}.${ending}`);
  ctx.type = type;
  ctx.body = Readable.from(file);
};

/** For the field that completes itself. */
const people: DeskHandler = async (ctx, _runtime, desk) => {
  const search = (new URLSearchParams(ctx.querystring).get('q') ?? '').replaceAll('\0', '').slice(0, 100);
  const found = await suggestPeople(desk.work, desk.companyId, search);
  ctx.body = found.map(({ name, username }) => ({ value: username, label: name }));
};

export const auditRoutes: Route[] = [
  { method: 'get', path: auditPath, handle: deskOf('audit.read', list) },
  { method: 'post', path: `${auditPath}/export`, handle: deskOf('audit.read', download) },
  { method: 'get', path: `${auditPath}/people`, handle: deskOf('audit.read', people) },
  { method: 'get', path: `${auditPath}/:event`, handle: deskOf('audit.read', showEvent) },
];
