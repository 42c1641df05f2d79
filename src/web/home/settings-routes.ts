// My Settings > Security and Sessions: password, second factor, sessions. Each change is a command of its own on one's own account.
import { passwordRules } from '../../domain/credentials/password.ts';
import { endSessions } from '../../domain/sessions/commands.ts';
import { deviceName } from '../../domain/sessions/session.ts';
import { proveOneself, renewOwnRecoveryCodes, resetOwnSecondFactor } from '../../domain/users/own-commands.ts';
import { changeOwnPassword, findCompanyAndUser } from '../../domain/users/password-commands.ts';
import { mustUseSso, usesSso } from '../../domain/users/sso-queries.ts';
import { tokenHash } from '../../lib/secrets.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { recoveryCodeFile } from '../interaction/pages.ts';
import { browserToken, setFlash, showPage } from '../page.ts';
import { type Route, seeOther } from '../routes.ts';
import { type FormProblem, homePaths } from '../views.ts';
import { proveRoutes, sensitive } from './fresh-proof.ts';
import { type PersonHandler, signedInOnly } from './home-routes.ts';
import { getUser, momentOf, own, type Person, shellOf, zoneOf } from './person.ts';
import { profileRoutes } from './profile-routes.ts';

async function drawSecurity(
  ctx: Context,
  runtime: Runtime,
  person: Person,
  problem: FormProblem | null,
): Promise<void> {
  const { company, user } = await findCompanyAndUser(person.work, person.companyId, person.userId);
  const { credentials } = person.work.store.of(person.companyId);
  const [credential, factor, recoveryLeft, isSso, isLedToSso] = await Promise.all([
    credentials.findPassword(user.id),
    credentials.findTotp(user.id),
    credentials.countRecoveryCodes(user.id),
    usesSso(person.work, person.companyId, user.id),
    mustUseSso(person.work, company, user),
  ]);
  const moment = (at: Date) => momentOf(at, person.work.now, zoneOf(user));
  await showPage(
    ctx,
    runtime,
    'home/security',
    'Security',
    {
      shell: await shellOf(person, user, 'security'),
      password: {
        action: '/settings/password',
        problem,
        rules: { sentences: passwordRules(company.policy.password) },
        // Nothing to change where there is none, or where it would not be taken (C26).
        isSso: isLedToSso || credential === null,
        changedAt: credential ? moment(credential.setAt) : null,
      },
      secondFactor: {
        isSso,
        enrolledAt: factor ? moment(factor.confirmedAt) : null,
        reset: '/settings/second-factor/reset',
        recoveryLeft,
        usesRecovery: company.policy.mfa.recoveryCodes,
        regenerate: '/settings/recovery-codes',
      },
    },
    user.theme,
  );
}

const security: PersonHandler = (ctx, runtime, person) => drawSecurity(ctx, runtime, person, null);

const changePassword: PersonHandler = async (ctx, runtime, person) => {
  const { currentPassword = '', password = '' } = ctx.state.form;
  const browser = browserToken(ctx, runtime);
  const proof = await proveOneself(person.work, own(person), {
    password: currentPassword,
    code: null,
    browserToken: browser,
  });
  if (proof.outcome === 'refused') {
    await drawSecurity(ctx, runtime, person, { sentence: proof.sentence, field: 'currentPassword', code: null });
    ctx.status = 422;
    return;
  }
  const result = await changeOwnPassword(person.work, {
    ...own(person),
    password,
    keepSession: person.sessionUid,
    keepBrowser: tokenHash(browser),
  });
  if (result.outcome === 'refused') {
    await drawSecurity(ctx, runtime, person, { sentence: result.problems.join(' '), field: result.field, code: null });
    ctx.status = 422;
    return;
  }
  setFlash(ctx, runtime, { kind: 'success', text: 'Your password is changed. You were logged out everywhere else.' });
  seeOther(ctx, homePaths.security);
};

