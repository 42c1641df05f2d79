// Days and clocks of time zones: what a person types or reads on a calendar, and the instant that it means; and which zones there are.
import { isTimeZone } from './time.ts';

/** Runtimes go on listing zones by the names that they had first (CLDR never renames one); people look for the names of today. */
const namesOfToday = new Map([
  ['Africa/Asmera', 'Africa/Asmara'],
  ['America/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
  ['America/Catamarca', 'America/Argentina/Catamarca'],
  ['America/Coral_Harbour', 'America/Atikokan'],
  ['America/Cordoba', 'America/Argentina/Cordoba'],
  ['America/Godthab', 'America/Nuuk'],
  ['America/Indianapolis', 'America/Indiana/Indianapolis'],
  ['America/Jujuy', 'America/Argentina/Jujuy'],
  ['America/Louisville', 'America/Kentucky/Louisville'],
  ['America/Mendoza', 'America/Argentina/Mendoza'],
  ['Asia/Calcutta', 'Asia/Kolkata'],
  ['Asia/Katmandu', 'Asia/Kathmandu'],
  ['Asia/Rangoon', 'Asia/Yangon'],
  ['Asia/Saigon', 'Asia/Ho_Chi_Minh'],
  ['Atlantic/Faeroe', 'Atlantic/Faroe'],
  ['Europe/Kiev', 'Europe/Kyiv'],
  ['Pacific/Enderbury', 'Pacific/Kanton'],
  ['Pacific/Ponape', 'Pacific/Pohnpei'],
  ['Pacific/Truk', 'Pacific/Chuuk'],
]);

/**
 * The zones to choose from, UTC first: runtimes leave it out, since it is none of a place.
 * @param stored stays in the list by the name that it has, so that saving a form changes nothing.
 */
export function zonesToChoose(stored: string): string[] {
  const named = Intl.supportedValuesOf('timeZone').map((zone) => namesOfToday.get(zone) ?? zone);
  const zones = new Set([...named, ...(isTimeZone(stored) ? [stored] : [])]);
  zones.delete('UTC');
  return ['UTC', ...[...zones].sort()];
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  formats.set(timeZone, made);
  return made;
}

/** What a clock in the zone shows, as if it were UTC. */
function wall(at: number, timeZone: string): number {
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(at)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

const offsetAt = (at: number, timeZone: string): number => wall(at, timeZone) - Math.floor(at / 1000) * 1000;

const day = 86_400_000;

/** The instant at which a clock in the zone first shows this; an hour that is left out in spring ends at once. */
function instant(local: number, timeZone: string): Date {
  const before = local - offsetAt(local - day, timeZone);
  const after = local - offsetAt(local + day, timeZone);
  const found = [Math.min(before, after), Math.max(before, after)].find((at) => wall(at, timeZone) === local);
  return new Date(found ?? before);
}

/** @param local such as "2026-11-22T09:30". Null for what is no such time. */
export function instantOf(local: string, timeZone: string): Date | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$/.exec(local);
  if (!match) return null;
  const [year = 0, month = 1, date = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map((n) => Number(n ?? 0));
  const utc = Date.UTC(year, month - 1, date, hour, minute, second);
  const isReal = !Number.isNaN(utc) && new Date(utc).toISOString().startsWith(local.slice(0, 16));
  return isReal && year >= 1970 ? instant(utc, timeZone) : null;
}

/** Beginnings of the last `count` days up to today, and the beginning of tomorrow: `count + 1` instants. */
export function dayBounds(now: Date, count: number, timeZone: string): Date[] {
  const today = Math.floor(wall(now.getTime(), timeZone) / day) * day;
  return Array.from({ length: count + 1 }, (_, at) => instant(today + (at - count + 1) * day, timeZone));
}
