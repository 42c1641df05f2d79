import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { Choice, StatusWords } from '../views.ts';

export interface WhyLink {
  words: string;
  href: string;
}

export interface WhyLine {
  label: string;
  status: StatusWords;
  sentence: string;
  more: { words: string; at: Moment | null }[];
  setting: WhyLink;
  /** What the audit log says of it last, such as "Ada Root deactivated Ben User." */
  changed: { sentence: string; at: Moment } | null;
  /** The smallest change that would make it pass. */
  flip: WhyLink | null;
  /** The first that fails. */
  isDecisive: boolean;
}

/** What a code from somebody's page stands for. */
export interface Refused {
  code: string;
  sentence: string;
  at: Moment;
}

export interface WhyViews {
  'admin/why/person': {
    shell: Shell;
    name: string;
    back: WhyLink;
    action: string;
    modules: Choice[];
    at: string;
    from: string;
    timeZone: string;
    problem: FormProblem | null;
    /** The code that led here; null: none did. */
    refused: Refused | null;
    verdict: { tone: 'good' | 'wait' | 'danger'; icon: string; heading: string; because: string; flip: WhyLink | null };
    lines: WhyLine[];
  };
}
