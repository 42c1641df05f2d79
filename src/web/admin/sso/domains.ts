// E-mail domains: claimed, proved by a TXT record, removed. They lead people to their identity provider by their address.

import { type EmailDomain, proofHost, proofRecord } from '../../../domain/federation/email-domain.ts';
import {
  addEmailDomain,
  listEmailDomains,
  removeEmailDomain,
  type Verification,
  verifyEmailDomain,
} from '../../../domain/federation/email-domain-commands.ts';
import { notFound } from '../../../lib/errors.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { param, type Route, seeOther } from '../../routes.ts';
import { askFirst, type Desk, type DeskHandler, orRedraw, showDesk } from '../console.ts';
import type { StatusWords } from '../views.ts';
import { guarded, onwardOf, ssoPath } from './connection-head.ts';
import type { SsoViews } from './views.ts';

type Locals = SsoViews['admin/sso/domains'];

const path = `${ssoPath}/domains`;

function statusOf({ verifiedAt, missingSince }: EmailDomain): StatusWords {
  if (verifiedAt === null)
    return { tone: 'wait', word: 'Not proved', more: missingSince === null ? '' : 'the record was taken away' };
  if (missingSince === null) return { tone: 'good', word: 'Proved', more: '' };
  return { tone: 'danger', word: 'Proved', more: 'the record is gone: put it back within a week' };
}

interface Drawn {
  problem: Locals['problem'];
  value?: string;
  looked?: Locals['looked'];
}

const pathOf = (domain: string, act: 'verify' | 'remove'): string => [path, domain, act].join('/');

async function draw(ctx: Context, runtime: Runtime, desk: Desk, { problem, value, looked }: Drawn): Promise<void> {
  const domains = await listEmailDomains(desk.work, desk.companyId);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/domains', title: 'E-mail domains', place: 'sso' },
    {
      problem,
      back: ssoPath,
      onward: await onwardOf(desk),
      action: path,
      value: value ?? '',
      looked: looked ?? null,
      domains: domains.map((one) => ({
        domain: one.domain,
        status: statusOf(one),
        since: desk.moment(one.verifiedAt ?? one.createdAt),
        proof:
          one.verifiedAt === null || one.missingSince !== null
            ? { host: proofHost(one.domain), record: proofRecord(one.proof) }
            : null,
        verify: pathOf(one.domain, 'verify'),
        remove: pathOf(one.domain, 'remove'),
      })),
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) => draw(ctx, runtime, desk, { problem: null });

const add: DeskHandler = async (ctx, runtime, desk) => {
  const value = ctx.state.form.domain ?? '';
  await orRedraw(
    ctx,
    async () => {
      const { domain } = await addEmailDomain(desk.work, desk.companyId, value);
      setFlash(ctx, runtime, { kind: 'success', text: `Put the record into the DNS of ${domain}, then verify it.` });
      seeOther(ctx, path);
    },
    (problem) => draw(ctx, runtime, desk, { problem, value }),
  );
};

async function domainAt(ctx: Context, desk: Desk): Promise<EmailDomain> {
  const wanted = param(ctx, 'domain').toLowerCase();
  const found = (await listEmailDomains(desk.work, desk.companyId)).find(({ domain }) => domain === wanted);
  if (!found) throw notFound('domain');
  return found;
}

function lookedOf(domain: string, seen: Exclude<Verification, { outcome: 'verified' }>): NonNullable<Locals['looked']> {
  if (seen.outcome === 'unknown')
    return { domain, sentence: `DNS did not answer for ${domain}: ${seen.problem} Try again in a moment.`, found: [] };
  const sentence =
    seen.found.length === 0
      ? `There is no TXT record at ${seen.host} yet. It can take an hour until a new one is seen everywhere.`
      : `There is another TXT record at ${seen.host}. Compare it with the one below.`;
  return { domain, sentence, found: seen.found };
}

const verify: DeskHandler = async (ctx, runtime, desk) => {
  const { domain } = await domainAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      const seen = await verifyEmailDomain(desk.work, desk.companyId, domain, runtime.txtRecords);
      if (seen.outcome !== 'verified')
        return draw(ctx, runtime, desk, { problem: null, looked: lookedOf(domain, seen) });
      setFlash(ctx, runtime, { kind: 'success', text: `${domain} is proved to be yours.` });
      seeOther(ctx, path);
    },
    // It is about a domain of the list, not about the field.
    (problem) => draw(ctx, runtime, desk, { problem: { ...problem, field: null } }),
  );
};

const askRemove: DeskHandler = async (ctx, runtime, desk) => {
  const { domain, verifiedAt } = await domainAt(ctx, desk);
  const button = `Remove ${domain}`;
  await askFirst(ctx, runtime, desk, {
    place: 'sso',
    lead:
      verifiedAt === null
        ? 'It was never proved, so nothing changes for anybody.'
        : 'People of this domain are not led to your identity provider by their address any more.',
    sentences: [
      'Logging in by username and company name, and at your Company Login URL, works as before.',
      ...(verifiedAt === null ? [] : ['Another company can prove the domain from then on.']),
      'You can undo it: add it again, with a new record.',
    ],
    action: `${path}/${domain}/remove`,
    button,
    isDanger: true,
    cancel: path,
  });
};

const remove: DeskHandler = async (ctx, runtime, desk) => {
  const { domain } = await domainAt(ctx, desk);
  await removeEmailDomain(desk.work, desk.companyId, domain);
  setFlash(ctx, runtime, { kind: 'success', text: `${domain} is removed.` });
  seeOther(ctx, path);
};

export const ssoDomainRoutes: Route[] = [
  { method: 'get', path, handle: guarded(show) },
  { method: 'post', path, handle: guarded(add) },
  { method: 'post', path: `${path}/:domain/verify`, handle: guarded(verify) },
  { method: 'get', path: `${path}/:domain/remove`, handle: guarded(askRemove) },
  { method: 'post', path: `${path}/:domain/remove`, handle: guarded(remove) },
];
