// Acts on one person: a window that asks by GET, the act by POST, a toast afterwards. Words of A.7.
import {
  copyInvitationLink,
  deleteUser,
  endSessionsOf,
  resendInvitation,
  resetPassword,
  resetSecondFactor,
} from '../../../domain/users/admin-commands.ts';
import { activateUser, deactivateUser, unlockUser } from '../../../domain/users/commands.ts';
import type { PersonOfCompany } from '../../../domain/users/person-queries.ts';
import { fullName, initialsOf, type Transition } from '../../../domain/users/user.ts';
import { invalid } from '../../../lib/errors.ts';
import type { CompanyId, UserId } from '../../../lib/ids.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Work } from '../../../work.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, idParam, orRedraw, showDesk } from '../console.ts';
import { usersPath } from './list.ts';
import { decisionFor, personAt, personPath, statusOfPerson } from './person-head.ts';

/** What a window says, and what its button does. */
interface Act {
  path: Transition;
  title: string;
  lead(person: Words): string;
  stops(person: Words): string[];
  stays(person: Words): string[];
  button(name: string): string;
  isDanger: boolean;
  /** @returns what the toast says. */
  run(work: Work, companyId: CompanyId, userId: UserId): Promise<string>;
  /** Where it leads afterwards; the person's page unless told. */
  after?: string;
}

interface Words {
  name: string;
  email: string;
  username: string;
  isInvited: boolean;
  /** "2 sessions end", or empty. */
  sessions: number;
  modules: string[];
  inviteDays: number;
  resetHours: number;
}

const list = new Intl.ListFormat('en');

/** What ends when all sessions do. */
function sessionWords({ sessions, modules, name }: Words): string {
  if (sessions === 0) return `${name} has no session now; none that is about to begin will live.`;
  const where = modules.length > 0 ? `, also in ${list.format(modules)}` : '';
  return `${sessions === 1 ? 'The session ends' : `All ${sessions} sessions end`} at once${where}.`;
}

