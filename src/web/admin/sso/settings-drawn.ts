// What the form of the settings was drawn with, as a digest of each field: on a conflict it tells what somebody changed from what they
// only left as it was.
import { createHash } from 'node:crypto';
import type { Kind } from './settings-fields.ts';
import { fieldNames, plain, type Typed } from './settings-form.ts';

export interface Form extends Typed {
  /** Enable as it was ticked; it is switched on a page of its own. */
  enabled: boolean;
}

const digest = (name: string, value: string): string =>
  createHash('sha256').update(`${name}\n${value}`).digest('base64url').slice(0, 12);

const ofField = ({ fields }: Typed, name: string): string => digest(name, plain(fields[name]));
const ofGroups = ({ groupIds }: Typed): string => digest('groups', [...groupIds].sort().join());
const ofEnabled = ({ enabled }: Form): string => digest('enabled', String(enabled));

export const drawnOf = (kind: Kind, form: Form): string =>
  [...fieldNames(kind).map((name) => ofField(form, name)), ofGroups(form), ofEnabled(form)].join(' ');

/** Mine where I changed something, else theirs. */
export function mergedOf(kind: Kind, drawn: string, mine: Form, theirs: Form): Form {
  const was = new Set(drawn.split(' '));
  const fields = fieldNames(kind).map((name) => {
    const from = was.has(ofField(mine, name)) ? theirs : mine;
    return [name, from.fields[name] ?? ''] as const;
  });
  return {
    fields: Object.fromEntries(fields),
    groupIds: was.has(ofGroups(mine)) ? theirs.groupIds : mine.groupIds,
    enabled: was.has(ofEnabled(mine)) ? theirs.enabled : mine.enabled,
  };
}
