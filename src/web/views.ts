// Draws pages: the one place that knows EJS, the layouts, and which values each view is given.
// A view gets `it` = its own values (type ViewLocals[name]) + `it.page` (Page); a layout gets the same plus `it.body`.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ejs from 'ejs';
import type { AdminViews } from './admin/views.ts';

/** What every page knows, whatever it shows. */
export interface Page {
  /** Text of <title>, without the brand. */
  title: string;
  /** The brand shown to people; `logo` is an address below /assets or null for the built-in mark. */
  brand: { name: string; logo: string | null };
  /** BCP 47 tag for <html lang>. */
  lang: string;
  /** `auto` follows the system (prefers-color-scheme). */
  theme: 'auto' | 'light' | 'dark';
  /** Value for the hidden field `csrf` of each form (WEB-06). */
  csrf: string;
  /** Address of a static file with its fingerprint: `it.page.asset('css/app.css')`. */
  asset: (path: string) => string;
  /** The id that the log knows this request by; shown on error pages. */
  requestId: string;
  /** Result of the last act, shown once as a toast (role=status). */
  flash: { kind: 'success' | 'danger'; text: string } | null;
}

/** The module that one is about to enter; null when signing in to the provider's own home. */
export interface ModuleLine {
  name: string;
  /** Address of its icon, or null: then its initial is drawn. */
  icon: string | null;
}

/** The person chosen on the first screen, with the way back ("not you?" is a form that posts to `restart`). */
export interface PersonChip {
  username: string;
  company: string;
  restart: string;
}

/** An identity provider of the person's company, and where the way to it begins. */
export interface Upstream {
  name: string;
  address: string;
}

/** What went wrong, said once above the form; `field` marks an input by its name. */
export interface FormProblem {
  sentence: string;
  field: string | null;
  /** Short code that an administrator can look up, or null. */
  code: string | null;
}

/** What all steps of signing in share: `action` is where the form posts to. */
interface Step {
  action: string;
  module: ModuleLine | null;
  problem: FormProblem | null;
  cantLogIn: string;
}

export interface PasswordRules {
  /** Sentences such as "At least 8 characters". */
  sentences: string[];
}

export interface SessionRow {
  id: string;
  current: boolean;
  /** "Chrome on Windows". */
  device: string;
  /** Address as seen by us, for example 203.0.113.7. */
  ip: string;
  startedAt: Moment;
  lastSeenAt: Moment;
  modules: string[];
}

export interface AccessRow {
  name: string;
  icon: string | null;
  /** What it may read, in words. */
  reads: string[];
  since: Moment;
  /** It keeps access when the person logs out. */
  outlivesLogout: boolean;
  /** Page that asks before it is revoked. */
  revoke: string;
}

/** A time for people: `text` such as "3 minutes ago", `exact` for the tooltip, `iso` for <time datetime>. */
export interface Moment {
  text: string;
  exact: string;
  iso: string;
}

export interface Tile {
  id: string;
  name: string;
  module: string;
  icon: string | null;
  /** Address that launches it. */
  launch: string;
}

export interface ExternalLink {
  label: string;
  href: string;
  description: string;
}

export type ConsolePlace = (typeof consolePlaces)[number]['place'];

/** Values of the shell around the signed-in pages: header, menu, launcher. */
export interface Shell {
  person: { name: string; username: string; company: string; role: string; initials: string; picture: string | null };
  /** Tiles of the App Launcher. */
  tiles: Tile[];
  /** Which entry of the navigation is the present one. */
  here: 'home' | 'profile' | 'security' | 'sessions' | 'modules' | 'access' | 'support' | ConsolePlace;
  /** Where the console begins, for those who may enter it (A1.1). */
  adminSettings: string | null;
  /** False for Co-Managed Users, who see My Modules only (A1.9). */
  showSections: boolean;
  signOut: string;
}