const acts: Act[] = [
  {
    path: 'deactivate',
    title: 'Deactivate User',
    lead: ({ name }) => `${name} can no longer log in here or to any module.`,
    stops: (words) => [
      sessionWords(words),
      'Every token that a module holds for them is revoked.',
      'Links that were mailed to them are dead.',
    ],
    stays: () => [
      'All settings and access groups are kept.',
      'You can activate them again; then they set a new password and a new second factor.',
    ],
    button: (name) => `Deactivate ${name}`,
    isDanger: true,
    run: async (work, companyId, userId) => {
      const user = await deactivateUser(work, companyId, userId);
      return `${fullName(user)} is deactivated and logged out everywhere.`;
    },
  },
  {
    path: 'activate',
    title: 'Activate User',
    lead: ({ name }) => `${name} becomes Active again.`,
    stops: () => ['The old password and the old second factor stay dead: both are set up anew.'],
    stays: ({ email, resetHours }) => [
      `A link to set a new password goes to ${email}. It works for ${resetHours} hours.`,
      'Access groups are as they were; modules open once password and second factor are set.',
    ],
    button: (name) => `Activate ${name}`,
    isDanger: false,
    run: async (work, companyId, userId) => {
      const { user } = await activateUser(work, companyId, userId);
      return `${fullName(user)} is active. A link to set a password went to ${user.email}.`;
    },
  },
  {
    path: 'unlock',
    title: 'Unlock User',
    lead: ({ name }) => `${name} can log in again at once.`,
    stops: () => ['The lock ends, and the count of failed logins begins anew.'],
    stays: () => [
      'Password and second factor stay as they are. Was it forgotten? Reset the password instead: that unlocks, too.',
    ],
    button: (name) => `Unlock ${name}`,
    isDanger: false,
    run: async (work, companyId, userId) => {
      const { user, wasLocked } = await unlockUser(work, companyId, userId);
      return wasLocked ? `${fullName(user)} is unlocked and can log in.` : `${fullName(user)} is not locked any more.`;
    },
  },
  {
    path: 'delete',
    title: 'Delete User',
    lead: ({ name }) => `${name} is gone for good: this cannot be undone.`,
    stops: (words) =>
      words.isInvited
        ? ['The invitation is void.', 'They leave all access groups.']
        : [sessionWords(words), 'Password, second factor and every token are erased.', 'They leave all access groups.'],
    stays: ({ username, isInvited }) => [
      'The audit log keeps what happened.',
      `The username ${username} is free again. Whoever gets it is a new person for every module.`,
      ...(isInvited ? [] : ['To bring somebody back later, deactivate instead.']),
    ],
    button: (name) => `Delete ${name}`,
    isDanger: true,
    run: async (work, companyId, userId) => `${fullName(await deleteUser(work, companyId, userId))} is deleted.`,
    after: usersPath,
  },
  {
    path: 'resend',
    title: 'Resend Invitation',
    lead: ({ name, email }) => `The invitation goes to ${email} again, for ${name}.`,
    stops: () => ['Links that were sent or copied before are dead.'],
    stays: ({ inviteDays }) => [`The new link works for ${inviteDays} ${inviteDays === 1 ? 'day' : 'days'}.`],
    button: (name) => `Resend the invitation to ${name}`,
    isDanger: false,
    run: async (work, companyId, userId) => {
      const { user } = await resendInvitation(work, companyId, userId);
      return `The invitation went to ${user.email} again.`;
    },
  },
  {
    path: 'reset-password',
    title: 'Reset Password',
    lead: ({ name, email }) => `${name} gets a link at ${email} and must create a new password.`,
    stops: () => ['Once the new password is set, all other sessions end, and a lock with them.'],
    stays: ({ resetHours }) => [
      'Until then the old password goes on working.',
      `The link works for ${resetHours} hours. The second factor stays as it is.`,
    ],
    button: (name) => `Reset the password of ${name}`,
    isDanger: false,
    run: async (work, companyId, userId) => {
      const user = await resetPassword(work, companyId, userId);
      return `A link to set a new password went to ${user.email}.`;
    },
  },
  {
    path: 'reset-2fa',
    title: 'Reset 2FA',
    lead: ({ name }) => `${name} becomes Not Enrolled and sets up a second factor at the next login.`,
    stops: (words) => [sessionWords(words), 'The authenticator app and all recovery codes stop working.'],
    stays: ({ email }) => [`The password stays as it is. A notice goes to ${email}.`],
    button: (name) => `Reset 2FA of ${name}`,
    isDanger: true,
    run: async (work, companyId, userId) => {
      const user = await resetSecondFactor(work, companyId, userId);
      return `2FA of ${fullName(user)} is reset: Not Enrolled.`;
    },
  },
  {
    path: 'end-sessions',
    title: 'End All Sessions',
    lead: ({ name }) => `${name} is logged out on every device.`,
    stops: (words) => [sessionWords(words), 'Tokens that outlive a logout are revoked, too.'],
    stays: () => ['They can log in again at once. To keep them out, deactivate them.'],
    button: (name) => `End all sessions of ${name}`,
    isDanger: true,
    run: async (work, companyId, userId) => {
      const ended = await endSessionsOf(work, companyId, userId, null);
      return ended === 1 ? 'One session has ended.' : `${ended} sessions have ended.`;
    },
  },
];

async function wordsFor({ user, company }: PersonOfCompany, desk: Desk): Promise<Words> {
  const live = await desk.work.store.of(desk.companyId).sessions.listLive(user.id, desk.work.now);
  return {
    name: fullName(user),
    email: user.email,
    username: user.username,
    isInvited: user.baseStatus === 'Invited',
    sessions: live.length,
    modules: [...new Set(live.flatMap(({ modules }) => modules))],
    inviteDays: company.policy.inviteDays,
    resetHours: company.policy.resetHours,
  };
}

