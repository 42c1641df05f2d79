// One event of the audit log: what happened, why, what it changed, and its seal.

import { actionWords } from '../../../domain/audit/action-words.ts';
import { changesOf } from '../../../domain/audit/changes.ts';
import { refusalWords } from '../../../domain/audit/reasons.ts';
import { actorWords, type NameOf, sentenceOf } from '../../../domain/audit/sentence.ts';
import { type AuditEntry, getAuditEntry } from '../../../domain/reports/audit-queries.ts';
import { namesFor } from '../../../domain/reports/name-queries.ts';
import { param } from '../../routes.ts';
import { type DeskHandler, showDesk } from '../console.ts';
import { usersPath } from '../users/list.ts';
import type { AuditViews } from './views.ts';

export const auditPath = '/admin/audit';

type Locals = AuditViews['admin/audit/event'];

const personHref = (kind: string, id: string | undefined, nameOf: NameOf): string | null =>
  kind === 'user' && id && nameOf('user', id) ? `${usersPath}/${id}` : null;

function factsOf(entry: AuditEntry, nameOf: NameOf): Locals['facts'] {
  const { actor, target } = entry;
  const fact = (label: string, value: string, href: string | null = null) =>
    value === '' ? [] : [{ label, value, href }];
  const whom = target && (nameOf(target.kind, target.id) ?? `${target.kind} ${target.id}`);
  return [
    ...fact('Action', `${actionWords(entry.action)} (${entry.action})`),
    ...fact('Who', actorWords(actor, nameOf), personHref(actor.kind, actor.id, nameOf)),
    ...fact('Acted as', actor.name),
    ...fact('On', whom ?? '', target && personHref(target.kind, target.id, nameOf)),
    ...fact('Address', entry.ip, `${auditPath}?${new URLSearchParams({ ip: entry.ip })}`),
    ...fact('Device', entry.agent),
    ...fact('Code on the page', entry.code ?? ''),
    ...fact('Request', entry.requestId),
    ...fact('Event', entry.id),
  ];
}

/** A short code leads here from an error page: this is what it stood for. */
function whyOf(entry: AuditEntry, nameOf: NameOf): Locals['why'] {
  const person = entry.target?.kind === 'user' && nameOf('user', entry.target.id) !== null ? entry.target.id : null;
  const toPerson =
    person && entry.code
      ? { href: `/admin/why?${new URLSearchParams({ code: entry.code })}`, label: 'Why can or can’t they get in?' }
      : null;
  if (entry.action === 'login.fail')
    return {
      sentence: `${entry.details.reason === 'wrong-proof' ? 'Nothing was changed' : 'The login was refused'}: ${refusalWords(entry.details.reason)}.`,
      link: toPerson,
    };
  if (entry.action === 'entry.refuse') return { sentence: entryWhy(entry.details.reason), link: toPerson };
  return null;
}

function entryWhy(reason: unknown): string {
  switch (reason) {
    case 'not-administrator':
      return 'Only administrators of the company connect modules, and this person is none.';
    case 'no-permission':
      return 'Access groups give the permissions in this module, and none of the person’s has one. Add a rule for one of them, or add the person to a group that has one.';
    case 'other-instance':
      return 'The person’s access groups open another connection of this module, not the one that was asked for.';
    default:
      return 'No active access group of the person opens this module. Add the person to one, or activate it.';
  }
}

const words = (value: unknown): string => {
  if (value === null || value === undefined || value === '') return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'nothing' : value.map(words).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** What is not told by the table of changes. */
function detailsOf({ details }: AuditEntry, hasChanges: boolean): Locals['details'] {
  return Object.entries(details)
    .filter(([name]) => !(hasChanges && (name === 'before' || name === 'after')))
    .map(([label, value]) => ({ label, value: words(value) }));
}

/** A single value before and after is a change, too. */
function changed(details: AuditEntry['details']): Locals['changes'] {
  const fields = changesOf(details);
  const { before, after } = details;
  const isSingle =
    fields.length === 0 && 'before' in details && 'after' in details && typeof (before ?? after) !== 'object';
  return isSingle ? [{ field: 'value', before: words(before), after: words(after) }] : fields;
}

export const showEvent: DeskHandler = async (ctx, runtime, desk) => {
  const { entry, seal } = await getAuditEntry(desk.work, desk.companyId, param(ctx, 'event'));
  const nameOf = await namesFor(desk.work, desk.companyId, [entry]);
  const changes = changed(entry.details);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/audit/event', title: `Event ${entry.id}`, place: 'audit' },
    {
      sentence: sentenceOf(entry, nameOf),
      at: desk.moment(entry.at),
      facts: factsOf(entry, nameOf),
      why: whyOf(entry, nameOf),
      changes,
      details: detailsOf(entry, changes.length > 0),
      seal: seal && { seq: new Intl.NumberFormat('en').format(seal.seq), hash: seal.hash, at: desk.moment(seal.at) },
      back: auditPath,
    },
  );
};
