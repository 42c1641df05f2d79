import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { Choice, PageLinks, StatusWords } from '../views.ts';

/** Where the wizard stands; steps that one can go back to have an address. */
export interface WizardStep {
  label: string;
  href: string | null;
  isNow: boolean;
}

interface WizardPage {
  shell: Shell;
  steps: WizardStep[];
  problem: FormProblem | null;
}

/** Somebody of the module, with what an import would do. */
export interface CandidateLine {
  position: number;
  name: string;
  username: string;
  email: string;
  standing: StatusWords;
  checked: boolean;
  /** What the person gets, in words; on the page for individual users. */
  role: string;
  groups: string;
  /** Something else than all. */
  isAssigned: boolean;
}

export interface GroupChoice {
  id: string;
  name: string;
  isActive: boolean;
  checked: boolean;
}

export interface ModuleImportViews {
  'admin/module-import/source': WizardPage & {
    action: string;
    /** Modules; those with several instances are expanded (A5.2). */
    modules: {
      name: string;
      icon: string | null;
      /** The only one of it, or null: then one of `instances` is chosen. */
      only: { id: string; checked: boolean } | null;
      isOpen: boolean;
      instances: { id: string; name: string; checked: boolean }[];
    }[];
    /** A5.2, word for word, when there are none. */
    none: string;
    /** Imports that this person has begun. */
    open: { href: string; name: string; words: string; at: Moment }[];
  };
  'admin/module-import/reading': WizardPage & {
    module: string;
    icon: string | null;
    here: string;
    /** The page looks again by itself while this is so. */
    isReading: boolean;
    read: number;
    announced: number | null;
    progress: string;
    retry: string;
    back: string;
  };
  'admin/module-import/people': WizardPage & {
    module: string;
    action: string;
    /** Address for "all that match" and the like. */
    select: string;
    query: string;
    search: string;
    standings: Choice[];
    isFiltered: boolean;
    /** Of a list that is not what the module announced. */
    note: string;
    count: string;
    chosen: string;
    people: CandidateLine[];
    /** Choices by one press: the page, all that match, nobody. */
    selections: { who: 'page' | 'all' | 'none'; label: string }[];
    words: string;
    previous: string | null;
    next: string | null;
  };
  'admin/module-import/assign': WizardPage & {
    module: string;
    action: string;
    chosen: string;
    roles: Choice[];
    groups: GroupChoice[];
    individual: { checked: boolean; words: string };
    back: string;
  };
  'admin/module-import/individual': WizardPage & {
    action: string;
    query: string;
    search: string;
    shown: Choice[];
    count: string;
    /** What all get. */
    all: string;
    people: CandidateLine[];
    pages: PageLinks;
    roles: Choice[];
    groups: GroupChoice[];
    back: string;
    next: string;
  };
  'admin/module-import/review': WizardPage & {
    module: string;
    action: string;
    counts: { label: string; value: string }[];
    facts: { label: string; value: string; change: string }[];
    /** Those who will not be imported: the first of them. */
    others: CandidateLine[];
    more: string;
    button: string;
    /** How long an invitation lives (A5.7). */
    inviteDays: number;
    back: string;
  };
}