export interface ViewLocals extends AdminViews {
  // --- signing in: layout "signin" ---
  'interaction/identify': Step & {
    /** False on a Company Login URL and on a server with a single company: then `companyName` is shown instead. */
    askCompany: boolean;
    companyName: string | null;
    /** Where the way out of a Company Login URL posts to, or null. */
    otherCompany: string | null;
    values: { username: string; company: string };
    /** Of the company whose address this is. */
    upstreams: Upstream[];
  };
  'interaction/password': Step & { chip: PersonChip; upstreams: Upstream[] };
  'interaction/set-password': Step & { chip: PersonChip; reason: 'first' | 'expired'; rules: PasswordRules };
  'interaction/code': Step & {
    chip: PersonChip /** Posts `method=recovery` to switch; a recovery code goes into the same field `code`. */;
    method: 'totp' | 'recovery';
    canUseRecovery: boolean;
  };
  'interaction/enrol': Step & {
    chip: PersonChip /** data: address of the QR picture (200 px). */;
    qr: string;
    secretGroups: string[];
    secret: string;
    reason: 'first' | 'reset';
  };
  'interaction/recovery-codes': Step & {
    codes: string[] /** data: address of a text file with the codes. */;
    download: string;
    fileName: string;
  };
  /** Single sign-on is enforced: no password is taken here. */
  'interaction/sso': {
    module: ModuleLine | null;
    problem: FormProblem | null;
    chip: PersonChip;
    upstreams: Upstream[];
    cantLogIn: string;
  };
  /** What went wrong on the way to an upstream or back. */
  'interaction/sso-problem': {
    sentence: string;
    next: string;
    code: string | null;
    again: string;
  };
  /** The browser carries our request to the upstream by HTTP-POST. */
  'interaction/sso-post': {
    upstream: string;
    /** Of the upstream. */
    action: string;
    fields: { name: string; value: string }[];
    /** It sends itself. */
    auto: boolean;
  };
  /** A login that the upstream began: whoever sits here says that they come from there. */
  'interaction/sso-arrive': {
    who: { name: string; username: string; company: string };
    upstream: string;
    /** Who is logged in in this browser now. */
    present: { name: string; company: string } | null;
    action: string;
    ticket: string;
    leave: string;
  };
  'interaction/no-access': {
    module: ModuleLine;
    heading: string;
    sentence: string;
    next: string;
    code: string;
    /** Posting there goes back to the module; null: there is no way on there. */
    back: string | null;
    home: string;
    signOut: string;
  };
  'interaction/consent': Step & {
    chip: PersonChip;
    /** What the module will learn, in words. */
    scopes: string[];
    /** Where the answer goes. */
    redirectHost: string;
    /** Posting there refuses. */
    cancel: string;
  };
  'interaction/expired': { sentence: string; start: string };

  // --- around signing in, no session: layout "signin" ---
  'public/forgot': { forgotPassword: string; forgotCompany: string; back: string };
  'public/forgot-password': {
    action: string;
    problem: FormProblem | null;
    askCompany: boolean;
    companyName: string | null;
    values: { username: string; company: string };
    back: string;
  };
  'public/forgot-company': { action: string; problem: FormProblem | null; values: { email: string }; back: string };
  /** The same page for hit and miss. */
  'public/check-mail': { title: string; sentence: string; back: string };
  /** Set a password from a mailed link: invitation, reset or set-up after reactivation. */
  'public/link-password': {
    action: string;
    problem: FormProblem | null;
    kind: 'invitation' | 'passwordReset' | 'setup';
    person: { username: string; company: string; firstName: string };
    rules: PasswordRules;
  };
  /** After it: "Back to Login" (K1). */
  'public/link-done': { title: string; sentence: string; login: string; label: string };
  /** Expired, used or unknown link. */
  'public/link-dead': { title: string; sentence: string; next: string; start: string };
  /** A link that asks for a confirmation by POST (new e-mail address). */
  'public/link-confirm': { action: string; title: string; sentence: string; button: string };
  /** First start on an empty database: the first company and its Root Admin. */
  'public/setup': {
    action: string;
    problem: FormProblem | null;
    values: { company: string; firstName: string; lastName: string; email: string; username: string };
  };
  'public/logout': {
    /** Form fields besides csrf that the engine needs, in order. */ action: string;
    xsrf: string;
    person: { username: string; company: string } | null;
    module: string | null;
    /** The module has proved whose session it ends, so nobody needs to be asked (RP-Initiated Logout 2). */
    auto: boolean;
    back: string;
  };
  'public/logged-out': {
    login: string;
    /** The identity provider has not logged them out, too. */
    upstream: { sentence: string; href: string | null; label: string } | null;
    /** To the module that asked for the logout. */
    back: string | null;
  };

