import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { Chip, Choice, PageLinks, StatusWords } from '../views.ts';

export interface MailTab {
  label: string;
  href: string;
  isHere: boolean;
}

export interface MailLine {
  kind: string;
  recipient: string;
  /** Null when the person is gone. */
  person: { name: string; href: string } | null;
  status: StatusWords;
  /** What the mail server said; empty when it was not asked. */
  answer: string;
  at: Moment;
}

export interface BlockedLine {
  name: string;
  email: string;
  reason: string;
  since: Moment;
  href: string;
}

interface MailPage {
  shell: Shell;
  tabs: MailTab[];
}

export interface TextForm {
  subject: string;
  heading: string;
  intro: string;
  outro: string;
}

export interface MailViews {
  'admin/mail/list': MailPage & {
    filters: { search: string; states: Choice[]; kinds: Choice[]; chips: Chip[]; clear: string | null };
    /** Something that holds for all mails now, such as that there is no mail server; empty: nothing. */
    notice: string;
    mails: MailLine[];
    pages: PageLinks;
    count: string;
    isFiltered: boolean;
  };
  'admin/mail/blocked': MailPage & {
    search: string;
    people: BlockedLine[];
    pages: PageLinks;
    count: string;
    isFiltered: boolean;
  };
  'admin/mail/blocked-person': MailPage & {
    problem: FormProblem | null;
    name: string;
    person: string;
    email: string;
    reason: string;
    since: Moment;
    lastRefusedAt: Moment;
    tests: { status: StatusWords; answer: string; at: Moment }[];
    /** The newest test mail is not settled yet: the page looks again by itself. */
    isUnderWay: boolean;
    here: string;
    sendTest: string;
    /** Null: no test mail has been taken yet. */
    lift: string | null;
  };
  'admin/mail/lift': MailPage & {
    problem: FormProblem | null;
    name: string;
    email: string;
    action: string;
    cancel: string;
  };
  'admin/mail/texts': MailPage & {
    texts: { kind: string; occasion: string; subject: string; href: string; changedAt: Moment | null }[];
  };
  'admin/mail/text': MailPage & {
    problem: FormProblem | null;
    kind: string;
    occasion: string;
    action: string;
    values: TextForm;
    limits: { subject: number; heading: number; intro: number; outro: number };
    placeholders: { name: string; words: string; isNeeded: boolean }[];
    /** Address of the form that brings our own words back; null: they are in force. */
    reset: string | null;
    preview: { html: string; text: string; from: string };
  };
  'admin/mail/text-reset': MailPage & {
    kind: string;
    changed: TextForm;
    ours: TextForm;
    action: string;
    cancel: string;
  };
  'admin/mail/settings': MailPage & {
    problem: FormProblem | null;
    action: string;
    values: { senderName: string; replyTo: string; fromAddress: string };
    /** Who mails come from when nothing is set. */
    operator: { name: string; address: string };
    /** Domains that may stand in the sender's address, in words; null: none. */
    fromDomains: string | null;
  };
}