const resetSecondFactor = sensitive({
  title: 'Reset second factor',
  sentence: 'Your authenticator and your recovery codes stop working. At your next login you set up a new one.',
  path: '/settings/second-factor/reset',
  button: 'Reset second factor',
  danger: true,
  act: async (ctx, runtime, person) => {
    await resetOwnSecondFactor(person.work, { ...own(person), keepSession: person.sessionUid });
    setFlash(ctx, runtime, {
      kind: 'success',
      text: 'Your second factor is reset. Set up a new one at your next login.',
    });
    seeOther(ctx, homePaths.security);
  },
});

const newRecoveryCodes = sensitive({
  title: 'Make new recovery codes',
  sentence:
    'The codes that you have now stop working at once, wherever you keep them. You get ten new ones, shown once.',
  path: '/settings/recovery-codes',
  button: 'Make new recovery codes',
  danger: false,
  asksFirst: true,
  act: async (ctx, runtime, person) => {
    const codes = await renewOwnRecoveryCodes(person.work, own(person));
    const user = await getUser(person);
    await showPage(
      ctx,
      runtime,
      'home/recovery-codes',
      'Recovery codes',
      {
        shell: await shellOf(person, user, 'security'),
        codes,
        ...recoveryCodeFile(runtime, user.username, codes),
        done: homePaths.security,
      },
      user.theme,
    );
  },
});

const sessions: PersonHandler = async (ctx, runtime, person) => {
  const user = await getUser(person);
  const live = await person.work.store.of(person.companyId).sessions.listLive(person.userId, person.work.now);
  const moment = (at: Date) => momentOf(at, person.work.now, zoneOf(user));
  await showPage(
    ctx,
    runtime,
    'home/sessions',
    'Sessions',
    {
      shell: await shellOf(person, user, 'sessions'),
      sessions: live.map((session) => ({
        id: session.uid,
        current: session.uid === person.sessionUid,
        device: deviceName(session.agent),
        ip: session.ip,
        startedAt: moment(session.createdAt),
        lastSeenAt: moment(session.lastSeenAt),
        modules: session.modules,
      })),
      endOne: '/settings/sessions/end',
      endOthers: '/settings/sessions/end-others',
    },
    user.theme,
  );
};

const endOne: PersonHandler = async (ctx, runtime, person) => {
  const uid = ctx.state.form.session ?? '';
  const ended = await endSessions(person.work, { ...own(person), uid }, 'ended-by-user');
  setFlash(
    ctx,
    runtime,
    ended
      ? { kind: 'success', text: 'That session has ended.' }
      : { kind: 'danger', text: 'That session had ended already.' },
  );
  seeOther(ctx, homePaths.sessions);
};

const endOthers: PersonHandler = async (ctx, runtime, person) => {
  const ended = await endSessions(person.work, { ...own(person), exceptUid: person.sessionUid }, 'ended-by-user');
  setFlash(ctx, runtime, {
    kind: 'success',
    text: ended === 1 ? 'One other session has ended.' : `${ended} other sessions have ended.`,
  });
  seeOther(ctx, homePaths.sessions);
};

export const settingsRoutes: Route[] = [
  ...profileRoutes,
  ...proveRoutes,
  { method: 'get', path: homePaths.security, handle: signedInOnly(security) },
  { method: 'post', path: '/settings/password', handle: signedInOnly(changePassword) },
  { method: 'post', path: '/settings/second-factor/reset', handle: signedInOnly(resetSecondFactor) },
  { method: 'post', path: '/settings/recovery-codes', handle: signedInOnly(newRecoveryCodes) },
  { method: 'get', path: homePaths.sessions, handle: signedInOnly(sessions) },
  { method: 'post', path: '/settings/sessions/end', handle: signedInOnly(endOne) },
  { method: 'post', path: '/settings/sessions/end-others', handle: signedInOnly(endOthers) },
];
