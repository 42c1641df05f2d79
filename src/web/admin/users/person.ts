// One person: who they are, what they can reach and why, how they sign in, what happened, what was mailed.

import { explainReach } from '../../../domain/integrations/reach.ts';
import { listReachFor } from '../../../domain/integrations/reach-queries.ts';
import { refusalThere } from '../../../domain/provisioning/taking.ts';
import { readToldAccounts } from '../../../domain/provisioning/taking-queries.ts';
import { deviceName } from '../../../domain/sessions/session.ts';
import { activityKinds, listActivity } from '../../../domain/users/activity-queries.ts';
import { endSessionsOf } from '../../../domain/users/admin-commands.ts';
import { cancelEmailChange } from '../../../domain/users/email-commands.ts';
import {
  listMailsTo,
  type PersonOfCompany,
  type PersonOverview,
  type PersonSecurity,
  readOverview,
  readSecurity,
} from '../../../domain/users/person-queries.ts';
import { fromAnywhere } from '../../../domain/users/sign-in.ts';
import { readComer } from '../../../domain/users/sso-queries.ts';
import { asArrived, standingOf } from '../../../domain/users/standing.ts';
import { fullName } from '../../../domain/users/user.ts';
import { pagingOf } from '../../../lib/paging.ts';
import { exact } from '../../../lib/time.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { countWords, type Desk, type DeskHandler, deskOf, idParam, pageLinks, showDesk } from '../console.ts';
import { told } from '../told.ts';
import { usersPath } from './list.ts';
import { mailLine } from './mail-words.ts';
import { decisionFor, headOf, isLocked, personAt, personPath } from './person-head.ts';

const sourceWords = {
  form: 'an administrator',
  csv: 'a file',
  module: 'an import from a module',
  sso: 'single sign-on',
  sync: 'the directory',
  api: 'the operator',
  setup: 'the first set-up',
};

/** In the words of the history: the operator invites by the same way as an administrator. */
function addedBy({ user }: PersonOfCompany, { history }: PersonOverview): string {
  const byOperator = history.some(({ action, actor }) => action === 'user.create' && actor.kind === 'operator');
  return user.source === 'form' && byOperator ? sourceWords.api : sourceWords[user.source];
}

function factsOf(person: PersonOfCompany, read: PersonOverview): { label: string; value: string }[] {
  const { user } = person;
  return [
    { label: 'First Name', value: user.firstName },
    { label: 'Last Name', value: user.lastName },
    { label: 'Username', value: user.username },
    { label: 'Email', value: `${user.email}${user.emailVerifiedAt ? '' : ' (not verified yet)'}` },
    { label: 'Phone', value: user.phone ?? '–' },
    { label: 'Time zone', value: user.timeZone ?? '–' },
    { label: 'Role', value: user.role },
    { label: 'Added by', value: addedBy(person, read) },
  ];
}

const overview: DeskHandler = async (ctx, runtime, desk) => {
  const person = await personAt(ctx, desk);
  const { user } = person;
  const { now } = desk.work;
  const [read, instances, head] = await Promise.all([
    readOverview(desk.work, desk.companyId, user.id),
    listReachFor(desk.work, desk.companyId, user.id),
    headOf(person, desk, 'overview'),
  ]);
  const comer = await readComer(desk.work, person, null);
  const facts = { role: user.role, standing: standingOf({ ...comer, signIn: fromAnywhere(comer.signIn) }, now) };
  const arrived = asArrived(user, comer, now);
  const accounts = await readToldAccounts(desk.work, desk.companyId, user, instances);
  const modules = instances.map((instance) => {
    const there = accounts.get(instance.id);
    const refusal = there ? refusalThere(arrived, { ...instance, ...there }) : null;
    const { canEnter, because } = explainReach(facts, instance, refusal);
    return {
      name: instance.name,
      module: instance.module,
      icon: instance.icon,
      because,
      why: `${personPath(user.id)}/why?module=${instance.id}`,
      status: {
        tone: canEnter ? ('good' as const) : ('off' as const),
        word: canEnter ? 'Can enter' : 'Cannot enter',
        more: '',
      },
    };
  });
  const entered = modules.filter(({ status }) => status.tone === 'good').length;
  const mayCancel = person.actorId === user.id || decisionFor(person, 'change-email').allowed;
  const waits = user.pendingEmail !== null && read.emailChangeEndsAt !== null;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/overview', title: fullName(user), place: 'users' },
    {
      head,
      facts: factsOf(person, read),
      createdAt: desk.moment(user.createdAt),
      lastLogin: user.lastLoginAt && desk.moment(user.lastLoginAt),
      timeZone: desk.user.timeZone ?? 'UTC',
      emailChange: waits
        ? {
            words: emailChangeWords(user.pendingEmail ?? '', read.emailChangeEndsAt ?? now, desk),
            cancel: mayCancel ? `${personPath(user.id)}/cancel-email` : null,
          }
        : null,
      groups: read.groups.map(({ id, name, isActive }) => ({ name, isActive, href: `/admin/groups/${id}` })),
      editGroups: `${personPath(user.id)}/edit#groups`,
      modules,
      canEnter: `${entered} of ${modules.length}`,
      since: read.history[0] ? desk.moment(read.history[0].at) : null,
      history: await told(desk, read.history),
    },
  );
};

function emailChangeWords(email: string, endsAt: Date, desk: Desk): string {
  if (endsAt <= desk.work.now) return `${email} was not confirmed in time. Enter it again to send a new link.`;
  return `${email} counts once its link is opened, until ${exact(endsAt, desk.user.timeZone ?? 'UTC')}.`;
}

