import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { InstanceHead } from '../modules/views.ts';
import type { PlanPage } from '../plan-page.ts';
import type { Chip, Choice, PageLinks, StatusWords } from '../views.ts';

export interface ClassCard {
  label: string;
  count: string;
  /** "2 new, 1 gone"; empty when nothing has changed. */
  change: string;
  tone: StatusWords['tone'];
  href: string;
  isHere: boolean;
}

export interface FindingLine {
  account: string;
  /** Address of the person's page; null: there is nobody. */
  person: { name: string; href: string | null } | null;
  isAdministrator: boolean;
  class: StatusWords;
  isNew: boolean;
  before: string;
  /** Empty: nothing is wanted of it. */
  after: string;
  why: string;
  link: string | null;
  unlink: string | null;
  /** Why the person can or can't get in. */
  whyPerson: string | null;
}

/** How far a reading is. */
export interface Progress {
  words: string;
  /** Null: not known yet. */
  max: number | null;
  value: number;
}

export interface PlanLine {
  account: string;
  person: { name: string; href: string | null } | null;
  isAdministrator: boolean;
  act: StatusWords;
  before: string;
  after: string;
  rule: string;
}

export interface ModuleAccountViews {
  'admin/module-accounts/report': {
    shell: Shell;
    instance: InstanceHead;
    here: string;
    /** Null: there is none yet. */
    report: { at: Moment; words: string; note: string; isLatest: boolean; cards: ClassCard[] } | null;
    progress: Progress | null;
    /** Why the last try led to nothing. */
    failed: string;
    /** Null: the accounts of this module cannot be read. */
    read: string | null;
    latest: string;
    history: string;
    plan: string | null;
    export: string;
    filters: { search: string; classes: Choice[]; onlyNew: boolean; chips: Chip[]; clear: string | null };
    count: string;
    lines: FindingLine[];
    isFiltered: boolean;
    pages: PageLinks;
  };
  'admin/module-accounts/history': {
    shell: Shell;
    instance: InstanceHead;
    back: string;
    readings: { href: string | null; at: Moment; by: string; state: StatusWords; accounts: string; wrong: string }[];
    plans: { href: string; at: Moment; by: string; state: StatusWords; words: string }[];
  };
  'admin/module-accounts/new-plan': {
    shell: Shell;
    instance: InstanceHead;
    problem: FormProblem | null;
    back: string;
    action: string;
    classes: { value: string; label: string; help: string; checked: boolean }[];
    orphans: { value: string; label: string; help: string; checked: boolean }[];
    /** What no plan touches. */
    untouched: string[];
  };
  'admin/module-accounts/plan': PlanPage & {
    shell: Shell;
    instance: InstanceHead;
    back: string;
    apply: { action: string; button: string; isDanger: boolean } | null;
    lines: PlanLine[];
  };
  'admin/module-accounts/link': {
    shell: Shell;
    instance: InstanceHead;
    back: string;
    account: { name: string; facts: { label: string; value: string }[] };
    accountId: string;
    find: string;
    search: string;
    action: string;
    problem: FormProblem | null;
    isSearched: boolean;
    people: { id: string; name: string; words: string }[];
  };
}
