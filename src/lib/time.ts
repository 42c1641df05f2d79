// Durations in words of the domain. Times themselves come from `work.now`, never from here.

export const seconds = (n: number) => n * 1000;
export const minutes = (n: number) => n * 60_000;
export const hours = (n: number) => n * 3_600_000;
export const days = (n: number) => n * 86_400_000;

export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

export function after(now: Date, milliseconds: number): Date {
  return new Date(now.getTime() + milliseconds);
}

/** Seconds since the epoch, as JWTs count (RFC 7519 section 2, NumericDate). */
export function epoch(now: Date): number {
  return Math.floor(now.getTime() / 1000);
}

const steps: [limit: number, size: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [86_400, 3600, 'hour'],
  [2_592_000, 86_400, 'day'],
  [31_536_000, 2_592_000, 'month'],
  [Number.POSITIVE_INFINITY, 31_536_000, 'year'],
];

// as: the last step has no limit.
const stepOf = (length: number) => steps.find(([limit]) => length < limit) as (typeof steps)[number];

/** "20 minutes", however long it is. */
export function span(milliseconds: number, locale = 'en'): string {
  const length = Math.abs(milliseconds) / 1000;
  const [, size, unit] = stepOf(length);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.round(length / size));
}

/** "3 minutes ago", "in 9 minutes". */
export function relative(at: Date, now: Date, locale = 'en'): string {
  const difference = (at.getTime() - now.getTime()) / 1000;
  if (Math.abs(difference) < 10) return 'just now';
  const [, size, unit] = stepOf(Math.abs(difference));
  return new Intl.RelativeTimeFormat(locale, { numeric: 'always' }).format(Math.round(difference / size), unit);
}

/** Exact time in the viewer's zone, for tooltips and mails. */
export function exact(at: Date, timeZone: string, locale = 'en'): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium', timeZone }).format(at);
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
