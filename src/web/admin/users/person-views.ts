import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { Told } from '../told.ts';
import type { Choice, PageLinks, StatusWords } from '../views.ts';

/** A link to an act; each leads to a page that asks first. */
export interface ActLink {
  label: string;
  href: string;
  icon: string;
  isDanger: boolean;
}

/** What stands above all tabs of a person's page. */
export interface PersonHead {
  name: string;
  initials: string;
  username: string;
  role: string;
  status: StatusWords;
  /** The address that mail does not go to any more, or null (A3.9). */
  blocked: { email: string; href: string } | null;
  /** The two that this status asks for most. */
  acts: ActLink[];
  more: ActLink[];
  tabs: { label: string; href: string; isHere: boolean }[];
}

interface PersonPage {
  shell: Shell;
  head: PersonHead;
}

/** A line of a timeline. */
export interface ModuleLineOf {
  name: string;
  module: string;
  icon: string | null;
  status: StatusWords;
  because: string;
  /** Where all that decides is told. */
  why: string;
}

export interface MailLineOf {
  kind: string;
  recipient: string;
  status: StatusWords;
  error: string;
  at: Moment;
}

export interface PersonViews {
  'admin/users/overview': PersonPage & {
    facts: { label: string; value: string }[];
    createdAt: Moment;
    lastLogin: Moment | null;
    timeZone: string;
    /** In words, with the end; null when no e-mail waits to be confirmed. */
    /** `cancel` is null where it is theirs alone. */
    emailChange: { words: string; cancel: string | null } | null;
    groups: { name: string; isActive: boolean; href: string }[];
    editGroups: string;
    modules: ModuleLineOf[];
    canEnter: string;
    since: Moment | null;
    history: Told[];
  };
  'admin/users/security': PersonPage & {
    passwordSet: { words: string; at: Moment | null };
    secondFactor: { words: string; at: Moment | null };
    recoveryCodes: string;
    browsers: string;
    lock: { words: string; unlock: string | null };
    sessions: {
      id: string;
      device: string;
      ip: string;
      startedAt: Moment;
      lastSeenAt: Moment;
      modules: string[];
      isMine: boolean;
    }[];
    /** Null where the sessions are not ours to end. */
    endOne: string | null;
    endAll: string | null;
    whyNot: string;
  };
  'admin/users/activity': PersonPage & {
    shows: Choice[];
    action: string;
    events: Told[];
    pages: PageLinks;
    count: string;
  };
  'admin/users/mail': PersonPage & { mails: MailLineOf[]; pages: PageLinks; count: string; action: string };
  'admin/users/edit': {
    shell: Shell;
    back: string;
    name: string;
    action: string;
    problem: FormProblem | null;
    /** What the chosen groups take away, asked before it is done; null when nothing. */
    losing: { words: string; value: string } | null;
    username: string;
    values: { firstName: string; lastName: string; email: string; phone: string };
    emailHelp: string;
    /** Why this administrator cannot change it here, or empty. */
    emailFixed: string;
    roleFixed: string;
    role: string;
    roles: Choice[];
    timeZones: Choice[];
    groups: { id: string; name: string; checked: boolean; isExclusive: boolean; isActive: boolean; note: string }[];
    /** Names what was there when the form was drawn. */
    version: string;
  };
  /** A window that asks before an act: who, what stops, what can be undone. */
  'admin/users/act': {
    shell: Shell;
    back: string;
    title: string;
    person: { name: string; username: string; email: string; initials: string; status: StatusWords };
    lead: string;
    stops: string[];
    stays: string[];
    /** The rule that refuses it, or null: then it may be done. */
    refusal: string | null;
    problem: FormProblem | null;
    action: string;
    button: string;
    isDanger: boolean;
    /** To be typed where there is no way back; else null. */
    typeName: string | null;
  };
  'admin/users/link': { shell: Shell; back: string; name: string; link: string; until: Moment };
}
