// The audit log as a file: of any length, with a batch in memory at a time, and itself an event.
import { csvFile } from '../../lib/csv.ts';
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { actorWords, type NameOf, sentenceOf } from '../audit/sentence.ts';
import { authorise } from '../roles/authority.ts';
import type { AuditFilter } from './audit-filter.ts';
import { type AuditEntry, eachBatch } from './audit-queries.ts';
import { namesFor } from './name-queries.ts';

export type AuditFormat = 'csv' | 'jsonl';

export const csvHeads = [
  'Id',
  'Time (UTC)',
  'Action',
  'What happened',
  'Actor kind',
  'Actor',
  'Actor id',
  'Target kind',
  'Target',
  'Target id',
  'Address',
  'Device',
  'Code',
  'Request',
  'Details',
];

/** @returns the file, piece by piece, newest event first; events that come meanwhile are not in it */
export async function exportAudit(
  work: Work,
  companyId: CompanyId,
  filter: AuditFilter,
  format: AuditFormat,
): Promise<AsyncGenerator<string>> {
  await authorise(work, companyId, 'audit.read');
  const chosen = Object.entries(filter).filter(
    ([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  await record(work, {
    action: 'audit.export',
    companyId,
    target: { kind: 'company', id: companyId },
    details: { format, filter: Object.fromEntries(chosen) },
  });
  const batches = eachNamed(work, companyId, { ...filter, to: filter.to ?? work.now });
  return format === 'csv' ? csvFile(csvHeads, mapped(batches, cellsOf)) : lines(mapped(batches, jsonOf));
}

interface Named {
  entries: AuditEntry[];
  nameOf: NameOf;
}

async function* eachNamed(work: Work, companyId: CompanyId, filter: AuditFilter): AsyncGenerator<Named> {
  for await (const entries of eachBatch(work, companyId, filter))
    yield { entries, nameOf: await namesFor(work, companyId, entries) };
}

async function* mapped<T>(
  batches: AsyncIterable<Named>,
  map: (entry: AuditEntry, nameOf: NameOf) => T,
): AsyncGenerator<T[]> {
  for await (const { entries, nameOf } of batches) yield entries.map((entry) => map(entry, nameOf));
}

async function* lines(batches: AsyncIterable<object[]>): AsyncGenerator<string> {
  for await (const batch of batches) yield batch.map((one) => `${JSON.stringify(one)}\n`).join('');
}

function cellsOf(entry: AuditEntry, nameOf: NameOf): (string | null)[] {
  const { actor, target } = entry;
  return [
    entry.id,
    entry.at.toISOString(),
    entry.action,
    sentenceOf(entry, nameOf),
    actor.kind,
    actorWords(actor, nameOf),
    actor.id ?? '',
    target?.kind ?? '',
    (target && nameOf(target.kind, target.id)) ?? '',
    target?.id ?? '',
    entry.ip,
    entry.agent,
    entry.code ?? '',
    entry.requestId,
    JSON.stringify(entry.details),
  ];
}

function jsonOf(entry: AuditEntry, nameOf: NameOf): object {
  const { id, at, action, actor, target, details, code, ip, agent, requestId } = entry;
  return {
    id,
    at,
    action,
    sentence: sentenceOf(entry, nameOf),
    actor: { ...actor, displayName: actorWords(actor, nameOf) },
    target: target && { ...target, displayName: nameOf(target.kind, target.id) },
    details,
    code,
    ip,
    agent,
    requestId,
  };
}