async function draw(ctx: Context, runtime: Runtime, desk: Desk, act: Act, problem: FormProblem | null): Promise<void> {
  const person = await personAt(ctx, desk);
  const words = await wordsFor(person, desk);
  const decision = decisionFor(person, act.path);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/act', title: act.title, place: 'users' },
    {
      back: personPath(person.user.id),
      title: act.title,
      person: { ...words, initials: initialsOf(person.user), status: await statusOfPerson(person, desk) },
      lead: act.lead(words),
      stops: act.stops(words),
      stays: act.stays(words),
      refusal: decision.allowed ? null : decision.because,
      problem,
      action: `${personPath(person.user.id)}/${act.path}`,
      button: act.button(words.name),
      isDanger: act.isDanger,
      typeName: asksForName(act, words) ? words.username : null,
    },
  );
  if (!decision.allowed) ctx.status = 409;
}

/** Only where there is no way back; who has never signed in loses nothing. */
const asksForName = (act: Act, words: Words) => act.path === 'delete' && !words.isInvited;

const ask =
  (act: Act): DeskHandler =>
  (ctx, runtime, desk) =>
    draw(ctx, runtime, desk, act, null);

const perform =
  (act: Act): DeskHandler =>
  (ctx, runtime, desk) =>
    orRedraw(
      ctx,
      async () => {
        const id = idParam<UserId>(ctx, 'id', 'person');
        if (act.path === 'delete') await refuseUntyped(ctx, desk, act);
        const text = await act.run(desk.work, desk.companyId, id);
        setFlash(ctx, runtime, { kind: 'success', text });
        seeOther(ctx, act.after ?? personPath(id));
      },
      (problem) => draw(ctx, runtime, desk, act, problem),
    );

async function refuseUntyped(ctx: Context, desk: Desk, act: Act): Promise<void> {
  const person = await personAt(ctx, desk);
  const words = await wordsFor(person, desk);
  // What the rule refuses is refused by the rule, whatever was typed.
  if (!decisionFor(person, act.path).allowed || !asksForName(act, words)) return;
  const typed = (ctx.state.form.username ?? '').trim().toLowerCase();
  if (typed === words.username.trim().toLowerCase()) return;
  const sentence = `Type ${words.username} to delete this person.`;
  throw invalid(sentence, { username: sentence });
}

/** C47: asks like the others; its answer is a page that shows the link, once. */
const copyLink: Act = {
  path: 'copy-link',
  title: 'Copy Invitation Link',
  lead: ({ name }) => `Whoever has this link can sign up as ${name}. Hand it to them alone, by a way that you trust.`,
  stops: ({ email }) => [`The link that was mailed to ${email} is dead: this one takes its place.`],
  stays: () => [
    'It works once, and until the day on which the invitation ends anyway.',
    'The audit log keeps that you copied it.',
  ],
  button: (name) => `Show the link for ${name}`,
  isDanger: false,
  run: async () => '',
};

const showLink: DeskHandler = (ctx, runtime, desk) =>
  orRedraw(
    ctx,
    async () => {
      const id = idParam<UserId>(ctx, 'id', 'person');
      const { user, invitation, expiresAt } = await copyInvitationLink(desk.work, desk.companyId, id);
      ctx.set('cache-control', 'no-store');
      await showDesk(
        ctx,
        runtime,
        desk,
        { view: 'admin/users/link', title: copyLink.title, place: 'users' },
        { back: personPath(id), name: fullName(user), link: invitation, until: desk.moment(expiresAt) },
      );
    },
    (problem) => draw(ctx, runtime, desk, copyLink, problem),
  );

const at = (act: Act) => `${usersPath}/:id/${act.path}`;

export const personActRoutes: Route[] = [
  ...acts.flatMap((act): Route[] => [
    { method: 'get', path: at(act), handle: deskOf('users.manage', ask(act)) },
    { method: 'post', path: at(act), handle: deskOf('users.manage', perform(act)) },
  ]),
  { method: 'get', path: at(copyLink), handle: deskOf('users.manage', ask(copyLink)) },
  { method: 'post', path: at(copyLink), handle: deskOf('users.manage', showLink) },
];
