// Why can or can't this person get in? One ordered trace, from the account to the last logout. It decides nothing by itself: each line
// tells what the functions that decide for real have said, and the verdict is theirs. Pure.
import type { GroupId, InstanceId } from '../../lib/ids.ts';
import type { AuditAction } from '../audit/audit-event.ts';
import type { CompanyPolicy } from '../companies/company.ts';
import type { Entry } from '../integrations/entry.ts';
import { entryAt } from '../integrations/reach.ts';
import type { Exception } from '../integrations/settings.ts';
import type { LogoutReceipt } from '../sessions/logout-repository.ts';
import { addressWait, fromAnywhere, type RefusalReason } from '../users/sign-in.ts';
import { asArrived, type Comer, standingOf } from '../users/standing.ts';
import type { User } from '../users/user.ts';
import type { Delivery } from './account.ts';
import { isTaken, type TakingFacts } from './taking.ts';
import { doorLines } from './why-door.ts';
import { moduleLines } from './why-module.ts';
import { signInLines } from './why-sign-in.ts';

export interface WhyGroup {
  id: GroupId;
  name: string;
  isActive: boolean;
  /** All Module Access, which opens more than this. */
  isSystem: boolean;
  /** Since when the person is in it; null: they are not. */
  since: Date | null;
  /** Who put them in, as far as the audit log tells. */
  addedBy: string | null;
}

/** One connected module, with all that decides there for one person. */
export interface WhyInstance extends TakingFacts {
  id: InstanceId;
  name: string;
  /** Groups that hold the module, active or not; first those of the person. */
  groups: WhyGroup[];
  exception: Exception | null;
  /** The newest first. */
  deliveries: Delivery[];
  logout: LogoutReceipt | null;
}

export interface WhyFacts extends Comer {
  user: User;
  policy: CompanyPolicy;
  /** Where they would come from; null: not said. */
  from: string | null;
  /** Failures after which a network address has to wait (AUT-08). */
  failuresPerAddress: number;
  liveSessions: number;
  /** Null: KaseyaOne alone. */
  instance: WhyInstance | null;
}

export type LineName =
  | 'account'
  | 'first-steps'
  | 'lock'
  | 'addresses'
  | 'sessions'
  | 'upstream'
  | 'module'
  | 'groups'
  | 'permission'
  | 'requirement'
  | 'link'
  | 'provisioning'
  | 'logout';

/** `note`: it does not decide, and is worth knowing. */
export type Outcome = 'pass' | 'fail' | 'note';

/** A page of the console; which address it has, its routes know. */
export type Place =
  | { page: 'person'; tab: '' | 'security' | 'accounts' | 'edit' | 'activate' | 'resend' | 'unlock' | 'reset-password' }
  | { page: 'policy' | 'addresses' | 'sso' }
  | { page: 'group'; id: string; tab: '' | 'add' | 'activate' }
  | { page: 'instance'; tab: 'settings' | 'require' | 'exceptions' | 'access-groups' | 'accounts' | 'deliveries' };

export interface Link {
  words: string;
  place: Place;
}

/** Where the audit log tells who changed it last. */
export interface Traces {
  target: { kind: 'user' | 'company' | 'group' | 'module'; id: string };
  actions: AuditAction[];
  /** Only changes of these settings decided, named as the event names them, or by how their names begin; absent: any. */
  settings?: string[];
}

export interface Line {
  name: LineName;
  outcome: Outcome;
  sentence: string;
  /** One more sentence each, such as for each group; `at`: when it came to be so. */
  more: { words: string; at: Date | null }[];
  /** The setting that decided. */
  setting: Link;
  changedBy: Traces;
  /** The smallest change that would make it pass; null: it does, or nothing does. */
  flip: Link | null;
}

export interface Why {
  /** KaseyaOne logs the person in, and lets them into the module if there is one: what happens at /auth. */
  passesDoor: boolean;
  /** The module, as far as it told of its accounts, takes them; null without a module, or when it told of none. */
  isTaken: boolean | null;
  /** What has to be done on the way, such as setting a new password. */
  step: 'set-password' | 'enrol' | null;
  refusal: RefusalReason | 'wait' | null;
  lines: Line[];
  /** The first line that fails. */
  decisive: Line | null;
}

/** D.5, D.2: the same functions, in the same order, as when somebody comes. */
export function explain(facts: WhyFacts, now: Date): Why {
  const { refusal, step } = comingOf(facts, now);
  const entry = facts.instance && entryHere(facts.user, facts.instance);
  const user = asArrived(facts.user, facts, now);
  const lines = [
    ...signInLines(facts, refusal, now),
    ...(facts.instance && entry ? doorLines(facts.user, facts.instance, entry, now) : []),
    ...(facts.instance && entry ? moduleLines({ ...facts, user }, facts.instance, entry, now) : []),
  ];
  return {
    passesDoor: refusal === null && (entry === null || entry.allowed),
    isTaken: facts.instance && isTaken(user, facts.instance),
    step,
    refusal,
    lines,
    decisive: lines.find(({ outcome }) => outcome === 'fail') ?? null,
  };
}

function comingOf(facts: WhyFacts, now: Date): Pick<Why, 'refusal' | 'step'> {
  const { signIn, from, failuresPerAddress } = facts;
  if (addressWait(signIn, failuresPerAddress, now) !== null) return { refusal: 'wait', step: null };
  return standingOf({ ...facts, signIn: from === null ? fromAnywhere(signIn) : signIn }, now);
}

const entryHere = ({ role }: Pick<User, 'role'>, { id, profile, settings, groups }: WhyInstance): Entry =>
  entryAt(role, {
    id,
    isEnabled: settings.enabled,
    profile,
    settings,
    groups: groups.filter(({ since }) => since !== null),
  });
