// Draws the present step of a sign-in.
import { policySchema } from '../../domain/companies/company.ts';
import { passwordRules } from '../../domain/credentials/password.ts';
import { grouped, totpAddress } from '../../domain/credentials/totp.ts';
import { entryRefusal } from '../../domain/integrations/entry.ts';
import type { Runtime } from '../../runtime.ts';
import { scopeWords } from '../access-words.ts';
import type { Context } from '../context.ts';
import { showPage } from '../page.ts';
import type { FormProblem, ModuleLine, PersonChip, Upstream } from '../views.ts';
import { ticketPath } from './begin.ts';
import type { Ticket, TicketStep } from './ticket.ts';

type Draw = (ctx: Context, runtime: Runtime, ticket: Ticket, shared: Shared) => Promise<void>;

interface Shared {
  module: ModuleLine | null;
  problem: FormProblem | null;
  cantLogIn: string;
  action: string;
  chip: PersonChip;
  upstreams: Upstream[];
}

const draw: Record<TicketStep, Draw> = {
  async identify(ctx, runtime, ticket, { chip: _, ...shared }) {
    await showPage(ctx, runtime, 'interaction/identify', 'Log in', {
      ...shared,
      askCompany: !ticket.isCompanyFixed,
      companyName: ticket.isCompanyFixed ? ticket.company : null,
      otherCompany: ticket.mayUseOtherCompany ? `${ticketPath(ticket.uid)}/other-company` : null,
      values: { username: ticket.username, company: ticket.isCompanyFixed ? '' : ticket.company },
    });
  },
  async sso(ctx, runtime, _ticket, { module, problem, chip, upstreams, cantLogIn }) {
    await showPage(ctx, runtime, 'interaction/sso', 'Log in', { module, problem, chip, upstreams, cantLogIn });
  },
  async password(ctx, runtime, _ticket, shared) {
    await showPage(ctx, runtime, 'interaction/password', 'Password', shared);
  },
  async 'set-password'(ctx, runtime, ticket, { upstreams: _, ...shared }) {
    const company = await runtime.workOf(ctx).store.companies.findByName(ticket.company);
    const policy = company?.policy.password ?? policySchema.parse({}).password;
    await showPage(ctx, runtime, 'interaction/set-password', 'Set a new password', {
      ...shared,
      reason: ticket.reason === 'expired' ? 'expired' : 'first',
      rules: { sentences: passwordRules(policy) },
    });
  },
  async code(ctx, runtime, ticket, { upstreams: _, ...shared }) {
    await showPage(ctx, runtime, 'interaction/code', 'Verification code', {
      ...shared,
      method: ticket.method,
      canUseRecovery: ticket.mayRecover,
    });
  },
  async enrol(ctx, runtime, ticket, { upstreams: _, ...shared }) {
    const secret = ticket.secret ?? '';
    const address = totpAddress({
      secret,
      issuer: runtime.config.brandName,
      account: `${ticket.username} (${ticket.company})`,
    });
    await showPage(ctx, runtime, 'interaction/enrol', 'Your Security Matters', {
      ...shared,
      qr: await qrCode(address),
      secret,
      secretGroups: grouped(secret),
      reason: ticket.reason === 'reset' ? 'reset' : 'first',
    });
  },
  async 'recovery-codes'(ctx, runtime, ticket, { chip: _, upstreams: __, ...shared }) {
    await showPage(ctx, runtime, 'interaction/recovery-codes', 'Recovery codes', {
      ...shared,
      codes: ticket.recoveryCodes,
      ...recoveryCodeFile(runtime, ticket.username, ticket.recoveryCodes),
    });
  },
  async entry(ctx, runtime, ticket, { module }) {
    const line = module ?? { name: ticket.clientId, icon: null };
    ctx.status = 403;
    await showPage(ctx, runtime, 'interaction/no-access', 'No access to this module', {
      module: line,
      ...entryRefusal(ticket.because, {
        module: line.name,
        brand: runtime.config.brandName,
        company: ticket.company,
      }),
      code: ticket.code,
      back: ticket.because === 'not-administrator' ? `${ticketPath(ticket.uid)}/entry/back` : null,
      home: '/',
      signOut: '/sign-out',
    });
    ctx.status = 403;
  },
  async consent(ctx, runtime, ticket, { upstreams: _, ...shared }) {
    await showPage(ctx, runtime, 'interaction/consent', 'Allow access', {
      ...shared,
      scopes: scopeWords(ticket.scopes),
      redirectHost: ticket.redirectHost,
      cancel: `${ticketPath(ticket.uid)}/consent/cancel`,
    });
  },
};

export function recoveryCodeFile(
  runtime: Runtime,
  username: string,
  codes: string[],
): { download: string; fileName: string } {
  const brand = runtime.config.brandName;
  const text = [
    `${brand} recovery codes for ${username}`,
    'Each code works once. Keep them where only you can find them.',
    '',
    ...codes,
    '',
  ].join('\r\n');
  return {
    download: `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`,
    fileName: `${brand.toLowerCase()}-recovery-codes.txt`,
  };
}

/** Which path below the interaction a step's form posts to. */
const actions: Record<TicketStep, string> = {
  identify: 'identify',
  password: 'password',
  sso: 'restart',
  'set-password': 'set-password',
  code: 'code',
  enrol: 'enrol',
  'recovery-codes': 'recovery-codes',
  entry: 'restart',
  consent: 'consent',
};

export async function drawStep(
  ctx: Context,
  runtime: Runtime,
  ticket: Ticket,
  step: TicketStep,
  problem: FormProblem | null = null,
): Promise<void> {
  const base = ticketPath(ticket.uid);
  const module = await runtime.clients.module(ticket.clientId);
  await draw[step](ctx, runtime, ticket, {
    action: `${base}/${actions[step]}`,
    module: module && !module.isBuiltIn ? { name: module.name, icon: module.icon } : null,
    problem,
    cantLogIn: `${base}/forgot`,
    chip: { username: ticket.username, company: ticket.company, restart: `${base}/restart` },
    upstreams: ticket.sso.connections.map(({ id, name }) => ({ name, address: `${base}/sso/${id}` })),
  });
}

/** As the address of an image. What draws it is loaded for the first who enrols. */
async function qrCode(text: string): Promise<string> {
  const { default: QRCode } = await import('qrcode');
  return QRCode.toDataURL(text, { width: 200, margin: 2, errorCorrectionLevel: 'M' });
}
