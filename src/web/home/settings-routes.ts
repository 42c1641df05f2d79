// My Settings: profile, password, second factor, sessions. Each change is a command of its own on one's own account.
import { z } from 'zod';
import { passwordRules } from '../../domain/credentials/password.ts';
import { endSessions } from '../../domain/sessions/commands.ts';
import { deviceName } from '../../domain/sessions/session.ts';
import { cancelOwnEmailChange, changeOwnEmail, parseEmail } from '../../domain/users/email-commands.ts';
import {
  chooseTheme,
  editOwnProfile,
  proveOneself,
  renewOwnRecoveryCodes,
  resetOwnSecondFactor,
  setOwnPicture,
} from '../../domain/users/own-commands.ts';
import { changeOwnPassword, findCompanyAndUser } from '../../domain/users/password-commands.ts';
import { AppError, invalid, notFound } from '../../lib/errors.ts';
import { tokenHash } from '../../lib/secrets.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { recoveryCodeFile } from '../interaction/pages.ts';
import { browserToken, setFlash, showPage } from '../page.ts';
import { type Route, seeOther } from '../routes.ts';
import { type FormProblem, homePaths } from '../views.ts';
import { sensitive } from './fresh-proof.ts';
import { type PersonHandler, signedInOnly } from './home-routes.ts';
import { getUser, momentOf, own, type Person, shellOf, zoneOf } from './person.ts';

async function drawProfile(
  ctx: Context,
  runtime: Runtime,
  person: Person,
  values: Record<string, string> | null,
  problem: FormProblem | null,
): Promise<void> {
  const { company, user } = await findCompanyAndUser(person.work, person.companyId, person.userId);
  const shell = await shellOf(person, user, 'profile');
  const waiting = user.pendingEmail
    ? await person.work.store.links.findOpen(person.companyId, user.id, 'emailChange')
    : null;
  const {
    firstName = user.firstName,
    lastName = user.lastName,
    phone = user.phone ?? '',
    timeZone = user.timeZone ?? '',
  } = values ?? {};
  await showPage(
    ctx,
    runtime,
    'home/profile',
    'Profile',
    {
      shell,
      problem,
      actions: {
        save: homePaths.profile,
        picture: '/settings/picture',
        removePicture: '/settings/picture/remove',
        theme: '/settings/theme',
        email: emailPath,
        cancelEmail: `${emailPath}/cancel`,
      },
      newEmail: values?.email ?? '',
      pendingEmail:
        waiting && user.pendingEmail && waiting.expiresAt > person.work.now
          ? { email: user.pendingEmail, until: momentOf(waiting.expiresAt, person.work.now, zoneOf(user)) }
          : null,
      values: { firstName, lastName, phone, timeZone },
      facts: { username: user.username, email: user.email, role: user.role, company: company.name },
      timeZones: Intl.supportedValuesOf('timeZone'),
      companyLoginUrl: `${runtime.config.publicUrl}/login/${company.loginSlug}`,
      picture: shell.person.picture,
      theme: user.theme,
    },
    user.theme,
  );
}

const profile: PersonHandler = (ctx, runtime, person) => drawProfile(ctx, runtime, person, null, null);

/** Runs a change; a refused one draws the form again with what was typed. */
async function orRedraw(
  ctx: Context,
  act: () => Promise<void>,
  redraw: (problem: FormProblem) => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof AppError) || error.status === 503) throw error;
    const [field = null] = Object.keys(error.fields);
    await redraw({ sentence: error.message, field, code: null });
    ctx.status = 422;
  }
}

const saveProfile: PersonHandler = async (ctx, runtime, person) => {
  const { firstName = '', lastName = '', phone = '', timeZone = '' } = ctx.state.form;
  const values = { firstName, lastName, phone, timeZone };
  await orRedraw(
    ctx,
    async () => {
      await editOwnProfile(person.work, own(person), values);
      setFlash(ctx, runtime, { kind: 'success', text: 'Your profile is saved.' });
      seeOther(ctx, homePaths.profile);
    },
    (problem) => drawProfile(ctx, runtime, person, values, problem),
  );
};

const emailPath = '/settings/email';

const proveForEmail = sensitive({
  title: 'Change e-mail',
  sentence: 'Confirm that it is you. Then a link goes to the new address; it counts once the link is opened.',
  path: emailPath,
  button: 'Change e-mail',
  danger: false,
  place: 'profile',
  carries: ['email'],
  act: async (ctx, runtime, person) => {
    const email = ctx.state.form.email ?? '';
    await orRedraw(
      ctx,
      async () => {
        await changeOwnEmail(person.work, own(person), email);
        setFlash(ctx, runtime, {
          kind: 'success',
          text: `A link went to ${email.trim()}. Until you open it, your e-mail stays as it is.`,
        });
        seeOther(ctx, homePaths.profile);
      },
      (problem) => drawProfile(ctx, runtime, person, { email }, problem),
    );
  },
});