  // --- signed in: layout "home" ---
  'home/index': {
    shell: Shell;
    greeting: string;
    modules: Tile[];
    /** Sections by role (A1.5-A1.9); each with its links that are not ours (operator settings). */
    sections: { id: string; title: string; sentence: string; links: ExternalLink[] }[];
    /** Modules exist in the company but none is reachable: whom to ask. */
    emptyModules: string;
  };
  'home/support': {
    shell: Shell /** The fixed text of A1.9, or null. */;
    fixedText: string | null;
    links: ExternalLink[];
  };
  'home/profile': {
    shell: Shell;
    problem: FormProblem | null;
    actions: {
      save: string;
      picture: string;
      removePicture: string;
      theme: string;
      email: string;
      cancelEmail: string;
    };
    /** What was typed as a new address, after a refusal. */
    newEmail: string;
    /** Waits for the link that was mailed to it. */
    pendingEmail: { email: string; until: Moment } | null;
    values: { firstName: string; lastName: string; phone: string; timeZone: string };
    /** Not editable here. */
    facts: { username: string; email: string; role: string; company: string };
    timeZones: string[];
    companyLoginUrl: string;
    picture: string | null;
    theme: 'auto' | 'light' | 'dark';
  };
  'home/security': {
    shell: Shell;
    password: {
      action: string;
      problem: FormProblem | null;
      rules: PasswordRules;
      changedAt: Moment | null;
      /** No password of theirs is taken, or there is none. */
      isSso: boolean;
    };
    secondFactor: {
      /** The identity provider of the company is asked for it, and not this page (A10.13). */
      isSso: boolean;
      enrolledAt: Moment | null /** POST: reset own second factor; takes effect at the next login. */;
      reset: string;
      recoveryLeft: number;
      usesRecovery: boolean;
      regenerate: string;
    };
  };
  /** Fresh proof (password and code) before a sensitive act (AUT-19). */
  'home/confirm': {
    shell: Shell;
    title: string;
    sentence: string;
    /** How the person proves themselves; without a password here: by a button after a fresh login, by logging in again, or not at all. */
    way: 'password' | 'button' | 'again' | 'none';
    waySentence: string;
    action: string;
    problem: FormProblem | null;
    button: string;
    askCode: boolean;
    cancel: string;
    danger: boolean;
    hidden: { name: string; value: string }[];
  };
  'home/recovery-codes': { shell: Shell; codes: string[]; download: string; fileName: string; done: string };
  'home/sessions': { shell: Shell; sessions: SessionRow[]; endOne: string; endOthers: string };
  /** One's own tiles: names, order, first page (B.6). */
  'home/modules': {
    shell: Shell;
    problem: FormProblem | null;
    action: string;
    /** Back to how they come; null when they are so. */
    reset: string | null;
    tiles: {
      id: string;
      name: string;
      module: string;
      icon: string | null;
      /** What the person has chosen; empty: as it comes. */
      ownName: string;
      landing: string;
      opensAt: string;
      /** Where an address must lie; null: none can be chosen. */
      origin: string | null;
      isNameWrong: boolean;
      isLandingWrong: boolean;
      isFirst: boolean;
      isLast: boolean;
    }[];
  };
  /** Modules that may do something for the person, each with the way to take it back (OAU-24). */
  'home/access': {
    shell: Shell;
    problem: FormProblem | null;
    modules: AccessRow[];
    /** How many are shown at most, when there are more; else null. */
    cutAt: number | null;
  };
  'home/access-revoke': {
    shell: Shell;
    module: ModuleLine;
    /** What ends at once, in sentences. */
    stops: string[];
    /** What goes on, in sentences. */
    stays: string[];
    action: string;
    id: string;
    cancel: string;
  };

