// "Can't log in?" and the links that mails carry. Answers are the same for hit and miss (D.8, AUT-05).
import { policySchema } from '../../domain/companies/company.ts';
import { passwordRules } from '../../domain/credentials/password.ts';
import { linkPaths } from '../../domain/links/link.ts';
import { confirmEmail } from '../../domain/users/own-commands.ts';
import {
  findPasswordLink,
  type OpenLink,
  type PasswordLinkKind,
  queueForgotten,
  setPasswordByLink,
} from '../../domain/users/password-commands.ts';
import { emailSchema } from '../../domain/users/user.ts';
import { cut } from '../../lib/cut.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { findWaiting } from '../interaction/waiting.ts';
import { showPage } from '../page.ts';
import { param, type Route } from '../routes.ts';
import type { FormProblem } from '../views.ts';

/** Where "Back to Login" leads: to the login that was left for these pages, or to a new one. */
const loginPath = async (ctx: Context, runtime: Runtime) => (await findWaiting(ctx, runtime)) ?? '/login';

async function forgot(ctx: Context, runtime: Runtime): Promise<void> {
  await showPage(ctx, runtime, 'public/forgot', "Can't log in?", {
    forgotPassword: '/forgot/password',
    forgotCompany: '/forgot/company',
    back: await loginPath(ctx, runtime),
  });
}

async function drawForgotPassword(
  ctx: Context,
  runtime: Runtime,
  values: { username: string; company: string },
  problem: FormProblem | null,
): Promise<void> {
  const only = await runtime.onlyCompany();
  await showPage(ctx, runtime, 'public/forgot-password', 'Forgotten password', {
    action: '/forgot/password',
    problem,
    askCompany: only === null,
    companyName: only?.name ?? null,
    values,
    back: '/forgot',
  });
}

async function forgotPassword(ctx: Context, runtime: Runtime): Promise<void> {
  await drawForgotPassword(ctx, runtime, { username: '', company: '' }, null);
}

async function askForPassword(ctx: Context, runtime: Runtime): Promise<void> {
  const only = await runtime.onlyCompany();
  const username = (ctx.state.form.username ?? '').trim();
  const company = only?.name ?? (ctx.state.form.company ?? '').trim();
  if (username === '' || company === '') {
    const field = username === '' ? 'username' : 'company';
    const sentence = username === '' ? 'Enter your username.' : 'Enter your company name.';
    await drawForgotPassword(
      ctx,
      runtime,
      { username: username.slice(0, 320), company: company.slice(0, 200) },
      { sentence, field, code: null },
    );
    ctx.status = 422;
    return;
  }
  await queueForgotten(ctx.state.work, { kind: 'password', username: cut(username, 320), company: cut(company, 200) });
  await checkMail(
    ctx,
    runtime,
    'If an account with this username and company exists, we have sent it a mail with a link. The link works for 24 hours.',
  );
}

async function forgotCompany(ctx: Context, runtime: Runtime): Promise<void> {
  await showPage(ctx, runtime, 'public/forgot-company', 'Forgot company name', {
    action: '/forgot/company',
    problem: null,
    values: { email: '' },
    back: '/forgot',
  });
}

async function askForCompany(ctx: Context, runtime: Runtime): Promise<void> {
  const typed = ctx.state.form.email ?? '';
  const email = emailSchema.safeParse(typed);
  if (!email.success) {
    const problem = { sentence: email.error.issues[0]?.message ?? '', field: 'email', code: null };
    await showPage(ctx, runtime, 'public/forgot-company', 'Forgot company name', {
      action: '/forgot/company',
      problem,
      values: { email: typed.slice(0, 100) },
      back: '/forgot',
    });
    ctx.status = 422;
    return;
  }
  await queueForgotten(ctx.state.work, { kind: 'company', email: email.data });
  await checkMail(
    ctx,
    runtime,
    'If this address belongs to somebody here, we have sent it the names of their companies.',
  );
}

async function checkMail(ctx: Context, runtime: Runtime, sentence: string): Promise<void> {
  await showPage(ctx, runtime, 'public/check-mail', 'Check your mail', {
    title: 'Check your mail',
    sentence,
    back: await loginPath(ctx, runtime),
  });
}

const deadLinks: Record<PasswordLinkKind, { sentence: string; next: string }> = {
  invitation: {
    sentence: 'This invitation has been used, replaced by a newer one, or has run out.',
    next: 'If you have already signed up, log in. Otherwise ask your administrator to send the invitation again.',
  },
  passwordReset: {
    sentence: 'This link has been used, replaced by a newer one, or has run out.',
    next: "Ask for a new one under Can't log in?",
  },
  setup: {
    sentence: 'This link has been used, replaced by a newer one, or has run out.',
    next: "Ask for a new one under Can't log in?, or ask your administrator.",
  },
};

async function showDead(ctx: Context, runtime: Runtime, words: { sentence: string; next: string }): Promise<void> {
  await showPage(ctx, runtime, 'public/link-dead', 'This link no longer works', {
    title: 'This link no longer works',
    ...words,
    start: '/login',
  });
  ctx.status = 410;
}

