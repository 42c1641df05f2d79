// What a company changes of its mails: words, sender, address for answers.
import type { CompanyId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { checkSettings, checkText, type MailSettings, type MailText, type TextKind } from './text.ts';

type Typed = Record<string, string | undefined>;

/** @throws AppError 422 with the field that is refused */
export async function changeMailText(
  work: Work,
  companyId: CompanyId,
  kind: TextKind,
  typed: Typed,
): Promise<MailText> {
  await authorise(work, companyId, 'mail.manage');
  const text = checkText(kind, typed);
  await transaction(work, async (work) => {
    const { mailTexts } = work.store.of(companyId);
    const before = (await mailTexts.find(kind))?.text ?? null;
    await mailTexts.save(kind, text, work.now);
    await recordChange(work, companyId, { [`${kind} mail`]: before }, { [`${kind} mail`]: text });
  });
  return text;
}

export async function resetMailText(work: Work, companyId: CompanyId, kind: TextKind): Promise<void> {
  await authorise(work, companyId, 'mail.manage');
  await transaction(work, async (work) => {
    const { mailTexts } = work.store.of(companyId);
    const before = await mailTexts.find(kind);
    if (!before) return;
    await mailTexts.remove(kind);
    await recordChange(work, companyId, { [`${kind} mail`]: before.text }, { [`${kind} mail`]: null });
  });
}

/** @throws AppError 422 with the field that is refused */
export async function changeMailSettings(work: Work, companyId: CompanyId, typed: Typed): Promise<MailSettings> {
  await authorise(work, companyId, 'mail.manage');
  const settings = checkSettings(typed, work.config.mailFromDomains);
  await transaction(work, async (work) => {
    const { mailTexts } = work.store.of(companyId);
    const before = await mailTexts.findSettings();
    await mailTexts.saveSettings(settings, work.now);
    await recordChange(work, companyId, { ...before }, { ...settings });
  });
  return settings;
}

async function recordChange(
  work: Work,
  companyId: CompanyId,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Promise<void> {
  await record(work, {
    action: 'mail.settings',
    companyId,
    target: { kind: 'company', id: companyId },
    details: { before, after },
  });
}
