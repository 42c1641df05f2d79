// The life of a person's account at a module: from the first entry to its removal (A8.7, A8.8, C36). Owns what modules last confirmed
// of their accounts, the links to people (C28), and what is on its way to them. Knows nothing of HTTP or SCIM (jobs).
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';

/** `free`: ours to look at only. `suspended`: held until `heldUntil`, then `removed` or `disabled`. */
export type Life = 'free' | 'live' | 'suspended' | 'removed' | 'disabled';

/** How a link came about; once made, it alone counts (C28). */
export type LinkedBy = 'entry' | 'created' | 'known' | 'email' | 'hand';

/** An account as the module last confirmed it. */
export interface ModuleAccount {
  companyId: CompanyId;
  instanceId: InstanceId;
  externalId: string;
  userName: string;
  email: string;
  firstName: string;
  lastName: string;
  isActive: boolean;
  permissions: string[];
  timeZone: string | null;
  knownAs: string | null;
  hasLocalLogin: boolean | null;
  isAdministrator: boolean;
  etag: string | null;
  confirmedAt: Date;
  userId: UserId | null;
  linkedBy: LinkedBy | null;
  life: Life;
  suspendedAt: Date | null;
  heldUntil: Date | null;
  lifeReason: string | null;
}

/** What an act does at the module; each may be sent twice without harm. */
export type Act =
  | 'create'
  | 'update'
  | 'suspend'
  | 'restore'
  | 'remove'
  | 'disable'
  /** Told to those who subscribe; the account stays as it is. */
  | 'end-sessions'
  | 'settings-changed'
  | 'disconnected';

export type DeliveryState =
  /** For a second administrator. */
  | 'waiting'
  | 'queued'
  | 'sent'
  | 'accepted'
  /** Read back, and it is so. */
  | 'verified'
  /** Will be tried again at `nextAt`. */
  | 'failed'
  | 'given-up'
  /** A later act said otherwise before this one was through. */
  | 'superseded';

/** What is wanted of an account; absent: no opinion. */
export interface Wanted {
  active?: boolean;
  userName?: string;
  email?: string;
  firstName?: string;
  lastName?: string;
  permissions?: string[];
  timeZone?: string;
  fields?: Record<string, string>;
  knownAs?: string;
}

/** Where an event goes when the instance itself will not be there any more. */
export interface Endpoint {
  url: string;
  clientId: string;
}

export interface Answer {
  status: number | null;
  words: string;
  /** It waited for a second administrator, who confirmed it: the delivery that went out in its place. */
  sentAs?: string;
}

/** A receipt: one act for one person in one module, from the queue to the proof. */
export interface Delivery {
  id: string;
  seq: number;
  companyId: CompanyId;
  instanceId: InstanceId;
  instanceName: string;
  userId: UserId | null;
  person: string;
  externalId: string | null;
  channel: 'scim' | 'event';
  act: Act;
  reason: string;
  batchId: string | null;
  wanted: Wanted;
  state: DeliveryState;
  attempts: number;
  queuedAt: Date;
  nextAt: Date | null;
  sentAt: Date | null;
  acceptedAt: Date | null;
  verifiedAt: Date | null;
  endedAt: Date | null;
  answer: Answer | null;
}

/** The queue of the job that delivers; the one that compares is of `standing`. */
export const deliverQueue = 'deliver';
