// What a change of the policy or of the IP access list would have meant, on one page with the button that makes it.
import {
  isAnybody,
  type PolicyPreview,
  type PreviewKind,
  type Proposal,
  previewDays,
  previewKinds,
  previewPolicy,
} from '../../../domain/users/policy-preview-queries.ts';
import { fullName } from '../../../domain/users/user.ts';
import { plainAddress } from '../../../lib/addresses.ts';
import { type Paging, reach } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import type { FormProblem } from '../../views.ts';
import { address, type Desk, pageLinks, showDesk } from '../console.ts';
import { changeWords } from './settings.ts';
import type { SecurityViews } from './views.ts';

type View = SecurityViews['admin/security/preview'];

export interface PreviewPage {
  title: string;
  lead: string;
  back: { href: string; label: string };
  /** Sentences that hold whatever the numbers say. */
  consequences: string[];
  form: { action: string; hidden: Record<string, string>; button: string; isDanger: boolean } | null;
  problem?: FormProblem;
  /** Parameters that each address of the page keeps. */
  kept: Record<string, string>;
  paging: Paging;
}

const number = new Intl.NumberFormat('en');
const upTo = (count: number) => `${number.format(Math.min(count, reach))}${count > reach ? '+' : ''}`;

const kindWords: Record<PreviewKind, { label: string; title: string; when: string }> = {
  address: {
    label: 'would have been refused by the IP access list',
    title: 'Refused by the IP access list',
    when: 'Last login',
  },
  locked: { label: 'would have been locked', title: 'Locked after failed logins', when: 'Last time' },
  password: {
    label: 'would set a new password at the next login',
    title: 'With a password that has run out',
    when: 'Password set',
  },
};

const pairs = (values: Record<string, string>) => Object.entries(values).map(([name, value]) => ({ name, value }));

function changesOf({ changes }: PolicyPreview): View['changes'] {
  return Object.entries(changes?.after ?? {}).map(([path, after]) => {
    const words = changeWords(path, after);
    return { label: words.label, before: changeWords(path, changes?.before[path] ?? '').value, after: words.value };
  });
}

function countsOf(ctx: Context, { counts, kind }: PolicyPreview): View['counts'] {
  const people = previewKinds.map((one): View['counts'][number] => ({
    number: upTo(counts[one]),
    label: `${counts[one] === 1 ? 'person' : 'people'} ${kindWords[one].label}`,
    href: counts[one] > 0 && one !== kind ? address(ctx, { kind: one }) : null,
    isShown: counts[one] > 0 && one === kind,
    look: counts[one] === 0 ? 'meets-none' : one === 'password' ? 'meets-note' : 'meets-loss',
  }));
  const sessions: View['counts'][number] = {
    number: upTo(counts.sessions),
    label: `live ${counts.sessions === 1 ? 'session ends' : 'sessions end'} at once`,
    href: null,
    isShown: false,
    look: counts.sessions === 0 ? 'meets-none' : 'meets-note',
  };
  return [...people, sessions];
}

function listOf(ctx: Context, desk: Desk, { people, kind }: PolicyPreview, kept: Record<string, string>): View['list'] {
  if (people.total === 0) return null;
  return {
    title: kindWords[kind].title,
    when: kindWords[kind].when,
    showsTimes: kind !== 'password',
    people: people.rows.map((person) => ({
      href: `/admin/users/${person.id}`,
      name: fullName(person),
      username: person.username,
      role: person.role,
      times: number.format(person.times),
      at: desk.moment(person.at),
      address: person.ip === '' ? '' : plainAddress(person.ip),
    })),
    pages: pageLinks(ctx, people),
    action: ctx.path,
    hidden: pairs({ ...kept, kind }),
  };
}

function basisOf({ isCut }: PolicyPreview): string {
  const what = isCut ? 'the newest 100,000 logins' : 'the logins';
  return `Held against ${what} of the last ${previewDays} days, and the passwords and sessions of now.`;
}

/** @throws AppError 422 when the proposal itself is wrong */
export async function showPreview(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  proposal: Proposal,
  page: PreviewPage,
): Promise<void> {
  const wanted = new URLSearchParams(ctx.querystring).get('kind');
  const kind = previewKinds.find((one) => one === wanted) ?? null;
  const preview = await previewPolicy(desk.work, desk.companyId, proposal, { kind, ...page.paging });
  const { title, lead, back, consequences, form, kept, problem = null } = page;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/security/preview', title, place: 'policy' },
    {
      title,
      lead,
      back,
      problem,
      changes: changesOf(preview),
      consequences: isAnybody(preview)
        ? consequences
        : [...consequences, 'No login of the last 30 days, no password and no session would be affected.'],
      counts: countsOf(ctx, preview),
      basis: basisOf(preview),
      list: listOf(ctx, desk, preview, kept),
      form: form && { ...form, hidden: pairs(form.hidden) },
      cancel: back.href,
    },
  );
}
