import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { PlanPage } from '../plan-page.ts';
import type { Choice, StatusWords } from '../views.ts';

type Refusal = (FormProblem & { fields: Record<string, string> }) | null;

/** What stands above each tab of a connection: given as `connection` to every view that includes /partials/sso-head. */
export interface SsoHead {
  id: string;
  name: string;
  /** "Okta, SAML 2.0". */
  kind: string;
  status: StatusWords;
  /** While Enforce Log In with SSO is on trial: on every page of the connection. */
  trial: { left: string; until: Moment; href: string } | null;
  /** A certificate that ends soon or has ended. */
  ending: { words: string; href: string } | null;
  tabs: { label: string; href: string; isHere: boolean }[];
}

/** A step of the way to people who log in through a connection. */
export interface SetupStep {
  title: string;
  words: string;
  href: string;
  link: string;
  isOptional: boolean;
  state: 'done' | 'next' | 'open';
}

export interface SsoSetup {
  title: string;
  /** "2 of 3 done". */
  words: string;
  isOpen: boolean;
  steps: SetupStep[];
}

export interface ConnectionLine {
  href: string;
  name: string;
  kind: string;
  status: StatusWords;
  /** What is to be done until it works; null once it does. */
  next: { link: string; href: string } | null;
  people: string;
  lastSeen: Moment | null;
  /** Null for OpenID Connect, which has none. */
  certificate: { moment: Moment; warning: string } | null;
}

interface Noted {
  isWrong: boolean;
  error: string;
  theirs: string;
}

/** A field of a connection's form, drawn by /partials/sso-fields. */
export interface SsoField extends Noted {
  name: string;
  label: string;
  kind: 'text' | 'url' | 'password' | 'lines' | 'choice';
  value: string;
  help: string;
  optional: boolean;
  maxLength: number;
  choices: Choice[];
  /** The page begins at it. */
  isFocused?: boolean;
}

export interface SsoSwitch extends Noted {
  name: string;
  label: string;
  help: string;
  checked: boolean;
}

/** A value to be copied there. */
export interface CopyValue {
  label: string;
  value: string;
  note: string;
}

export interface Guide {
  title: string;
  steps: string[];
  values: CopyValue[];
  /** Attributes or claims that it has to send. */
  attributes: { name: string; value: string; isCopied: boolean; note: string }[];
  attributesLead: string;
}

export interface GroupBox {
  id: string;
  name: string;
  checked: boolean;
  isActive: boolean;
}

export interface CertificateLine {
  subject: string;
  ends: Moment;
  warning: string;
  fingerprint: string;
}

/** The three ways to bring metadata, drawn by /partials/sso-metadata. */
export interface BringMetadata {
  action: string;
  /** Where files go. */
  file: string;
  /** Of what it is. */
  hidden: { name: string; value: string };
  /** Fields of the form beside it: what is typed there goes along, and so is not lost. */
  carried: { name: string; value: string }[];
  url: SsoField;
  text: SsoField;
  isPasted: boolean;
  fileError: string;
}

export interface Check {
  title: string;
  passed: boolean;
  sentence: string;
}

/** One rule of the draft. Names of its fields end in its place, since boxes that are not ticked are not sent. */
export interface SsoRuleLine {
  number: string;
  /** As the fields of the form are called: "0", "1" … */
  at: string;
  id: string;
  tests: Choice[];
  claim: string;
  value: string;
  roles: Choice[];
  groups: GroupBox[];
  /** "2 groups", or "No group". */
  groupWords: string;
  stops: boolean;
  up: string | null;
  down: string | null;
  remove: string;
  error: string;
}

export interface SsoPlanLine {
  person: { name: string; href: string; username: string };
  isAdministrator: boolean;
  act: StatusWords;
  before: string;
  after: string;
  rule: string;
  seen: Moment | null;
}

