// Values for a look at a mail before it is sent to anybody: of the length and kind that real ones have.
import type { TextKind } from '../domain/mails/text.ts';
import { after, days, hours, minutes } from '../lib/time.ts';
import type { MailData } from './data.ts';

export interface SampleContext {
  company: string;
  publicUrl: string;
  now: Date;
}

export function sampleData({ company, publicUrl, now }: SampleContext): { [K in TextKind]: MailData[K] } {
  const person = { name: 'Ada Lovelace', company };
  const account = { ...person, username: 'ada.lovelace' };
  const link = `${publicUrl}/sample-link-that-opens-nothing`;
  const linked = { ...account, link, expiresAt: after(now, hours(24)).toISOString() };
  const at = now.toISOString();
  const happened = { ...person, at, ip: '203.0.113.7' };
  const exception = {
    ...person,
    module: 'Datto Workplace',
    account: 'ben@northwind.example',
    reason: 'On the road until the new phone arrives',
    href: '/admin/modules',
  };
  return {
    invitation: { ...linked, name: 'Ada', expiresAt: after(now, days(14)).toISOString() },
    setup: linked,
    passwordReset: linked,
    confirmEmail: { ...linked, email: 'ada@new.example' },
    emailChangeRequested: { ...person, at, expiresAt: linked.expiresAt },
    emailChanged: { ...person, at },
    locked: { ...account, until: after(now, minutes(10)).toISOString(), ip: happened.ip },
    passwordChanged: { ...happened, username: account.username },
    secondFactorReset: happened,
    secondFactorEnrolled: happened,
    recoveryCodeUsed: { ...happened, left: 9 },
    deactivated: account,
    importFinished: {
      ...person,
      kind: 'csv',
      counts: { imported: 1204, skipped: 3, failed: 2 },
      href: '/admin/users',
    },
    exportReady: { ...person, href: '/admin/users' },
    exceptionEnds: { ...exception, endsAt: after(now, days(7)).toISOString() },
    exceptionKept: { ...exception, endsAt: after(now, days(7)).toISOString() },
    emergencyUsed: {
      ...person,
      module: 'Datto Workplace',
      account: 'breakglass@northwind.example',
      at,
      href: '/admin/modules',
    },
    moduleConnected: {
      ...person,
      module: 'Datto Workplace',
      tenant: 'Northwind IT',
      by: 'ben.root',
      admin: 'Ben Root',
      from: happened.ip,
      server: '198.51.100.4',
      at,
      href: '/admin/modules',
    },
    contractOverridden: {
      ...person,
      module: 'Datto Workplace',
      by: 'ben.root',
      reason: 'Their test tenant is being built',
      from: happened.ip,
      at,
      href: '/admin/modules',
    },
    noWayIn: { ...person, module: 'Datto Workplace', href: '/admin/modules' },
    requirementReverted: { ...person, module: 'Datto Workplace', at, href: '/admin/modules' },
    batchWaits: {
      ...person,
      module: 'Datto Workplace',
      people: 37,
      cause: 'a group was deleted by Ben Root',
      href: '/admin/batches',
    },
    groupsNotSaid: {
      ...person,
      connection: 'Entra ID',
      account: 'ben@contoso.example',
      problem: 'the groups were not sent',
      href: '/admin/sso',
    },
    deliveriesLate: {
      ...person,
      module: 'Datto Workplace',
      people: 3,
      problem: 'It did not answer within 10 seconds.',
      href: '/admin/modules',
    },
    certificateEnds: {
      ...person,
      connection: 'Entra ID',
      certificate: 'CN=Microsoft Azure Federated SSO Certificate',
      endsAt: after(now, days(30)).toISOString(),
      isOver: false,
      href: '/admin/sso',
    },
    certificateAdded: {
      ...person,
      connection: 'Entra ID',
      certificates: ['CN=Microsoft Azure Federated SSO Certificate'],
      href: '/admin/sso',
    },
    ssoReverted: { ...person, connection: 'Entra ID', at, href: '/admin/sso' },
    domainLost: {
      ...person,
      domain: 'northwind.example',
      isLost: false,
      until: after(now, days(7)).toISOString(),
      href: '/admin/sso',
    },
    breakGlassEnds: {
      ...person,
      account: 'ben.root',
      reason: 'On call',
      endsAt: after(now, days(7)).toISOString(),
      isKept: false,
      href: '/admin/sso',
    },
  };
}
