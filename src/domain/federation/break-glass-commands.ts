// Break-glass people (C26): who may log in with a password whatever is enforced, each with a reason and an end, or none by choice.
import { z } from 'zod';
import { invalid, notFound } from '../../lib/errors.ts';
import { type CompanyId, isId, type UserId } from '../../lib/ids.ts';
import { after, days, hours } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { tellAdministrators } from '../users/administrators.ts';
import { findLostLastSsoWay, refuseLosingLastSsoWayIn } from '../users/sso-ways-in-commands.ts';
import type { User } from '../users/user.ts';
import {
  type BreakGlassPerson,
  deleteEndedBreakGlass,
  listEndingBreakGlass,
  mostBreakGlass,
} from './break-glass-repository.ts';
import { isInForce } from './enforce.ts';

const ending = {
  reason: z
    .string()
    .trim()
    .min(1, 'Enter a reason: others want to know why.')
    .max(200, 'A reason has 200 characters at most.')
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'A reason is one line.'),
  endsAt: z.date('Enter the day on which it ends.').nullable(),
  noEnd: z.boolean(),
};

export const breakGlassInput = z.strictObject({ userId: z.string(), ...ending });
export type BreakGlassInput = z.input<typeof breakGlassInput>;

export const breakGlassChange = z.strictObject(ending);
export type BreakGlassChange = z.input<typeof breakGlassChange>;

/** Shorter, and nobody could be told before it ends. */
const leastLife = hours(1);
const longestLife = days(366);

function parse<S extends z.ZodType<{ endsAt: Date | null; noEnd: boolean }>>(
  schema: S,
  input: unknown,
  now: Date,
): z.output<S> {
  const parsed = schema.safeParse(input);
  if (!parsed.success)
    refuse(Object.fromEntries(parsed.error.issues.toReversed().map(({ path, message }) => [path.join('.'), message])));
  const { endsAt, noEnd } = parsed.data;
  if (endsAt === null && !noEnd) refuse({ endsAt: 'Enter the day on which it ends, or choose "No end".' });
  if (endsAt !== null && noEnd) refuse({ endsAt: 'Either a day on which it ends, or "No end".' });
  if (endsAt !== null && endsAt < after(now, leastLife))
    refuse({ endsAt: 'The end must be an hour from now, or later.' });
  if (endsAt !== null && endsAt > after(now, longestLife))
    refuse({ endsAt: 'The end is a year from now at the latest. For longer choose "No end".' });
  return parsed.data;
}

function refuse(fields: Record<string, string>): never {
  throw invalid(Object.values(fields).join(' '), fields);
}

export async function listBreakGlass(work: Work, companyId: CompanyId): Promise<BreakGlassPerson[]> {
  await authorise(work, companyId, 'security.manage');
  return work.store.of(companyId).breakGlass.list();
}

/** @throws AppError 422 by field, 409 when the person is on the list */
export async function addBreakGlass(work: Work, companyId: CompanyId, input: BreakGlassInput): Promise<void> {
  await authorise(work, companyId, 'security.manage');
  const { userId, reason, endsAt } = parse(breakGlassInput, input, work.now);
  await transaction(work, async (work) => {
    const { breakGlass, users } = work.store.of(companyId);
    await breakGlass.holdList();
    // Checked to be an id; whose it is, the company's own table says.
    const user = isId(userId) ? await users.findById(userId as UserId) : null;
    if (!user || user.baseStatus === 'Deleted') refuse({ userId: 'Choose a person of your company.' });
    if (user.role === 'Root Admin')
      refuse({ userId: 'Root can always log in with a password, and needs no place on this list.' });
    const list = await breakGlass.list();
    const ended = list.find((one) => one.userId === user.id && !isInForce(one, work.now));
    if (ended) await breakGlass.delete(user.id);
    if (list.filter((one) => isInForce(one, work.now)).length >= mostBreakGlass)
      refuse({ userId: `There are ${mostBreakGlass} people on the list already: remove some first.` });
    await breakGlass.insert({ userId: user.id, reason, endsAt, createdAt: work.now, createdBy: work.actor.name });
    await tell(work, user, 'added', { reason, endsAt });
  });
}

