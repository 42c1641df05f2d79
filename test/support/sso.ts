// A company's Single Sign-On as pages find it: a connection with rules, a domain, somebody on the break-glass list, sign-ins in the log.
import type { Company } from '../../src/domain/companies/company.ts';
import { addBreakGlass } from '../../src/domain/federation/break-glass-commands.ts';
import type { ConnectionId } from '../../src/domain/federation/connection.ts';
import { addEmailDomain } from '../../src/domain/federation/email-domain-commands.ts';
import { makePlan } from '../../src/domain/federation/plan-commands.ts';
import { noteAttempt } from '../../src/domain/federation/request-commands.ts';
import type { UserId } from '../../src/lib/ids.ts';
import type { TestApp } from './app.ts';
import { makeConnection, samlInput, upstreamIssuer } from './federation.ts';
import { TestIdp } from './saml-idp.ts';

export interface SsoThings {
  connection: ConnectionId;
  domain: string;
  attempt: string;
  ssoPlan: string;
}

/** @param exempt goes onto the break-glass list, and is who the log knows */
export async function furnishSso(app: TestApp, company: Company, exempt: UserId): Promise<SsoThings> {
  const work = app.operator();
  const settings = {
    kind: 'saml' as const,
    entityId: upstreamIssuer,
    ssoUrl: 'https://contoso.okta.com/app/unified/sso/saml',
    certificates: [new TestIdp().cert],
  };
  const rule = { when: { kind: 'group' as const, value: 'Field engineers' }, role: 'User' as const };
  const connection = await makeConnection(app, company, {
    ...samlInput(),
    name: 'Contoso Okta',
    settings,
    rules: [rule],
  });
  const { domain } = await addEmailDomain(work, company.id, `d${company.id.slice(-8)}.contoso.example`);
  await addBreakGlass(work, company.id, { userId: exempt, reason: 'On call', endsAt: null, noEnd: true });
  // The one whose page is looked at: with all that such a page can show.
  const groups = { state: 'list', values: ['Everyone', 'Field engineers'], count: 2 };
  await noteAttempt(work, connection, {
    outcome: 'audience',
    details: {
      sent: 'https://other.example',
      claims: { email: 'mia@contoso.example', subject: 'mia', firstName: 'Mia', lastName: null, groups },
      trace: ['Nobody here has the address mia@contoso.example.'],
    },
  });
  await noteAttempt(work, connection, {
    outcome: 'signed-in',
    userId: exempt,
    details: { claims: { email: 'ben@contoso.example' }, trace: ['Known at this identity provider.'] },
  });
  const { id: ssoPlan } = await makePlan(work, company.id, connection.id, { mapping: true });
  const [attempt] = await app.runtime
    .db('sso_attempts')
    .where({ connection_id: connection.id })
    .whereNotNull('code')
    .limit(1);
  return { connection: connection.id, domain, attempt: attempt.id, ssoPlan };
}