async function drawLinkPassword(
  ctx: Context,
  runtime: Runtime,
  kind: PasswordLinkKind,
  open: OpenLink,
  problem: FormProblem | null,
): Promise<void> {
  const policy = open.company.policy.password ?? policySchema.parse({}).password;
  const earlier = await ctx.state.work.store.of(open.company.id).credentials.lastHashes(open.user.id, 1);
  await showPage(
    ctx,
    runtime,
    'public/link-password',
    kind === 'invitation' ? `Welcome to ${runtime.config.brandName}` : 'Set a new password',
    {
      action: `${linkPaths[kind]}/${param(ctx, 'token')}`,
      problem,
      kind,
      person: { username: open.user.username, company: open.company.name, firstName: open.user.firstName },
      rules: { sentences: passwordRules(policy, earlier.length > 0) },
    },
  );
}

/** C26: links of people whose company enforces single sign-on lead to its button. */
async function showSso(ctx: Context, runtime: Runtime, { company, user }: OpenLink): Promise<void> {
  const hint = new URLSearchParams({ username: user.username });
  await showPage(ctx, runtime, 'public/link-done', 'Log in with single sign-on', {
    title: 'Log in with single sign-on',
    sentence: `${company.name} logs in with single sign-on, so you need no password here.`,
    login: `/login/${company.loginSlug}?${hint}`,
    label: 'Go on to log in',
  });
}

function passwordLink(kind: PasswordLinkKind): Route[] {
  const show = async (ctx: Context, runtime: Runtime) => {
    const open = await findPasswordLink(ctx.state.work, kind, param(ctx, 'token'));
    if (!open) return showDead(ctx, runtime, deadLinks[kind]);
    if (open.mustUseSso) return showSso(ctx, runtime, open);
    await drawLinkPassword(ctx, runtime, kind, open, null);
  };
  const set = async (ctx: Context, runtime: Runtime) => {
    const token = param(ctx, 'token');
    const result = await setPasswordByLink(ctx.state.work, kind, token, ctx.state.form.password ?? '');
    if (result.outcome === 'dead') return showDead(ctx, runtime, deadLinks[kind]);
    if (result.outcome === 'refused' || result.outcome === 'sso') {
      const open = await findPasswordLink(ctx.state.work, kind, token);
      if (!open) return showDead(ctx, runtime, deadLinks[kind]);
      if (result.outcome === 'sso') return showSso(ctx, runtime, open);
      await drawLinkPassword(ctx, runtime, kind, open, {
        sentence: result.problems.join(' '),
        field: 'password',
        code: null,
      });
      ctx.status = 422;
      return;
    }
    const { username } = result.user;
    const waiting = await findWaiting(ctx, runtime);
    const hint = new URLSearchParams({ username, ...(waiting ? { company: result.company.name } : {}) });
    await showPage(ctx, runtime, 'public/link-done', 'Password set', {
      title: 'Your password is set',
      sentence:
        kind === 'passwordReset'
          ? 'Log in with your new password.'
          : 'Log in now; you will then set up your second factor.',
      login: `${waiting ?? `/login/${result.company.loginSlug}`}?${hint}`,
      label: 'Back to Login',
    });
  };
  const path = `${linkPaths[kind]}/:token`;
  return [
    { method: 'get', path, handle: show },
    { method: 'post', path, handle: set },
  ];
}

async function askConfirmEmail(ctx: Context, runtime: Runtime): Promise<void> {
  await showPage(ctx, runtime, 'public/link-confirm', 'Confirm your e-mail address', {
    action: `${linkPaths.emailChange}/${param(ctx, 'token')}`,
    title: 'Confirm your e-mail address',
    sentence: 'From now on this address gets your mails.',
    button: 'Confirm',
  });
}

async function confirmEmailLink(ctx: Context, runtime: Runtime): Promise<void> {
  const confirmed = await confirmEmail(ctx.state.work, param(ctx, 'token'));
  if (!confirmed)
    return showDead(ctx, runtime, {
      sentence: 'This link has been used, replaced by a newer one, or has run out.',
      next: 'Ask for the change of address again.',
    });
  await showPage(ctx, runtime, 'public/link-done', 'Address confirmed', {
    title: 'Your e-mail address is confirmed',
    sentence: `Mails now go to ${confirmed.email}.`,
    login: '/login',
    label: 'Continue',
  });
}

export const recoveryRoutes: Route[] = [
  { method: 'get', path: '/forgot', handle: forgot },
  { method: 'get', path: '/forgot/password', handle: forgotPassword },
  { method: 'post', path: '/forgot/password', handle: askForPassword },
  { method: 'get', path: '/forgot/company', handle: forgotCompany },
  { method: 'post', path: '/forgot/company', handle: askForCompany },
  ...passwordLink('invitation'),
  ...passwordLink('passwordReset'),
  ...passwordLink('setup'),
  { method: 'get', path: `${linkPaths.emailChange}/:token`, handle: askConfirmEmail },
  { method: 'post', path: `${linkPaths.emailChange}/:token`, handle: confirmEmailLink },
];