/** A new reason or end. @throws AppError 422, 404 */
export async function changeBreakGlass(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
  change: BreakGlassChange,
): Promise<void> {
  await authorise(work, companyId, 'security.manage');
  const { reason, endsAt } = parse(breakGlassChange, change, work.now);
  await transaction(work, async (work) => {
    const { breakGlass } = work.store.of(companyId);
    await breakGlass.holdList();
    const before = await get(work, companyId, userId);
    const hasSameEnd = before.endsAt?.getTime() === endsAt?.getTime();
    await breakGlass.update(userId, { reason, endsAt, remindedDays: hasSameEnd ? before.remindedDays : null });
    await tell(work, { id: userId, companyId, username: before.username }, 'changed', { reason, endsAt });
  });
}

async function get(work: Work, companyId: CompanyId, userId: UserId): Promise<BreakGlassPerson> {
  const found = isId(userId) ? await work.store.of(companyId).breakGlass.find(userId) : null;
  if (!found) throw notFound('person on the list');
  return found;
}

/** @throws AppError 409 last_way_in, which names who it is; 404 */
export async function removeBreakGlass(work: Work, companyId: CompanyId, userId: UserId): Promise<void> {
  await authorise(work, companyId, 'security.manage');
  await transaction(work, async (work) => {
    await work.store.of(companyId).breakGlass.holdList();
    const { username, reason, endsAt } = await get(work, companyId, userId);
    await refuseLosingLastSsoWayIn(work, companyId, [userId]);
    await work.store.of(companyId).breakGlass.delete(userId);
    await tell(work, { id: userId, companyId, username }, 'removed', { reason, endsAt });
  });
}

const tell = (
  work: Work,
  { id, companyId, username }: Pick<User, 'id' | 'companyId' | 'username'>,
  change: 'added' | 'changed' | 'kept' | 'removed',
  { reason, endsAt }: { reason: string; endsAt: Date | null },
) =>
  record(work, {
    action: 'sso.config',
    companyId,
    target: { kind: 'user', id },
    details: { of: 'break-glass', change, name: username, reason, until: endsAt?.toISOString() ?? null },
  });

/** Days before the end on which the administrators are told, first to last. */
const reminderDays = [7, 1] as const;
const keptBy = days(7);
/** Those that ended longer ago are of no use even for looking back: the audit log has them. */
const keptEnded = days(30);

/** At every turn of the housekeeping, on every node: whoever comes second finds nothing to do. */
export async function watchBreakGlass(work: Work): Promise<void> {
  const due = { now: work.now, firstReminder: after(work.now, days(reminderDays[0])), limit: 200 };
  for (const { companyId, userId } of await listEndingBreakGlass(work.store.db, due))
    await transaction(work, (work) => watchOne(work, companyId, userId));
  await deleteEndedBreakGlass(work.store.db, after(work.now, -keptEnded));
}

async function watchOne(work: Work, companyId: CompanyId, userId: UserId): Promise<void> {
  const { breakGlass } = work.store.of(companyId);
  await breakGlass.holdList();
  const one = await breakGlass.find(userId);
  const due = one?.endsAt
    ? reminderDays.findLast((d) => Number(one.endsAt) <= Number(after(work.now, days(d))))
    : undefined;
  if (!one?.endsAt || one.endsAt <= work.now || due === undefined) return;
  if (one.remindedDays !== null && one.remindedDays <= due) return;
  // The last administrator on the list does not end while it is enforced: it is kept for a week, again and again, and told each time.
  const isLast = due === 1 && (await findLostLastSsoWay(work, companyId, [userId])) !== null;
  const endsAt = isLast ? after(work.now, keptBy) : one.endsAt;
  await breakGlass.update(userId, { reason: one.reason, endsAt, remindedDays: isLast ? reminderDays[0] : due });
  if (isLast) await tell(work, { id: userId, companyId, username: one.username }, 'kept', { ...one, endsAt });
  await tellAdministrators(work, companyId, 'breakGlassEnds', {
    account: one.username,
    reason: one.reason,
    endsAt: endsAt.toISOString(),
    isKept: isLast,
    href: '/admin/sso/break-glass',
  });
}
