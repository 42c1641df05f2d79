import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { InstanceHead } from '../modules/views.ts';
import type { PersonHead } from '../users/person-views.ts';
import type { Choice, PageLinks, StatusWords } from '../views.ts';

/** One delivery as a row. */
export interface DeliveryLine {
  href: string;
  /** "Suspend". */
  act: string;
  person: string;
  personHref: string | null;
  instance: string;
  channel: string;
  queuedAt: Moment;
  status: StatusWords;
  /** Under way for too long. */
  isLate: boolean;
  tries: string;
  answer: string;
}

export interface StepLine {
  words: string;
  at: Moment | null;
}

/** One thing that had to end. */
export interface EndLineOf {
  subject: string;
  status: StatusWords;
  at: Moment | null;
  sentence: string;
}

export interface AccountPanel {
  instance: string;
  /** Empty where it is named like its product. */
  module: string;
  icon: string | null;
  status: StatusWords;
  /** What stands there about its life, sentence by sentence. */
  facts: { label: string; value: string }[];
  deliveries: DeliveryLine[];
  all: string | null;
  demand: string | null;
  /** Where its suspension is taken back; null: it is not held. */
  undo: string | null;
}

/** Whether all access of a leaver has ended. */
export interface EndBanner {
  tone: 'good' | 'wait' | 'danger';
  icon: string;
  words: string;
  more: string;
  href: string;
}

export interface DeliveryViews {
  'admin/deliveries/list': {
    shell: Shell;
    instance: InstanceHead;
    action: string;
    search: string;
    states: Choice[];
    acts: Choice[];
    /** Only this person's; null: anybody's. */
    person: { name: string; without: string } | null;
    hidden: { name: string; value: string }[];
    deliveries: DeliveryLine[];
    pages: PageLinks;
    count: string;
    isFiltered: boolean;
    /** How the line to the module is. */
    lane: { status: StatusWords; words: string };
    resend: { action: string; button: string } | null;
    demand: string;
  };
  'admin/deliveries/demand': {
    shell: Shell;
    instance: InstanceHead;
    action: string;
    back: string;
    /** As it was typed. */
    person: string;
    unknown: string;
    problem: FormProblem | null;
    shown: {
      name: string;
      userId: string;
      href: string;
      title: string;
      /** Why nothing would be sent; empty where something would. */
      nothing: string;
      why: string[];
      requests: { title: string; asked: string; headers: string; body: string }[];
      mark: string;
      button: string;
    } | null;
  };
  'admin/deliveries/one': {
    shell: Shell;
    title: string;
    lead: string;
    back: { href: string; label: string };
    status: StatusWords;
    isLate: boolean;
    steps: StepLine[];
    facts: { label: string; value: string }[];
    /** What is wanted of the account, as JSON. */
    wanted: string;
    answer: string;
    /** What went out in its place, once a second administrator had confirmed it. */
    sentAs: string | null;
    resend: string | null;
  };
  'admin/deliveries/person': {
    shell: Shell;
    head: PersonHead;
    end: EndBanner | null;
    accounts: AccountPanel[];
  };
  'admin/deliveries/undo': {
    shell: Shell;
    title: string;
    lead: string;
    /** What comes back. */
    sentences: string[];
    problem: FormProblem | null;
    /** Why nothing does, and where to change it. */
    refusal: { sentence: string; change: { href: string; label: string } | null } | null;
    action: string;
    button: string;
    cancel: string;
  };
  'admin/deliveries/end': {
    shell: Shell;
    name: string;
    lead: string;
    back: { href: string; label: string };
    banner: Omit<EndBanner, 'href'>;
    lines: EndLineOf[];
    events: { sentence: string; at: Moment; chain: string }[];
    download: string;
    verify: string;
  };
}