const cancelEmail: DeskHandler = async (ctx, runtime, desk) => {
  const id = idParam(ctx, 'id', 'person');
  await cancelEmailChange(desk.work, desk.companyId, id);
  setFlash(ctx, runtime, { kind: 'success', text: 'The change of e-mail is taken back. Its link is dead.' });
  seeOther(ctx, personPath(id));
};

function passwordWords({ user }: PersonOfCompany, { password }: PersonSecurity): string {
  if (!password) return user.baseStatus === 'Invited' ? 'Not set yet: it is set with the invitation' : 'Not set';
  return user.mustSetPassword || password.isSingleUse ? 'Must be replaced at the next login. Set' : 'Set';
}

function lockWords(person: PersonOfCompany, desk: Desk): string {
  const { user } = person;
  if (isLocked(person, desk.work.now) && user.lockedUntil)
    return `Locked until ${exact(user.lockedUntil, desk.user.timeZone ?? 'UTC')}, after ${user.failures} failed logins`;
  return user.failures === 0
    ? 'Not locked'
    : `Not locked; ${user.failures} failed ${user.failures === 1 ? 'login' : 'logins'} since the last good one`;
}

const security: DeskHandler = async (ctx, runtime, desk) => {
  const person = await personAt(ctx, desk);
  const { user } = person;
  const read = await readSecurity(desk.work, desk.companyId, user.id);
  const path = personPath(user.id);
  const mayEnd = decisionFor(person, 'end-sessions');
  const { known, locked } = read.browsers;
  const isUnlockable = isLocked(person, desk.work.now) || locked > 0;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/security', title: `${fullName(user)}: security`, place: 'users' },
    {
      head: await headOf(person, desk, 'security'),
      passwordSet: { words: passwordWords(person, read), at: read.password && desk.moment(read.password.setAt) },
      secondFactor: {
        words: person.usesSso
          ? 'SSO'
          : read.factor
            ? 'Authenticator app, set up'
            : 'Not Enrolled: set up at the next login',
        at: person.usesSso ? null : read.factor && desk.moment(read.factor.confirmedAt),
      },
      recoveryCodes: read.factor ? `${read.recoveryCodesLeft} left` : 'None',
      browsers: `${known} known${locked > 0 ? `, ${locked} of them locked` : ''}`,
      lock: {
        words: lockWords(person, desk),
        unlock: isUnlockable && decisionFor(person, 'unlock').allowed ? `${path}/unlock` : null,
      },
      sessions: read.sessions.map((session) => ({
        id: session.uid,
        device: deviceName(session.agent),
        ip: session.ip,
        startedAt: desk.moment(session.createdAt),
        lastSeenAt: desk.moment(session.lastSeenAt),
        modules: session.modules,
        isMine: session.uid === desk.sessionUid,
      })),
      endOne: mayEnd.allowed ? `${path}/sessions/end` : null,
      endAll: mayEnd.allowed && read.sessions.length > 1 ? `${path}/end-sessions` : null,
      whyNot: mayEnd.allowed ? '' : mayEnd.because,
    },
  );
};

const endOne: DeskHandler = async (ctx, runtime, desk) => {
  const id = idParam(ctx, 'id', 'person');
  const ended = await endSessionsOf(desk.work, desk.companyId, id, ctx.state.form.session ?? '');
  setFlash(
    ctx,
    runtime,
    ended > 0
      ? { kind: 'success', text: 'The session has ended, here and in its modules.' }
      : { kind: 'danger', text: 'That session had ended already.' },
  );
  seeOther(ctx, `${personPath(id)}/security`);
};

const showWords = { all: 'Everything', 'sign-ins': 'Logins', changes: 'Changes' };

const activity: DeskHandler = async (ctx, runtime, desk) => {
  const person = await personAt(ctx, desk);
  const query = new URLSearchParams(ctx.querystring);
  const show = activityKinds.find((kind) => kind === query.get('show')) ?? 'all';
  const events = await listActivity(desk.work, desk.companyId, person.user.id, { show, ...pagingOf(query) });
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/activity', title: `${fullName(person.user)}: activity`, place: 'users' },
    {
      head: await headOf(person, desk, 'activity'),
      shows: activityKinds.map((kind) => ({ value: kind, label: showWords[kind], selected: kind === show })),
      action: `${personPath(person.user.id)}/activity`,
      events: await told(desk, events.rows),
      pages: pageLinks(ctx, events),
      count: countWords(events, 'event', 'events'),
    },
  );
};

const mail: DeskHandler = async (ctx, runtime, desk) => {
  const person = await personAt(ctx, desk);
  const paging = pagingOf(new URLSearchParams(ctx.querystring));
  const mails = await listMailsTo(desk.work, desk.companyId, person.user.id, paging);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/mail', title: `${fullName(person.user)}: mail`, place: 'users' },
    {
      head: await headOf(person, desk, 'mail'),
      mails: mails.rows.map((one) => mailLine(one, desk)),
      pages: pageLinks(ctx, mails),
      count: countWords(mails, 'mail', 'mails'),
      action: `${personPath(person.user.id)}/mail`,
    },
  );
};

const at = `${usersPath}/:id`;

export const personRoutes: Route[] = [
  { method: 'get', path: at, handle: deskOf('users.manage', overview) },
  { method: 'get', path: `${at}/security`, handle: deskOf('users.manage', security) },
  { method: 'get', path: `${at}/activity`, handle: deskOf('users.manage', activity) },
  { method: 'get', path: `${at}/mail`, handle: deskOf('users.manage', mail) },
  { method: 'post', path: `${at}/sessions/end`, handle: deskOf('users.manage', endOne) },
  { method: 'post', path: `${at}/cancel-email`, handle: deskOf('users.manage', cancelEmail) },
];
