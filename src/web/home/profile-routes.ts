// My Settings > Profile: one's own details, picture, e-mail and appearance.
import { z } from 'zod';
import { cancelOwnEmailChange, changeOwnEmail, parseEmail } from '../../domain/users/email-commands.ts';
import { chooseTheme, editOwnProfile, setOwnPicture } from '../../domain/users/own-commands.ts';
import { findCompanyAndUser } from '../../domain/users/password-commands.ts';
import { AppError, invalid, notFound } from '../../lib/errors.ts';
import { zonesToChoose } from '../../lib/zones.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { setFlash, showPage } from '../page.ts';
import { type Route, seeOther } from '../routes.ts';
import { type FormProblem, homePaths } from '../views.ts';
import { sensitive } from './fresh-proof.ts';
import { type PersonHandler, signedInOnly } from './home-routes.ts';
import { momentOf, own, type Person, shellOf, zoneOf } from './person.ts';

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
      timeZones: zonesToChoose(timeZone),
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

export const profileRoutes: Route[] = [
  { method: 'get', path: homePaths.profile, handle: signedInOnly(profile) },
  { method: 'post', path: homePaths.profile, handle: signedInOnly(saveProfile) },
  { method: 'post', path: emailPath, handle: signedInOnly(changeEmail) },
  { method: 'post', path: `${emailPath}/cancel`, handle: signedInOnly(cancelEmail) },
  { method: 'get', path: '/settings/picture', handle: signedInOnly(picture) },
  { method: 'post', path: '/settings/picture', handle: signedInOnly(savePicture) },
  { method: 'post', path: '/settings/picture/remove', handle: signedInOnly(removePicture) },
  { method: 'post', path: '/settings/theme', handle: signedInOnly(theme) },
];
