// Imports from modules (A.5): the wizard's draft with the people that a module has, who of them is chosen, and what each would get.
// Owns drafts and their candidates; what an import does with people is the business of the rooms above.
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import { days, seconds } from '../../lib/time.ts';
import type { choosableRoles } from '../roles/role.ts';
import { emailSchema, firstNameSchema, lastNameSchema, usernameSchema } from '../users/user.ts';

/** More than any company's staff: where a module sends more, its paging has no end. */
export const mostPeople = 50_000;

/** A draft that nobody has touched for so long goes. */
export const draftLife = days(7);

/** A reading that has said nothing for so long has lost its reader. */
export const silence = seconds(90);

export type ChoosableRole = (typeof choosableRoles)[number];

export type DraftState = 'reading' | 'ready' | 'failed' | 'started';

export interface Draft {
  id: string;
  companyId: CompanyId;
  ownerId: UserId;
  instanceId: InstanceId;
  /** Names for people: of the instance, and of its product. */
  instance: string;
  module: string;
  icon: string | null;
  state: DraftState;
  /** startIndex of the page to read next (RFC 7644 section 3.4.2.4). */
  nextIndex: number;
  read: number;
  announced: number | null;
  /** Why the reading failed; of one that is ready, what its reader should know. */
  problem: string | null;
  role: ChoosableRole | null;
  groupIds: GroupId[];
  taskId: string | null;
  createdAt: Date;
  readSince: Date;
}

/** A person as the module tells it, cut to lengths that can be kept; none of the cuts makes a wrong value right. */
export interface ModulePerson {
  externalId: string;
  username: string;
  email: string;
  firstName: string;
  lastName: string;
  isActive: boolean;
}

export type Standing = 'import' | 'skip' | 'fail';

export interface Candidate extends ModulePerson {
  position: number;
  standing: Standing;
  /** Others of the module have the same address. */
  isShared: boolean;
  isChosen: boolean;
  role: ChoosableRole | null;
  groupIds: GroupId[] | null;
}

/** Who is here already with the same username or address. */
export interface Matches {
  username: string | null;
  /** Usernames of the people with this address; two are enough to know that it is not clear. */
  byEmail: string[];
}

export type ImportDecision =
  | { standing: 'import' }
  | { standing: 'skip'; because: string }
  | { standing: 'fail'; field: string; because: string };

/**
 * What an import does with somebody (A5.6, C13): the page that offers them and the import that makes them ask the same.
 * @param brand what we are called to people
 */
export function decideImport(
  person: ModulePerson & { isShared: boolean },
  matches: Matches,
  brand: string,
): ImportDecision {
  const [first, second] = matches.byEmail;
  if (matches.username !== null)
    return { standing: 'skip', because: `Already in ${brand}, with the username ${matches.username}.` };
  if (first !== undefined && second !== undefined)
    return {
      standing: 'fail',
      field: 'email',
      because: `Several people in ${brand} have this e-mail, such as ${first} and ${second}: it is not clear who this is.`,
    };
  if (first !== undefined) return { standing: 'skip', because: `Already in ${brand} as ${first}, with this e-mail.` };
  if (!person.isActive) return { standing: 'skip', because: 'Not active in the module.' };
  if (person.isShared)
    return {
      standing: 'fail',
      field: 'email',
      because: 'Several people in the module have this e-mail: it is not clear whose it is.',
    };
  return decideByFields(person);
}

const fields = [
  { name: 'username', schema: usernameSchema, missing: 'The module names no username.' },
  { name: 'email', schema: emailSchema, missing: 'The module has no e-mail for this person.' },
  { name: 'firstName', schema: firstNameSchema, missing: 'The module has no first name for this person.' },
  { name: 'lastName', schema: lastNameSchema, missing: 'The module has no last name for this person.' },
] as const;

function decideByFields(person: ModulePerson): ImportDecision {
  for (const { name, schema, missing } of fields) {
    if (person[name].trim() === '') return { standing: 'fail', field: name, because: missing };
    const parsed = schema.safeParse(person[name]);
    if (!parsed.success)
      return { standing: 'fail', field: name, because: parsed.error.issues[0]?.message ?? 'This will not do.' };
  }
  return { standing: 'import' };
}

/** Which candidates a list shows. */
export interface CandidateFilter {
  search: string;
  standing: Standing | null;
  /** Only those who are chosen. */
  isChosen: boolean;
  /** Only those who get something else than all. */
  isAssigned: boolean;
}

export const allCandidates: CandidateFilter = { search: '', standing: null, isChosen: false, isAssigned: false };
