// From the rule of D.4 to an act: the person's row is held, the rule is asked, and what it refuses is refused with its words.
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { Company } from '../companies/company.ts';
import { usesSso } from './sso-queries.ts';
import { decideTransition, type Transition, type TransitionDecision, type User } from './user.ts';

export async function getCompany(work: Work, companyId: CompanyId): Promise<Company> {
  const company = await work.store.companies.findById(companyId);
  if (!company) throw notFound('company');
  return company;
}

/** Acts whose mail has to arrive. */
const mailing = new Set<Transition>(['resend', 'reset-password']);

/** The same answer that the act itself would give, for pages that ask before. */
export async function previewAct(
  work: Work,
  company: Company,
  user: User,
  act: { transition: Transition; actorId: UserId | null },
): Promise<TransitionDecision> {
  const isSso = act.transition === 'reset-2fa' && (await usesSso(work, company.id, user.id));
  const isMailBlocked = mailing.has(act.transition) && (await work.store.mails.isSuppressed(user.email));
  return decideTransition(act.transition, user, {
    actorId: act.actorId,
    reactivate: company.policy.reactivate,
    isMailBlocked,
    usesSso: isSso,
  });
}

/** Holds the row until the transaction ends, asks the rule, and refuses with its reason. */
export async function decide(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
  transition: Transition,
  actorId: UserId | null,
): Promise<{ company: Company; user: User }> {
  const company = await getCompany(work, companyId);
  const user = await work.store.of(companyId).users.lockById(userId);
  if (!user) throw notFound('person');
  const decision = await previewAct(work, company, user, { transition, actorId });
  if (!decision.allowed) throw conflict(decision.because);
  return { company, user };
}
