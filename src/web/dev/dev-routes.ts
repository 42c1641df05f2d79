// Only in the demo: every mail, and the codes that the demo people's authenticators would show. Mounted nowhere else (app.ts).
import { generateSync } from 'otplib';
import { mailPurpose, type StoredMail } from '../../domain/mails/mail.ts';
import { factorPurpose } from '../../domain/users/password-commands.ts';
import { listEnrolled } from '../../domain/users/queries.ts';
import { notFound } from '../../lib/errors.ts';
import { isId } from '../../lib/ids.ts';
import { epoch, exact, relative } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { showPage } from '../page.ts';
import { param, type Route } from '../routes.ts';
import type { Moment } from '../views.ts';

const mailPath = '/dev/mailbox/';

const momentOf = (at: Date, now: Date): Moment => ({
  text: relative(at, now),
  exact: exact(at, 'UTC'),
  iso: at.toISOString(),
});

async function composed(runtime: Runtime, mail: StoredMail) {
  if (mail.sealedData === null)
    return { subject: mail.kind, text: 'The text of this mail was erased when it was sent.', html: '' };
  const data: unknown = JSON.parse(runtime.keyring.open(mailPurpose, mail.sealedData));
  if (mail.companyId === null) return runtime.composeMail(mail, data);
  const { mailTexts } = runtime.store.of(mail.companyId);
  const [stored, settings] = await Promise.all([mailTexts.find(mail.kind), mailTexts.findSettings()]);
  return runtime.composeMail(mail, data, { text: stored?.text ?? null, settings });
}

async function drawMailbox(ctx: Context, runtime: Runtime, selected: StoredMail | null): Promise<void> {
  const { work } = ctx.state;
  const mails = await work.store.mails.listRecent(200);
  const words = selected ? await composed(runtime, selected) : null;
  const subjects = await Promise.all(mails.map(async (mail) => (await composed(runtime, mail)).subject));
  await showPage(ctx, runtime, 'dev/mailbox', 'Mailbox', {
    mails: mails.map((mail, i) => ({
      id: mail.id,
      at: momentOf(mail.createdAt, work.now),
      to: mail.recipient,
      subject: subjects[i] ?? '',
      kind: mail.kind,
    })),
    selected:
      selected && words
        ? {
            subject: words.subject,
            to: selected.recipient,
            from: runtime.config.mailFrom,
            at: momentOf(selected.createdAt, work.now),
            text: words.text,
            htmlAddress: `${mailPath}${selected.id}/html`,
          }
        : null,
    mailAddress: mailPath,
  });
}

async function findMail(ctx: Context): Promise<StoredMail> {
  const id = param(ctx, 'id');
  const mail = isId(id) ? await ctx.state.work.store.mails.findById(id) : null;
  if (!mail) throw notFound('mail');
  return mail;
}

async function mailHtml(ctx: Context, runtime: Runtime): Promise<void> {
  const mail = await findMail(ctx);
  ctx.set(
    'content-security-policy',
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups allow-top-navigation-by-user-activation",
  );
  ctx.set('x-frame-options', 'SAMEORIGIN');
  ctx.type = 'html';
  ctx.body = (await composed(runtime, mail)).html;
}

async function authenticator(ctx: Context, runtime: Runtime): Promise<void> {
  const { work } = ctx.state;
  const seconds = epoch(work.now);
  const people = await listEnrolled(work.store.db, 100);
  await showPage(ctx, runtime, 'dev/authenticator', 'Authenticator', {
    people: people.map(({ sealedSecret, ...person }) => ({
      ...person,
      code: generateSync({ secret: runtime.keyring.open(factorPurpose, sealedSecret), epoch: seconds }),
      secondsLeft: 30 - (seconds % 30),
    })),
  });
}

export const devRoutes: Route[] = [
  { method: 'get', path: '/dev/mailbox', handle: (ctx, runtime) => drawMailbox(ctx, runtime, null) },
  {
    method: 'get',
    path: '/dev/mailbox/:id',
    handle: async (ctx, runtime) => drawMailbox(ctx, runtime, await findMail(ctx)),
  },
  { method: 'get', path: '/dev/mailbox/:id/html', handle: mailHtml },
  { method: 'get', path: '/dev/authenticator', handle: authenticator },
];