/** A6.4: what is no address is said before anybody is asked for a password. */
const changeEmail: PersonHandler = (ctx, runtime, person) => {
  const email = ctx.state.form.email ?? '';
  return orRedraw(
    ctx,
    async () => {
      parseEmail(email);
      await proveForEmail(ctx, runtime, person);
    },
    (problem) => drawProfile(ctx, runtime, person, { email }, problem),
  );
};

const cancelEmail: PersonHandler = async (ctx, runtime, person) => {
  await cancelOwnEmailChange(person.work, own(person));
  setFlash(ctx, runtime, { kind: 'success', text: 'Your e-mail stays as it is. The link is dead.' });
  seeOther(ctx, homePaths.profile);
};

const picture: PersonHandler = async (ctx, _runtime, person) => {
  const found = await person.work.store.of(person.companyId).users.findPicture(person.userId);
  if (!found) throw notFound('picture');
  ctx.set({
    'content-type': found.type,
    'cache-control': 'private, max-age=86400',
    'content-security-policy': "default-src 'none'; sandbox",
  });
  ctx.body = found.bytes;
};

const tooLarge = 'That picture is larger than 1 MB. Choose a smaller one.';

const savePicture: PersonHandler = async (ctx, runtime, person) => {
  const file: unknown = ctx.state.file;
  await orRedraw(
    ctx,
    async () => {
      if (ctx.state.isFileTooLarge) throw invalid(tooLarge, { picture: tooLarge });
      await setOwnPicture(person.work, own(person), Buffer.isBuffer(file) ? file : Buffer.alloc(0));
      setFlash(ctx, runtime, { kind: 'success', text: 'Your picture is saved.' });
      seeOther(ctx, homePaths.profile);
    },
    (problem) => drawProfile(ctx, runtime, person, null, problem),
  );
};

const removePicture: PersonHandler = async (ctx, runtime, person) => {
  await setOwnPicture(person.work, own(person), null);
  setFlash(ctx, runtime, { kind: 'success', text: 'Your picture is removed.' });
  seeOther(ctx, homePaths.profile);
};

const themeSchema = z.enum(['auto', 'light', 'dark']).catch('auto');

const theme: PersonHandler = async (ctx, _runtime, person) => {
  await chooseTheme(person.work, own(person), themeSchema.parse(ctx.state.form.theme));
  seeOther(ctx, homePaths.profile);
};

async function drawSecurity(
  ctx: Context,
  runtime: Runtime,
  person: Person,
  problem: FormProblem | null,
): Promise<void> {
  const { company, user } = await findCompanyAndUser(person.work, person.companyId, person.userId);
  const { credentials } = person.work.store.of(person.companyId);
  const [credential, factor, recoveryLeft] = await Promise.all([
    credentials.findPassword(user.id),
    credentials.findTotp(user.id),
    credentials.countRecoveryCodes(user.id),
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
        changedAt: credential ? moment(credential.setAt) : null,
      },
      secondFactor: {
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
  title: 'New recovery codes',
  sentence: 'You get ten new codes; the old ones stop working.',
  path: '/settings/recovery-codes',
  button: 'Make new codes',
  danger: false,
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
  { method: 'get', path: homePaths.profile, handle: signedInOnly(profile) },
  { method: 'post', path: homePaths.profile, handle: signedInOnly(saveProfile) },
  { method: 'post', path: emailPath, handle: signedInOnly(changeEmail) },
  { method: 'post', path: `${emailPath}/cancel`, handle: signedInOnly(cancelEmail) },
  { method: 'get', path: '/settings/picture', handle: signedInOnly(picture) },
  { method: 'post', path: '/settings/picture', handle: signedInOnly(savePicture) },
  { method: 'post', path: '/settings/picture/remove', handle: signedInOnly(removePicture) },
  { method: 'post', path: '/settings/theme', handle: signedInOnly(theme) },
  { method: 'get', path: homePaths.security, handle: signedInOnly(security) },
  { method: 'post', path: '/settings/password', handle: signedInOnly(changePassword) },
  { method: 'post', path: '/settings/second-factor/reset', handle: signedInOnly(resetSecondFactor) },
  { method: 'post', path: '/settings/recovery-codes', handle: signedInOnly(newRecoveryCodes) },
  { method: 'get', path: homePaths.sessions, handle: signedInOnly(sessions) },
  { method: 'post', path: '/settings/sessions/end', handle: signedInOnly(endOne) },
  { method: 'post', path: '/settings/sessions/end-others', handle: signedInOnly(endOthers) },
];
