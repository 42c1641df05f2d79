// Who the company's mails come from, and where answers go.

import { noSettings } from '../../../domain/mails/text.ts';
import { changeMailSettings } from '../../../domain/mails/text-commands.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { settingsPath, tabsOf } from './list.ts';
import type { MailViews } from './views.ts';

type Values = MailViews['admin/mail/settings']['values'];

async function draw(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  typed: Values | null = null,
  problem: FormProblem | null = null,
): Promise<void> {
  const stored = await desk.work.store.of(desk.companyId).mailTexts.findSettings();
  const { mailFromDomains } = runtime.config;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/mail/settings', title: 'Sender of mails', place: 'mail' },
    {
      tabs: tabsOf(settingsPath),
      problem,
      action: settingsPath,
      values: typed ?? {
        senderName: stored.senderName ?? '',
        replyTo: stored.replyTo ?? '',
        fromAddress: stored.fromAddress ?? '',
      },
      operator: runtime.sender(noSettings),
      fromDomains: mailFromDomains.length === 0 ? null : mailFromDomains.join(', '),
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) => draw(ctx, runtime, desk);

const save: DeskHandler = async (ctx, runtime, desk) => {
  const { senderName = '', replyTo = '', fromAddress = '' } = ctx.state.form;
  const typed = { senderName, replyTo, fromAddress };
  await orRedraw(
    ctx,
    async () => {
      await changeMailSettings(desk.work, desk.companyId, typed);
      setFlash(ctx, runtime, { kind: 'success', text: 'The sender of your mails is saved.' });
      seeOther(ctx, settingsPath);
    },
    (problem) => draw(ctx, runtime, desk, typed, problem),
  );
};

export const mailSettingsRoutes: Route[] = [
  { method: 'get', path: settingsPath, handle: deskOf('mail.manage', show) },
  { method: 'post', path: settingsPath, handle: deskOf('mail.manage', save) },
];
