// Present names of what events speak of: three statements for a page of events, whatever they are about.
import type { CompanyId } from '../../lib/ids.ts';
import { isId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { NameOf, ToldEvent } from '../audit/sentence.ts';

export async function namesFor(work: Work, companyId: CompanyId, events: ToldEvent[]): Promise<NameOf> {
  const ids = (kind: string): string[] => [
    ...new Set(
      events
        .flatMap(({ actor, target }) => [
          ...(actor.kind === kind && actor.id ? [actor.id] : []),
          ...(target?.kind === kind ? [target.id] : []),
        ])
        .filter(isId),
    ),
  ];
  const { db } = work.store;
  const [people, groups, modules] = await Promise.all([
    some(ids('user'), (ids) =>
      db('users')
        .where('company_id', companyId)
        .whereIn('id', ids)
        .select<{ id: string; name: string }[]>('id', db.raw(`first_name || ' ' || last_name as name`)),
    ),
    some(ids('group'), (ids) =>
      db('access_groups')
        .where('company_id', companyId)
        .whereIn('id', ids)
        .select<{ id: string; name: string }[]>('id', 'name'),
    ),
    some(ids('module'), (ids) => db('modules').whereIn('id', ids).select<{ id: string; name: string }[]>('id', 'name')),
  ]);
  const names = new Map<string, string>();
  for (const { id, name } of people) names.set(`user ${id}`, name);
  for (const { id, name } of groups) names.set(`group ${id}`, name);
  for (const { id, name } of modules) names.set(`module ${id}`, name);
  return (kind, id) => names.get(`${kind} ${id}`) ?? null;
}

const some = async <T>(ids: string[], ask: (ids: string[]) => PromiseLike<T[]>): Promise<T[]> =>
  ids.length === 0 ? [] : ask(ids);
