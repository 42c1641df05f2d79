import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { InstanceHead } from '../modules/views.ts';
import type { Choice, StatusWords } from '../views.ts';

export interface ExchangeLine {
  /** "POST https://…/Users". */
  asked: string;
  sent: string;
  /** "201". */
  answered: string;
  received: string;
  /** We answered in place of the module. */
  isInjected: boolean;
}

export interface CaseLine {
  title: string;
  status: StatusWords;
  sentence: string;
  advice: string;
  exchanges: ExchangeLine[];
  /** "3 requests with their answers". */
  count: string;
}

export interface ContractViews {
  'admin/contract/page': {
    shell: Shell;
    instance: InstanceHead;
    here: string;
    standing: { status: StatusWords; words: string };
    /** Null while one is running. */
    start: {
      action: string;
      targets: Choice[];
      /** What has to be accepted where this is no test tenant; empty: nothing. */
      consent: string;
      hasConsent: boolean;
    } | null;
    problem: FormProblem | null;
    /** The run that is shown. */
    run: {
      title: string;
      status: StatusWords;
      isRunning: boolean;
      by: string;
      at: Moment;
      problem: string;
      done: number;
      total: number;
      progress: string;
      counts: { label: string; value: string }[];
      cases: CaseLine[];
    } | null;
    others: { href: string; words: string; at: Moment; status: StatusWords }[];
  };
}
