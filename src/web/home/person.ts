// Who is signed in on our own pages: the session of the engine itself, read anew at every request, so that its end is felt at once.

import { cookieNames } from '../../config/cookies.ts';
import { parseSessionPolicy } from '../../domain/companies/company.ts';
import { listOwnTiles } from '../../domain/modules/tile-commands.ts';
import type { Role } from '../../domain/roles/role.ts';
import { can } from '../../domain/roles/role.ts';
import type { AccountFacts } from '../../domain/sessions/record-repository.ts';
import { isOver, recordId, sessionEnds } from '../../domain/sessions/session.ts';
import { fullName, initialsOf, type User } from '../../domain/users/user.ts';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { exact, minutes, relative } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import type { Work } from '../../work.ts';
import type { Context } from '../context.ts';
import type { Moment, Shell, Tile } from '../views.ts';

export interface Person {
  /** Acts in this person's name. */
  work: Work;
  companyId: CompanyId;
  userId: UserId;
  sessionUid: string;
  /** When they last proved who they are, here or at their identity provider. */
  signedInAt: Date;
  /** That was through an identity provider, which may have asked them for nothing then. */
  isFederated: boolean;
  account: AccountFacts;
}

/** Null when nobody is signed in: no cookie, a forged one, an ended or idle session, a person who is not Active. */
export async function findPerson(ctx: Context, runtime: Runtime): Promise<Person | null> {
  const cookie = ctx.cookies.get(cookieNames(runtime.config.isSecure).session, { signed: true });
  if (!cookie) return null;
  const row = await runtime.recordIo.read(recordId('Session', cookie));
  if (row?.kind !== 'Session' || !row.account || !row.session_uid) return null;
  const { account } = row;
  const { work } = ctx.state;
  const signedInAt = new Date(Number(row.payload.loginTs ?? 0) * 1000);
  const startedAt = new Date((row.began_at ?? 0) * 1000);
  const policy = parseSessionPolicy(account.sessionPolicy);
  const lastSeenAt = new Date((row.seen_at ?? 0) * 1000);
  if (isOver(policy, { startedAt, lastSeenAt }, work.now)) return null;
  const ends = sessionEnds(policy, startedAt, work.now);
  if (Number(row.payload.exp ?? 0) * 1000 <= work.now.getTime()) return null;
  const person: Person = {
    work: { ...work, actor: { kind: 'user', id: account.id, name: account.username } },
    companyId: account.companyId,
    userId: account.id,
    sessionUid: row.session_uid,
    signedInAt,
    isFederated: Array.isArray(row.payload.amr) && row.payload.amr.includes('fed'),
    account,
  };
  await keepAlive(person, lastSeenAt, ends);
  return person;
}

/** At most one write a minute for a person who clicks around. */
async function keepAlive(person: Person, lastSeenAt: Date, ends: { idleEndsAt: Date; endsAt: Date }): Promise<void> {
  if (person.work.now.getTime() - lastSeenAt.getTime() < minutes(1)) return;
  await person.work.store.of(person.companyId).sessions.touch(person.sessionUid, person.work.now, ends);
}

export async function getUser(person: Person): Promise<User> {
  const user = await person.work.store.of(person.companyId).users.findById(person.userId);
  if (!user) throw notFound('person');
  return user;
}

export const own = ({ companyId, userId }: Person) => ({ companyId, userId });

export const zoneOf = (user: User) => user.timeZone ?? 'UTC';

export const momentOf = (at: Date, now: Date, zone: string): Moment => ({
  text: relative(at, now),
  exact: exact(at, zone),
  iso: at.toISOString(),
});

export const pictureAddress = (updatedAt: Date) => `/settings/picture?v=${updatedAt.getTime()}`;

/** Header, menu and launcher of the signed-in pages. */
export async function shellOf(person: Person, user: User, here: Shell['here']): Promise<Shell> {
  const { users } = person.work.store.of(person.companyId);
  const [picture, reachable] = await Promise.all([
    users.findPicture(person.userId),
    listOwnTiles(person.work, own(person)),
  ]);
  const tiles = reachable.map(
    ({ id, name, ownName, module, icon }): Tile => ({
      id,
      name: ownName ?? name,
      module,
      icon,
      launch: `/launch/${id}`,
    }),
  );
  return {
    person: {
      name: fullName(user),
      username: user.username,
      company: person.account.company,
      role: user.role,
      initials: initialsOf(user),
      picture: picture ? pictureAddress(picture.updatedAt) : null,
    },
    tiles,
    here,
    adminSettings: can(user.role, 'users.manage') ? '/admin/users' : null,
    showSections: can(user.role as Role, 'accountTeam'),
    signOut: '/sign-out',
  };
}
