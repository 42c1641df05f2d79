import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { GroupColumn } from '../groups/views.ts';
import type { Told } from '../told.ts';
import type { Chip, Choice, PageLinks, StatusWords } from '../views.ts';

/** What stands above each tab of an instance: given as `instance` to every view that includes /partials/instance-head. */
export interface InstanceHead {
  id: string;
  name: string;
  icon: string | null;
  /** Name of the product; empty where the instance is named like it. */
  product: string;
  status: StatusWords;
  isTest: boolean;
  /** While Require Log In with KaseyaOne is on trial: on every page of the instance. */
  trial: { left: string; until: Moment; href: string } | null;
  /** What deliveries to it last failed with, and where to look. */
  failing: { words: string; href: string } | null;
  tabs: Tab[];
}

interface Tab {
  label: string;
  href: string;
  isHere: boolean;
}

export interface ConnectedLine {
  href: string;
  name: string;
  icon: string | null;
  /** Empty where it is named like its product. */
  product: string;
  isTest: boolean;
  status: StatusWords;
  /** "1,204 people". */
  people: string;
  contact: Moment | null;
  /** Where to look, when deliveries to it fail. */
  deliveries: string | null;
}

/** A product of the catalogue, or a module of this server. */
export interface ProductCard {
  key: string;
  name: string;
  icon: string | null;
  isRegistered: boolean;
  /** How many instances of it the company has. */
  connected: number;
  /** The list, narrowed to them; empty when there are none. */
  instances: string;
  abilities: string[];
  facts: { label: string; value: string }[];
  note: string;
  /** Where the module is. */
  address: string | null;
}

type Refusal = (FormProblem & { fields: Record<string, string> }) | null;

/** One switch of an instance. */
export interface SwitchLine {
  label: string;
  status: StatusWords;
  /** With which values; may be empty. */
  words: string;
  href: string;
}

interface Noted {
  /** The problem above the form is tied to it. */
  isWrong: boolean;
  /** What the command has against it; may be empty. */
  error: string;
  /** What somebody else saved meanwhile; may be empty. */
  theirs: string;
}

export interface ModuleSwitch extends Noted {
  name: string;
  label: string;
  help: string;
  checked: boolean;
}

/** A field of the product's profile. */
export interface ModuleField extends Noted {
  name: string;
  label: string;
  optional: boolean;
  help: string;
  value: string;
  /** Free text; else one of the choices. */
  isFree: boolean;
  choices: Choice[];
}

export interface ExceptionLine {
  userName: string;
  /** Empty where it is the user name. */
  email: string;
  kind: string;
  reason: string;
  /** Null: no end. */
  endsAt: Moment | null;
  status: StatusWords;
  by: string;
  since: Moment;
  change: string;
  remove: string;
}

/** One rule of the draft; its place in the list is part of the names of its buttons. */
export interface RuleLine {
  /** "1", "2" ... */
  number: string;
  groups: Choice[];
  permissions: Choice[];
  /** What the buttons send; null where there is nowhere to go. */
  up: string | null;
  down: string | null;
  remove: string;
  error: string;
}

export interface ModuleViews {
  'admin/modules/settings': {
    shell: Shell;
    instance: InstanceHead;
    problem: Refusal;
    action: string;
    version: string;
    enabled: ModuleSwitch;
    /** Null where the product cannot do it; so the others. */
    require: {
      setting: ModuleSwitch;
      status: StatusWords;
      exceptions: string;
      exceptionsHref: string;
      preflight: string;
      preflightWords: string;
    } | null;
    provisioning: {
      setting: ModuleSwitch;
      fields: ModuleField[];
      contract: { passed: boolean; words: string; href: string };
      override: { value: string; error: string; isWrong: boolean } | null;
    } | null;
    deprovisioning: {
      setting: ModuleSwitch;
      grace: Noted & { value: string; least: number; most: number };
      removals: (Choice & { help: string })[];
      removalTheirs: string;
    } | null;
    accessGroups: { status: StatusWords; words: string; href: string } | null;
  };
  'admin/modules/require': {
    shell: Shell;
    instance: InstanceHead;
    problem: Refusal;
    state: 'disabled' | 'off' | 'trial' | 'on';
    checks: { title: string; passed: boolean; isUnderWay: boolean; sentence: string }[];
    isReady: boolean;
    isUnderWay: boolean;
    loses: { words: string; reasons: string[]; sample: { userName: string; reason: string }[]; more: string };
    ways: { userName: string; kind: string; endsAt: Moment | null }[];
    exceptions: string;
    settings: string;
    trial: { left: string; until: Moment } | null;
    minutes: number;
    version: string;
    path: string;
    start: string;
    end: string;
    /** Where people enter the module. */
    address: string | null;
  };
  'admin/modules/exceptions': {
    shell: Shell;
    instance: InstanceHead;
    isRequired: boolean;
    localLogin: string | null;
    action: string;
    search: string;
    found: { name: string; words: string; isExempt: boolean; href: string }[];
    foundMore: string;
    accounts: string;
    exceptions: ExceptionLine[];
    count: string;
    withoutEnd: number;
    require: string;
  };
  /** A new one, or a change of one. */
  'admin/modules/exception': {
    shell: Shell;
    title: string;
    module: string;
    problem: Refusal;
    account: { id: string; userName: string; email: string; isAdministrator: boolean };
    values: { kind: 'person' | 'emergency'; reason: string; endsAt: string; noEnd: boolean };
    /** Days between which it may end. */
    least: string;
    most: string;
    action: string;
    button: string;
    back: string;
  };
  'admin/modules/access-groups': {
    shell: Shell;
    instance: InstanceHead;
    problem: Refusal;
    action: string;
    version: string;
    setting: ModuleSwitch;
    /** "one": the first rule that fits; "many": all that fit. */
    mode: 'one' | 'many';
    rules: RuleLine[];
    /** What somebody else saved meanwhile, rule by rule; empty when nobody did. */
    theirs: string[];
    /** Null: of so many people that they are counted once the page is there. */
    preview: {
      words: string;
      permissions: { permission: string; count: string }[];
      none: { count: string; isLoss: boolean; who: string } | null;
    } | null;
    groupsHref: string;
    /** No group could be chosen at all. */
    hasGroups: boolean;
  };
  'admin/modules/overview': {
    shell: Shell;
    instance: InstanceHead;
    problem: Refusal;
    values: { name: string };
    tenant: string | null;
    connectedAt: Moment;
    /** Who; may be empty. */
    connectedBy: string;
    people: string;
    /** Empty: not read yet. */
    accounts: string;
    contact: Moment | null;
    /** What the module said of itself, sentence by sentence. */
    said: string[];
    lastDelivery: Moment | null;
    addresses: { label: string; value: string }[];
    switches: SwitchLine[];
    credentials: { id: string; createdAt: Moment; lastUsedAt: Moment | null; endsAt: Moment | null }[];
    history: Told[];
    rename: string;
    disconnect: string;
  };
  'admin/modules/list': {
    shell: Shell;
    tabs: Tab[];
    filters: {
      search: string;
      states: Choice[];
      hidden: { name: string; value: string }[];
      chips: Chip[];
      clear: string | null;
    };
    columns: GroupColumn[];
    modules: ConnectedLine[];
    pages: PageLinks;
    count: string;
    isFiltered: boolean;
  };
  'admin/modules/explore': {
    shell: Shell;
    tabs: Tab[];
    search: string;
    cards: ProductCard[];
    count: string;
    /** How many modules of this server are shown at most, when there are more. */
    cutAt: number | null;
  };
}
