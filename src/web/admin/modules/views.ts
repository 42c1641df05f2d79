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

export interface ModuleViews {
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
