import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { PageLinks } from '../views.ts';

interface Setting {
  name: string;
  label: string;
  help: string;
  isWrong: boolean;
}

/** A whole number with its limits. */
export interface NumberSetting extends Setting {
  value: string;
  least: number;
  most: number;
  unit: string;
}

/** Hours and minutes; `name` is the field of the minutes. */
export interface TimeSetting extends Setting {
  hours: string;
  minutes: string;
}

export interface SwitchSetting {
  name: string;
  label: string;
  help: string;
  checked: boolean;
}

export interface PolicySection {
  id: string;
  title: string;
  lead: string;
  numbers: NumberSetting[];
  times: TimeSetting[];
  /** Heading above the switches; empty: none is needed. */
  switchesTitle: string;
  switches: SwitchSetting[];
  /** One of these; empty: the section has no such choice. */
  choices: { name: string; value: string; label: string; help: string; checked: boolean }[];
  /** What always holds, and is no setting. */
  facts: string[];
}

export interface SecurityViews {
  'admin/security/policy': {
    shell: Shell;
    problem: FormProblem | null;
    action: string;
    sections: PolicySection[];
    ipList: { isOn: boolean; words: string; href: string };
  };
  'admin/security/addresses': {
    shell: Shell;
    problem: FormProblem | null;
    back: string;
    isOn: boolean;
    /** Where the reader is now. */
    own: { address: string; isCovered: boolean };
    switchHref: string;
    action: string;
    values: { network: string; note: string };
    entries: { network: string; note: string; added: Moment; isOwn: boolean; remove: string }[];
    count: string;
  };
  /** What a change would mean, before it is made. */
  'admin/security/preview': {
    shell: Shell;
    back: { href: string; label: string };
    title: string;
    lead: string;
    /** Why it may not be made; null: it may. */
    problem: FormProblem | null;
    changes: { label: string; before: string; after: string }[];
    consequences: string[];
    counts: {
      number: string;
      label: string;
      href: string | null;
      isShown: boolean;
      look: 'meets-none' | 'meets-note' | 'meets-loss';
    }[];
    /** What was looked at. */
    basis: string;
    list: {
      title: string;
      /** Heading of the time, such as "Last refused". */
      when: string;
      showsTimes: boolean;
      people: {
        href: string;
        name: string;
        username: string;
        role: string;
        times: string;
        at: Moment;
        address: string;
      }[];
      pages: PageLinks;
      action: string;
      /** Addresses of the page keep these. */
      hidden: { name: string; value: string }[];
    } | null;
    form: { action: string; hidden: { name: string; value: string }[]; button: string; isDanger: boolean } | null;
    cancel: string;
  };
}
