// What each page of the console is given; one file of types for each noun, joined here.
import type { FormProblem, Shell } from '../views.ts';
import type { AuditViews } from './audit/views.ts';
import type { BatchViews } from './batches/views.ts';
import type { ContractViews } from './contract/views.ts';
import type { DashboardViews } from './dashboard/views.ts';
import type { DeliveryViews } from './deliveries/views.ts';
import type { GroupViews } from './groups/views.ts';
import type { MailViews } from './mail/views.ts';
import type { ModuleAccountViews } from './module-accounts/views.ts';
import type { ModuleImportViews } from './module-import/views.ts';
import type { ModuleViews } from './modules/views.ts';
import type { SecurityViews } from './security/views.ts';
import type { SsoViews } from './sso/views.ts';
import type { TaskViews } from './tasks/views.ts';
import type { UserBulkViews } from './users/bulk-views.ts';
import type { InviteViews } from './users/invite-views.ts';
import type { PersonViews } from './users/person-views.ts';
import type { UserViews } from './users/views.ts';
import type { WhyViews } from './why/views.ts';

export interface AdminViews
  extends AuditViews,
    BatchViews,
    DashboardViews,
    ContractViews,
    DeliveryViews,
    GroupViews,
    InviteViews,
    PersonViews,
    SecurityViews,
    UserViews,
    UserBulkViews,
    MailViews,
    ModuleAccountViews,
    ModuleImportViews,
    ModuleViews,
    SsoViews,
    TaskViews,
    WhyViews {
  /** Who loses what, before it happens. */
  'admin/confirm': {
    shell: Shell;
    title: string;
    lead: string;
    /** The first of them by name; may be empty. */
    who: string;
    sentences: string[];
    problem: FormProblem | null;
    /** In the place of the answer: what has to be done before. */
    before: { href: string; button: string } | null;
    action: string;
    hidden: { name: string; value: string }[];
    button: string;
    isDanger: boolean;
    cancel: string;
  };
}

/** One step through a long list. Addresses are ready; null: there is nothing further that way. */
export interface PageLinks {
  /** Such as "1 to 50 of 1,204". */
  words: string;
  /** Goes with the form `filter-form` of the page. */
  sizes: Choice[];
  previous: string | null;
  next: string | null;
}

/** A choice of a drop-down list. */
export interface Choice {
  value: string;
  label: string;
  selected: boolean;
}

/** A filter that is on, with the address that takes it off. */
export interface Chip {
  label: string;
  without: string;
}

/** A status in words with a dot, never colour alone: `tone` colours the dot. */
export interface StatusWords {
  tone: 'good' | 'wait' | 'danger' | 'off';
  word: string;
  /** Such as "9 minutes left"; may be empty. */
  more: string;
}
