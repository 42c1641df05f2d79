import type { Moment } from '../../views.ts';
import type { StatusWords } from '../views.ts';

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
  tabs: { label: string; href: string; isHere: boolean }[];
}