  // --- errors: layout "signin" ---
  'errors/page': {
    status: number;
    title: string;
    sentence: string;
    next: string;
    link: { href: string; label: string } | null;
  };

  // --- development only (demo): layout "plain" ---
  'dev/mailbox': {
    mails: { id: string; at: Moment; to: string; subject: string; kind: string }[];
    selected: { subject: string; to: string; from: string; at: Moment; text: string; htmlAddress: string } | null;
    /** Beginning of the address of one mail; its id is put behind it. */
    mailAddress: string;
  };
  'dev/authenticator': {
    people: { name: string; username: string; company: string; role: string; code: string; secondsLeft: number }[];
  };
}

export type ViewName = keyof ViewLocals;

/** Addresses of the signed-in pages: the handlers mount them, the shell's navigation links to them. */
export const homePaths = {
  home: '/',
  profile: '/settings/profile',
  security: '/settings/security',
  sessions: '/settings/sessions',
  modules: '/settings/modules',
  access: '/settings/access',
  support: '/support',
} as const;

/** The console's navigation, in its order. */
export const consolePlaces = [
  { place: 'dashboard', label: 'Dashboard', href: '/admin', icon: 'layout-dashboard' },
  { place: 'users', label: 'Users', href: '/admin/users', icon: 'users' },
  { place: 'groups', label: 'Groups', href: '/admin/groups', icon: 'users-group' },
  { place: 'instances', label: 'Modules', href: '/admin/modules', icon: 'plug-connected' },
  { place: 'sso', label: 'Single Sign-On', href: '/admin/sso', icon: 'key' },
  { place: 'policy', label: 'Security', href: '/admin/security', icon: 'shield-lock' },
  { place: 'mail', label: 'Mail', href: '/admin/mail', icon: 'mail' },
  { place: 'audit', label: 'Audit log', href: '/admin/audit', icon: 'list-search' },
] as const;

const layouts: Record<string, string> = {
  interaction: 'signin',
  public: 'signin',
  errors: 'signin',
  home: 'home',
  admin: 'console',
  dev: 'plain',
};

/** Escapes for HTML text and attributes; a missing value is a bug in the handler and must not reach a page as "undefined". */
export function escapeHtml(value: unknown): string {
  if (value === undefined || value === null) throw new TypeError('a view was given undefined or null');
  return String(value).replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`);
}

type Template = (locals: object) => string;

export interface Views {
  /** Whole page: the view inside its layout. */
  render<N extends ViewName>(name: N, page: Page, locals: ViewLocals[N]): Promise<string>;
}

/** @param root folder that holds layouts/, partials/ and one folder for each surface. */
export function createViews(root: string): Views {
  const compiled = new Map<string, Promise<Template>>();

  const load = (name: string): Promise<Template> => {
    const known = compiled.get(name);
    if (known) return known;
    const file = join(root, `${name}.ejs`);
    const template = readFile(file, 'utf8').then((source) =>
      // Options are fixed here and data go in as one object: request bodies never reach them (WEB-09).
      // `cache` is for includes: without it each partial would be read and compiled again at every rendering.
      ejs.compile(source, {
        filename: file,
        root,
        _with: false,
        strict: true,
        localsName: 'it',
        escape: escapeHtml,
        cache: true,
      }),
    );
    compiled.set(name, template);
    return template;
  };

  return {
    async render(name, page, locals) {
      const layoutName = layouts[name.slice(0, name.indexOf('/'))];
      if (!layoutName) throw new Error(`no layout for view ${name}`);
      const [view, layout] = await Promise.all([load(name), load(`layouts/${layoutName}`)]);
      const it = { ...locals, page, paths: homePaths, places: consolePlaces };
      return layout({ ...it, body: view(it) });
    },
  };
}
