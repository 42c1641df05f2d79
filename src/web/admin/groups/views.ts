import type { FormProblem, Shell } from '../../views.ts';
import type { Chip, Choice, PageLinks, StatusWords } from '../views.ts';

/** A head of a column; `sort` is the address that orders by it, null where nothing can be ordered. */
export interface GroupColumn {
  label: string;
  sort: string | null;
  sorted: 'ascending' | 'descending' | null;
  sortIcon: 'arrow-up' | 'arrow-down';
}

export interface GroupLine {
  id: string;
  href: string;
  name: string;
  /** "System group" or "Custom group". */
  kind: string;
  /** Grey ground, as B.4 has it. */
  isSystem: boolean;
  isActive: boolean;
  members: string;
  modules: string;
}

/** What all pages of one group share: its head and its tabs. */
export interface GroupHead {
  id: string;
  name: string;
  kind: string;
  isSystem: boolean;
  isActive: boolean;
  /** "1,204 members". */
  members: string;
  modules: string;
  tabs: { label: string; href: string; isHere: boolean }[];
  /** Page that adds people. */
  add: string;
}

export interface MemberLine {
  id: string;
  href: string;
  name: string;
  username: string;
  email: string;
  role: string;
  status: StatusWords;
  /** Page that asks before they are removed; null where that is refused. */
  remove: string | null;
}

export interface CandidateLine extends MemberLine {
  isMember: boolean;
}

export interface ModuleChoice {
  id: string;
  name: string;
  /** The product, where the instance is named otherwise; may be empty. */
  module: string;
  icon: string | null;
  isEnabled: boolean;
  isChosen: boolean;
  /** Other groups that open it: "Also in All Module Access, Ops"; may be empty. */
  others: string;
}

/** What one module means for how many, in sentences; empty ones are left out. */
export interface EffectLine {
  name: string;
  icon: string | null;
  lose: string;
  gain: string;
  /** The first people by name. */
  who: string;
  /** Who has it still, and through which group. */
  still: string;
}

type Refusal = (FormProblem & { fields: Record<string, string> }) | null;

export interface GroupViews {
  'admin/groups/list': {
    shell: Shell;
    filters: {
      search: string;
      states: Choice[];
      hidden: { name: string; value: string }[];
      chips: Chip[];
      clear: string | null;
    };
    columns: GroupColumn[];
    groups: GroupLine[];
    pages: PageLinks;
    count: string;
    isFiltered: boolean;
  };
  'admin/groups/new': {
    shell: Shell;
    problem: Refusal;
    values: { name: string; isActive: boolean };
    modules: ModuleChoice[];
  };
  'admin/groups/members': {
    shell: Shell;
    group: GroupHead;
    /** Why nobody can be taken out here; empty where one can. */
    note: string;
    search: string;
    hidden: { name: string; value: string }[];
    action: string;
    canRemove: boolean;
    columns: GroupColumn[];
    members: MemberLine[];
    pages: PageLinks;
    count: string;
  };
  'admin/groups/add': {
    shell: Shell;
    group: GroupHead;
    /** What joining means for other groups; may be empty. */
    note: string;
    search: string;
    action: string;
    searchAction: string;
    back: string;
    people: CandidateLine[];
    pages: PageLinks;
    count: string;
  };
  'admin/groups/modules': {
    shell: Shell;
    group: GroupHead;
    /** Why they can't be chosen; empty where they can. */
    note: string;
    action: string;
    modules: ModuleChoice[];
    /** Those that were chosen when the page was drawn, so that only differences are saved. */
    was: string;
  };
  'admin/groups/settings': {
    shell: Shell;
    group: GroupHead;
    problem: Refusal;
    action: string;
    values: { name: string };
    createdAt: { text: string; exact: string; iso: string };
    activate: string | null;
    deactivate: string | null;
    delete: string | null;
  };
  'admin/groups/confirm': {
    shell: Shell;
    title: string;
    lead: string;
    effects: EffectLine[];
    /** Said where nobody gains or loses anything. */
    noEffect: string;
    sentences: string[];
    action: string;
    hidden: { name: string; value: string }[];
    button: string;
    isDanger: boolean;
    cancel: string;
  };
}
