// The company's own words for each mail, with a look at the very mail that would be sent.
import { defaultTexts } from '../../../domain/mails/default-texts.ts';
import {
  checkText,
  type MailText,
  mandatoryOf,
  placeholdersOf,
  placeholderWords,
  type TextKind,
  textKinds,
  textLimits,
} from '../../../domain/mails/text.ts';
import { changeMailText, resetMailText } from '../../../domain/mails/text-commands.ts';
import { AppError, notFound } from '../../../lib/errors.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { param, type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { tabsOf, textsPath } from './list.ts';
import type { TextForm } from './views.ts';
import { kindWords, occasionWords } from './words.ts';

const textsOf = (desk: Desk) => desk.work.store.of(desk.companyId).mailTexts;

const ourText = (kind: TextKind): MailText => {
  const { preview: _, ...text } = defaultTexts[kind];
  return text;
};

function kindOf(ctx: Context): TextKind {
  const kind = textKinds.find((one) => one === param(ctx, 'kind'));
  if (!kind) throw notFound('mail');
  return kind;
}

const list: DeskHandler = async (ctx, runtime, desk) => {
  const changed = new Map((await textsOf(desk).list()).map((one) => [one.kind, one]));
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/mail/texts', title: 'Texts of mails', place: 'mail' },
    {
      tabs: tabsOf(textsPath),
      texts: textKinds.map((kind) => {
        const own = changed.get(kind);
        return {
          kind: kindWords[kind],
          occasion: occasionWords[kind] ?? '',
          subject: own?.text.subject ?? defaultTexts[kind].subject,
          href: `${textsPath}/${kind}`,
          changedAt: own ? desk.moment(own.updatedAt) : null,
        };
      }),
    },
  );
};

async function draw(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  typed: TextForm | null = null,
  problem: FormProblem | null = null,
): Promise<void> {
  const kind = kindOf(ctx);
  const here = `${textsPath}/${kind}`;
  const { mailTexts } = desk.work.store.of(desk.companyId);
  const [own, settings] = await Promise.all([mailTexts.find(kind), mailTexts.findSettings()]);
  // The preview is a page of its own in a frame; nothing else may be framed here.
  ctx.set('content-security-policy', `${ctx.response.get('content-security-policy')}; frame-src 'self'`);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/mail/text', title: `${kindWords[kind]}: text of the mail`, place: 'mail' },
    {
      tabs: tabsOf(textsPath),
      problem,
      kind: kindWords[kind],
      occasion: occasionWords[kind] ?? '',
      action: here,
      values: typed ?? own?.text ?? ourText(kind),
      limits: textLimits,
      placeholders: placeholdersOf[kind].map((name) => ({
        name: `{${name}}`,
        words: placeholderWords[name],
        isNeeded: mandatoryOf(kind).includes(name),
      })),
      reset: own ? `${here}/reset` : null,
      preview: {
        html: `${here}/preview/html`,
        text: `${here}/preview/text`,
        from: runtime.sampleMail(kind, desk.account.company, { text: null, settings }).from,
      },
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) => draw(ctx, runtime, desk);

const typedIn = ({ subject = '', heading = '', intro = '', outro = '' }: Record<string, string>): TextForm => ({
  subject,
  heading,
  intro,
  outro,
});

const save: DeskHandler = async (ctx, runtime, desk) => {
  const kind = kindOf(ctx);
  const typed = typedIn(ctx.state.form);
  await orRedraw(
    ctx,
    async () => {
      await changeMailText(desk.work, desk.companyId, kind, { ...typed });
      setFlash(ctx, runtime, { kind: 'success', text: `The text of “${kindWords[kind]}” is saved.` });
      seeOther(ctx, `${textsPath}/${kind}`);
    },
    (problem) => draw(ctx, runtime, desk, typed, problem),
  );
};

/** A frame of our own page may hold it; it loads nothing, runs nothing, and its links lead nowhere. */
const previewPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";

/** The mail as it would be sent with these words; `typed` null: with those that are in force. */
async function drawPreview(ctx: Context, runtime: Runtime, desk: Desk, typed: TextForm | null): Promise<void> {
  const kind = kindOf(ctx);
  const part = param(ctx, 'part');
  if (part !== 'html' && part !== 'text') throw notFound('preview');
  ctx.set({ 'content-security-policy': previewPolicy, 'x-frame-options': 'SAMEORIGIN' });
  const { mailTexts } = desk.work.store.of(desk.companyId);
  const [own, settings] = await Promise.all([mailTexts.find(kind), mailTexts.findSettings()]);
  ctx.type = 'text/plain; charset=utf-8';
  try {
    // Ours pass as ours, so that also the words beside the subject are those that would be sent.
    const text = typed ? unlessOurs(kind, checkText(kind, { ...typed })) : (own?.text ?? null);
    const mail = runtime.sampleMail(kind, desk.account.company, { text, settings });
    if (part === 'html') ctx.type = 'text/html; charset=utf-8';
    ctx.body = part === 'html' ? mail.html : `Subject: ${mail.subject}\n\n${mail.text}`;
  } catch (error) {
    if (!(error instanceof AppError) || error.status !== 422) throw error;
    ctx.status = 422;
    ctx.body = `This text cannot be sent yet.\n${error.message}\n`;
  }
}

function unlessOurs(kind: TextKind, text: MailText): MailText | null {
  const ours = ourText(kind);
  const isOurs = (['subject', 'heading', 'intro', 'outro'] as const).every((part) => text[part] === ours[part]);
  return isOurs ? null : text;
}

const preview: DeskHandler = (ctx, runtime, desk) => drawPreview(ctx, runtime, desk, null);

const previewTyped: DeskHandler = (ctx, runtime, desk) => drawPreview(ctx, runtime, desk, typedIn(ctx.state.form));

const askReset: DeskHandler = async (ctx, runtime, desk) => {
  const kind = kindOf(ctx);
  const own = await textsOf(desk).find(kind);
  if (!own) return seeOther(ctx, `${textsPath}/${kind}`);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/mail/text-reset', title: `Reset the text of “${kindWords[kind]}”`, place: 'mail' },
    {
      tabs: tabsOf(textsPath),
      kind: kindWords[kind],
      changed: own.text,
      ours: ourText(kind),
      action: `${textsPath}/${kind}/reset`,
      cancel: `${textsPath}/${kind}`,
    },
  );
};

const reset: DeskHandler = async (ctx, runtime, desk) => {
  const kind = kindOf(ctx);
  await resetMailText(desk.work, desk.companyId, kind);
  setFlash(ctx, runtime, { kind: 'success', text: `“${kindWords[kind]}” has its default text again.` });
  seeOther(ctx, `${textsPath}/${kind}`);
};

export const mailTextRoutes: Route[] = [
  { method: 'get', path: textsPath, handle: deskOf('mail.manage', list) },
  { method: 'get', path: `${textsPath}/:kind`, handle: deskOf('mail.manage', show) },
  { method: 'post', path: `${textsPath}/:kind`, handle: deskOf('mail.manage', save) },
  { method: 'get', path: `${textsPath}/:kind/preview/:part`, handle: deskOf('mail.manage', preview) },
  { method: 'post', path: `${textsPath}/:kind/preview/:part`, handle: deskOf('mail.manage', previewTyped) },
  { method: 'get', path: `${textsPath}/:kind/reset`, handle: deskOf('mail.manage', askReset) },
  { method: 'post', path: `${textsPath}/:kind/reset`, handle: deskOf('mail.manage', reset) },
];