export interface AttemptLine {
  href: string;
  at: Moment;
  status: StatusWords;
  person: { name: string; href: string } | null;
  /** Where no person is named. */
  who: string;
  code: string;
}

export interface BreakGlassLine {
  name: string;
  username: string;
  role: string;
  href: string;
  reason: string;
  endsAt: Moment | null;
  status: StatusWords;
  by: string;
  since: Moment;
  change: string;
  remove: string;
}

export interface SsoViews {
  'admin/sso/list': {
    shell: Shell;
    connections: ConnectionLine[];
    add: string;
    domains: { href: string; words: string };
    breakGlass: { href: string; words: string };
  };
  'admin/sso/choose': { shell: Shell; back: string; products: { href: string; name: string; words: string }[] };
  'admin/sso/new': {
    shell: Shell;
    problem: Refusal;
    back: string;
    product: { key: string; name: string };
    guide: Guide;
    /** Where metadata is read from an address or a file; null for OpenID Connect, which reads it by itself. */
    metadata: (BringMetadata & { read: string; warning: string }) | null;
    form: { action: string; fields: SsoField[]; more: SsoField[]; hidden: { name: string; value: string }[] };
  };
  'admin/sso/overview': {
    shell: Shell;
    connection: SsoHead;
    setup: SsoSetup | null;
    enable: { words: string; href: string; button: string };
    switches: { label: string; status: StatusWords; words: string; href: string }[];
    facts: { label: string; value: string }[];
    lastSeen: Moment | null;
    people: string;
    tested: Moment | null;
    isTested: boolean;
    certificates: CertificateLine[];
    metadata: {
      words: string;
      read: Moment | null;
      problem: string;
      /** Of our own certificate, when it changes. */
      ours: string;
      refresh: string;
      bring: string;
    } | null;
    /** Whose groups were not said; nothing was changed for them. */
    stopped: {
      words: string;
      people: { name: string; href: string; words: string; at: Moment; userId: string; mayAccept: boolean }[];
      accept: string;
    } | null;
    guide: Guide;
    /** Null: it has to be disabled first. */
    remove: string | null;
  };
  'admin/sso/test': { shell: Shell; connection: SsoHead; action: string; words: string; tested: Moment | null };
  'admin/sso/test-result': {
    shell: Shell;
    connection: SsoHead;
    problem: Refusal;
    /** To bind one's own account here to the one there; null without a result. */
    bind: { action: string; ticket: string; username: string; words: string } | null;
    outcome:
      | {
          kind: 'arrived';
          title: string;
          /** Something that a sign-in needs did not come. */
          isMissing: boolean;
          /** What to do next; null: nothing but mending it. */
          onward: { words: string; href: string; button: string } | null;
          checks: (Check & { isNeeded: boolean })[];
          issuer: string;
          subject: string;
          claims: { name: string; values: string[]; used: string }[];
          decision: {
            title: string;
            tone: 'good' | 'danger';
            lines: string[];
            becomes: { label: string; value: string }[];
          };
        }
      | { kind: 'problem'; sentence: string; advice: string; code: string; details: { name: string; value: string }[] }
      | { kind: 'gone' };
    again: string;
    /** Where to mend one that did not pass. */
    mend: { settings: string; guide: string };
  };
  'admin/sso/settings': {
    shell: Shell;
    connection: SsoHead;
    problem: Refusal;
    action: string;
    version: string;
    /** What it was drawn with, for a conflict. */
    drawn: string;
    enabled: SsoSwitch;
    sections: { id: string; title: string; lead: string; fields: SsoField[]; switches: SsoSwitch[] }[];
    creation: { setting: SsoSwitch; role: SsoField; groups: GroupBox[]; groupsError: string; groupsTheirs: string };
    second: SsoSwitch;
  };
  'admin/sso/metadata': {
    shell: Shell;
    connection: SsoHead;
    problem: Refusal;
    back: string;
    bring: BringMetadata;
    /** What it would change, before it is saved. */
    preview: {
      isSame: boolean;
      lines: { label: string; before: string; after: string }[];
      certificates: (CertificateLine & { fate: StatusWords })[];
      sentences: string[];
      action: string;
      hidden: { name: string; value: string }[];
    } | null;
  };
  'admin/sso/rules': {
    shell: Shell;
    connection: SsoHead;
    problem: Refusal;
    action: string;
    version: string;
    setting: SsoSwitch;
    rules: SsoRuleLine[];
    theirs: string[];
    /** What has been seen, for those who type. */
    knownGroups: string[];
    knownClaims: string[];
    open: { href: string; at: Moment; words: string } | null;
  };
  'admin/sso/plans': {
    shell: Shell;
    connection: SsoHead;
    plans: { href: string; at: Moment; by: string; state: StatusWords; words: string }[];
    rules: string;
  };
  'admin/sso/plan': PlanPage & {
    shell: Shell;
    connection: SsoHead;
    back: string;
    changes: string[];
    /** Back to its rules, as they were typed. */
    edit: string | null;
    apply: { href: string; button: string } | null;
    /** What did not become as it was when it was undone. */
    note: string;
    undo: { href: string; until: Moment } | null;
    lines: SsoPlanLine[];
  };
  'admin/sso/enforce': {
    shell: Shell;
    connection: SsoHead;
    problem: Refusal;
    state: 'disabled' | 'off' | 'trial' | 'on';
    checks: (Check & { mend: { href: string; words: string } | null })[];
    isReady: boolean;
    loses: {
      words: string;
      reasons: string[];
      sample: { name: string; username: string; reason: string }[];
      more: string;
    };
    ways: { name: string; username: string; kind: string; endsAt: Moment | null }[];
    trial: { left: string; until: Moment } | null;
    minutes: number;
    version: string;
    path: string;
    start: string;
    end: string;
    overview: string;
    breakGlass: string;
    loginUrl: string;
  };
  'admin/sso/log': {
    shell: Shell;
    connection: SsoHead;
    action: string;
    code: string;
    outcomes: Choice[];
    count: string;
    isFiltered: boolean;
    attempts: AttemptLine[];
  };
  'admin/sso/attempt': {
    shell: Shell;
    connection: SsoHead;
    back: string;
    /** Where the guide stands. */
    overview: string;
    title: string;
    at: Moment;
    status: StatusWords;
    code: string;
    person: { name: string; href: string } | null;
    /** Where no person is named. */
    who: string;
    shown: string;
    advice: string;
    /** Asks before who they are there is taken back; null where that is not the matter. */
    release: string | null;
    trace: string[];
    details: { name: string; value: string }[];
    /** Redacted; empty where nothing could be read. */
    assertion: string;
  };
  'admin/sso/domains': {
    shell: Shell;
    problem: Refusal;
    back: string;
    /** Connections, for those who come from setting one up. */
    onward: { name: string; href: string }[];
    action: string;
    value: string;
    /** What DNS said when it was asked just now. */
    looked: { domain: string; sentence: string; found: string[] } | null;
    domains: {
      domain: string;
      status: StatusWords;
      since: Moment;
      /** Null once it is proved. */
      proof: { host: string; record: string } | null;
      verify: string;
      remove: string;
    }[];
  };
  'admin/sso/break-glass': {
    shell: Shell;
    back: string;
    onward: { name: string; href: string }[];
    action: string;
    search: string;
    found: { name: string; words: string; href: string; isOn: boolean; isAble: boolean }[];
    foundMore: string;
    people: BreakGlassLine[];
    count: string;
    withoutEnd: number;
    isEnforced: boolean;
  };
  'admin/sso/break-glass-person': {
    shell: Shell;
    problem: Refusal;
    title: string;
    person: { id: string; name: string; words: string };
    values: { reason: string; endsAt: string; noEnd: boolean };
    least: string;
    most: string;
    action: string;
    button: string;
    back: string;
  };
}
