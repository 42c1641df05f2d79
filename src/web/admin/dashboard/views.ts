import type { Moment, Shell } from '../../views.ts';

export type Tone = 'accent' | 'danger' | 'good' | 'wait' | 'off';

/** Numbers as a chart and, one click away, as the table that the chart is drawn from. */
export interface ChartTable {
  id: string;
  title: string;
  /** What one sees at a glance, for those who do not see the chart. */
  summary: string;
  kind: 'line' | 'bar';
  /** Head of the first column. */
  head: string;
  /** Columns of numbers; `tone` names the colour. */
  series: { label: string; tone: Tone }[];
  /** A bar has its own colour, a line that of its series. */
  rows: { label: string; tone: Tone | null; values: { text: string; number: number }[] }[];
}

export interface DashboardPersonLine {
  name: string;
  username: string;
  href: string;
  /** End of the lock, or of the invitation. */
  until: Moment;
  /** Page that unlocks, or sends the invitation again, after asking. */
  act: string;
}

/** The way to those that are not shown here. */
export interface More {
  href: string;
  words: string;
}

export interface DashboardViews {
  'admin/dashboard/page': {
    shell: Shell;
    figures: { label: string; value: string; more: string; href: string; tone: 'plain' | 'danger' | 'wait' }[];
    ranges: { label: string; href: string; isCurrent: boolean }[];
    signIns: ChartTable;
    zone: string;
    people: ChartTable;
    secondFactor: ChartTable;
    /** When the people were counted. */
    counted: Moment;
    locked: { lines: DashboardPersonLine[]; all: More | null };
    runningOut: { lines: DashboardPersonLine[]; all: More | null };
    mails: {
      lines: { at: Moment; recipient: string; what: string; why: string; href: string | null }[];
      all: More | null;
      /** Said when there is no line. */
      none: string;
    };
  };
}
