// What an event's details say of a change: the values before and after, in words.
import { cut } from '../../lib/cut.ts';

/** A value as a sentence shows it. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'nothing';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(shown).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const fieldWords: Record<string, string> = {
  firstName: 'first name',
  lastName: 'last name',
  email: 'e-mail',
  phone: 'phone number',
  timeZone: 'time zone',
  role: 'role',
  groups: 'access groups',
  isActive: 'active',
  minLength: 'minimum length',
  requireLower: 'lower-case letter required',
  requireUpper: 'upper-case letter required',
  requireDigit: 'digit required',
  requireSymbol: 'symbol required',
  history: 'password history',
  maxAgeDays: 'days until a password expires',
  threshold: 'failed logins until the lock',
  minutes: 'minutes of the lock',
  idleMinutes: 'minutes until an idle session ends',
  absoluteMinutes: 'minutes until every session ends',
  enabled: 'switched on',
  login: 'log in through us',
  require: 'required login',
  provision: 'automatic provisioning',
  deprovision: 'automatic deprovisioning',
  graceDays: 'days of grace',
  removal: 'what removal does',
  accessGroups: 'permissions by access groups',
  rules: 'rules',
};

/** What differs between `before` and `after` of an event's details, field by field; for the log's own table, too. */
export function changesOf(details: Record<string, unknown>): { field: string; before: string; after: string }[] {
  if (!isRecord(details.before) || !isRecord(details.after)) return [];
  const [before, after] = [flat(details.before), flat(details.after)];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((key) => ({ field: fieldWords[key] ?? key, before: shown(before[key]), after: shown(after[key]) }))
    .filter(({ before, after }) => before !== after);
}

/** Values by their last name: `{ password: { minLength: 8 } }` is told as "minimum length". */
function flat(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (isRecord(inner) ? Object.entries(flat(inner)) : [[key, inner]])),
  );
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** In a sentence; the log's page of one event shows all of it. */
const mostShown = 80;

/** ": first name from “Ben” to “Benjamin”", or nothing. */
export function changeWords(details: Record<string, unknown>): string {
  const changes = changesOf(details).map(
    ({ field, before, after }) => `${field} from “${cut(before, mostShown)}” to “${cut(after, mostShown)}”`,
  );
  return changes.length === 0 ? '' : `: ${changes.join(', ')}`;
}
