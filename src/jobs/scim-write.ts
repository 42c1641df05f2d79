// SCIM 2.0 as a client that writes (RFC 7644 sections 3.3, 3.5.2, 3.6): one account at a time. Each act may be sent twice without harm,
// and what comes back was written by others: it is believed only as far as it names the account that was asked for.
import { z } from 'zod';
import type { Wanted } from '../domain/provisioning/account.ts';
import type { SeenAccount } from '../domain/provisioning/drift.ts';
import { lanes } from '../domain/provisioning/lane.ts';
import { type Outgoing, type OutgoingAnswer, OutgoingError, type OutgoingRequest } from '../lib/outgoing.ts';
import { detailOf, halfAnswer, moduleProblem, parseJson, refused, type Sent, unreached } from './module-answer.ts';
import { accountExtension, type ScimService, toAccount } from './scim.ts';

const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const scimType = 'application/scim+json';

const rolesOf = (permissions: string[]) => permissions.map((value, i) => ({ value, primary: i === 0 }));
const emailsOf = (value: string) => [{ value, type: 'work', primary: true }];
const displayNameOf = ({ firstName = '', lastName = '' }: Wanted): string => `${firstName} ${lastName}`.trim();

/** The whole account, for POST. */
export function toResource(wanted: Wanted, subject: string): Record<string, unknown> {
  const hasFields = wanted.fields !== undefined;
  return {
    schemas: [userSchema, ...(hasFields ? [accountExtension] : [])],
    externalId: subject,
    userName: wanted.userName,
    name: { givenName: wanted.firstName, familyName: wanted.lastName },
    displayName: displayNameOf(wanted),
    emails: emailsOf(wanted.email ?? ''),
    active: true,
    ...(wanted.permissions ? { roles: rolesOf(wanted.permissions) } : {}),
    ...(wanted.timeZone ? { timezone: wanted.timeZone } : {}),
    ...(hasFields ? { [accountExtension]: { values: wanted.fields } } : {}),
  };
}

/** What of it is to be another, for PATCH; a path each, which every service understands. */
export function toPatch(wanted: Wanted): Record<string, unknown> {
  const given: [path: string, value: unknown][] = [
    ['active', wanted.active],
    ['userName', wanted.userName],
    ['name.givenName', wanted.firstName],
    ['name.familyName', wanted.lastName],
    ['emails', wanted.email === undefined ? undefined : emailsOf(wanted.email)],
    ['roles', wanted.permissions === undefined ? undefined : rolesOf(wanted.permissions)],
    ['timezone', wanted.timeZone],
    ['externalId', wanted.knownAs],
    [`${accountExtension}:values`, wanted.fields],
  ];
  return {
    schemas: [patchSchema],
    Operations: given
      .filter(([, value]) => value !== undefined)
      .map(([path, value]) => ({ op: 'replace', path, value })),
  };
}

const usersAt = ({ url }: ScimService): string => `${url.endsWith('/') ? url.slice(0, -1) : url}/Users`;
const userAt = (service: ScimService, id: string): string => `${usersAt(service)}/${encodeURIComponent(id)}`;

type Answered = { answer: OutgoingAnswer } | { sent: Sent };

async function ask(
  send: Outgoing,
  service: ScimService,
  address: string,
  given: { method: NonNullable<OutgoingRequest['method']>; body?: unknown },
): Promise<Answered> {
  try {
    const answer = await send(address, {
      method: given.method,
      headers: {
        authorization: `Bearer ${service.token}`,
        accept: `${scimType}, application/json`,
        ...(given.body === undefined ? {} : { 'content-type': scimType }),
      },
      ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
      timeoutMs: lanes.requestMs,
      maxBytes: lanes.answerBytes,
      isOneOfMany: true,
    });
    const problem = moduleProblem(answer, service);
    return problem ? { sent: problem } : { answer };
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error;
    return { sent: unreached(error) };
  }
}

/** Changes what is wanted of one account. */
export async function patchAccount(send: Outgoing, service: ScimService, id: string, wanted: Wanted): Promise<Sent> {
  const asked = await ask(send, service, userAt(service, id), { method: 'PATCH', body: toPatch(wanted) });
  if ('sent' in asked) return asked.sent;
  const { answer } = asked;
  if (answer.status === 404) return gone(answer.status);
  // Somebody else changed it in this moment, or it must not be (its last administrator): the next try finds it otherwise.
  if (answer.status === 409 || answer.status === 412)
    return {
      ...refused(answer, service, 'It did not take the change'),
      outcome: 'passing',
      retryAfterMs: null,
      lane: null,
    };
  if (answer.status >= 300) return refused(answer, service, 'It did not take the change');
  if (answer.status === 204 || answer.body === '')
    return { outcome: 'accepted', status: answer.status, words: 'Accepted.', account: null };
  const account = toAccount(parseJson(answer.body));
  if (account === null || account.externalId !== id) return halfAnswer(answer.status);
  return { outcome: 'accepted', status: answer.status, words: 'Accepted.', account };
}

const gone = (status: number): Sent => ({
  outcome: 'accepted',
  status,
  words: 'The module has no such account any more.',
  account: null,
  isGone: true,
});

/** C36: what cannot be deleted, or is the module's last administrator, stays disabled. */
export async function deleteAccount(send: Outgoing, service: ScimService, id: string): Promise<Sent> {
  const asked = await ask(send, service, userAt(service, id), { method: 'DELETE' });
  if ('sent' in asked) return asked.sent;
  const { answer } = asked;
  if (answer.status === 404 || answer.status === 410) return gone(answer.status);
  if (answer.status < 300)
    return { outcome: 'accepted', status: answer.status, words: 'Accepted.', account: null, isGone: true };
  if (![405, 409, 501].includes(answer.status)) return refused(answer, service, 'It did not delete the account');
  const disabled = await patchAccount(send, service, id, { active: false });
  if (disabled.outcome !== 'accepted' || disabled.isGone) return disabled;
  const words = `It keeps the account, which stays disabled${detailOf(answer.body, service.token)}`;
  return { ...disabled, words, isKept: true };
}

/** Who a new account is for, and what the company has decided about accounts that fit (C28, C32). */
export interface Newcomer {
  wanted: Wanted;
  /** What the module knows the person by. */
  subject: string;
  linkMode: 'email' | 'emailOrUsername' | 'explicit';
  severalMatches: 'refuse' | 'firstUsername';
  /** Accounts that belong to somebody else already. */
  takenOf(externalIds: string[]): Promise<string[]>;
}

/** Makes an account; where there is one already, ties that one to the person or refuses what is not clear. */
export async function createAccount(
  send: Outgoing,
  service: ScimService,
  newcomer: Newcomer,
): Promise<Sent & { linkedBy?: 'created' | 'known' | 'email' }> {
  const body = toResource(newcomer.wanted, newcomer.subject);
  const asked = await ask(send, service, usersAt(service), { method: 'POST', body });
  if ('sent' in asked) return asked.sent;
  const { answer } = asked;
  if (answer.status === 409) return adopt(send, service, newcomer, answer);
  if (answer.status >= 300) return refused(answer, service, 'It did not make the account');
  const account = toAccount(parseJson(answer.body));
  // A made account that is not the one that was asked for: looked for by our name for it, at the next try.
  if (account === null || !isSameAccount(account, newcomer)) return halfAnswer(answer.status);
  return { outcome: 'accepted', status: answer.status, words: 'Created.', account, linkedBy: 'created' };
}

const same = (one: string, other: string | undefined): boolean =>
  other !== undefined && one.normalize('NFKC').toLowerCase() === other.normalize('NFKC').trim().toLowerCase();

const isSameAccount = ({ username, email, knownAs }: SeenAccount, { wanted, subject }: Newcomer): boolean =>
  knownAs === subject || same(username, wanted.userName) || same(email, wanted.email);

/** The name or the address is taken: by whom? */
async function adopt(
  send: Outgoing,
  service: ScimService,
  newcomer: Newcomer,
  conflict: OutgoingAnswer,
): Promise<Sent & { linkedBy?: 'created' | 'known' | 'email' }> {
  const known = await find(send, service, 'externalId', newcomer.subject);
  if (!Array.isArray(known)) return known;
  const [own] = known.filter(({ knownAs }) => knownAs === newcomer.subject);
  // Made by a try whose answer was lost.
  if (own)
    return {
      outcome: 'accepted',
      status: conflict.status,
      words: 'It was made already.',
      account: own,
      linkedBy: 'created',
    };
  if (newcomer.linkMode === 'explicit')
    return refused(
      conflict,
      service,
      'There is an account already, and this module ties accounts by its own login only',
    );
  const found = await findFitting(send, service, newcomer);
  if (!Array.isArray(found)) return found;
  return choose(found, newcomer, conflict, service);
}

async function findFitting(send: Outgoing, service: ScimService, newcomer: Newcomer): Promise<SeenAccount[] | Sent> {
  const { wanted, linkMode } = newcomer;
  const byEmail = await find(send, service, 'emails.value', wanted.email ?? '');
  if (!Array.isArray(byEmail)) return byEmail;
  const fitting = byEmail.filter(({ email }) => same(email, wanted.email));
  if (fitting.length > 0 || linkMode !== 'emailOrUsername') return fitting;
  const byName = await find(send, service, 'userName', wanted.userName ?? '');
  return Array.isArray(byName) ? byName.filter(({ username }) => same(username, wanted.userName)) : byName;
}

async function choose(
  fitting: SeenAccount[],
  newcomer: Newcomer,
  conflict: OutgoingAnswer,
  service: ScimService,
): Promise<Sent & { linkedBy?: 'email' }> {
  const no = (words: string): Sent => ({ outcome: 'refused', status: conflict.status, words });
  if (fitting.length === 0)
    return refused(
      conflict,
      service,
      'The user name or the address is taken there by an account that does not fit this person',
    );
  const taken = new Set(await newcomer.takenOf(fitting.map(({ externalId }) => externalId)));
  const free = fitting.filter(({ externalId }) => !taken.has(externalId));
  if (free.length === 0) return no('The account with this address belongs to somebody else there.');
  const active = free.filter(({ isActive }) => isActive).sort((a, b) => a.username.localeCompare(b.username, 'en'));
  const [first] = active;
  // C32: never let in again by us.
  if (!first)
    return no('There is a suspended account with this address. Only an administrator of the module can activate it.');
  if (active.length > 1 && newcomer.severalMatches === 'refuse')
    return no(`There are ${active.length} accounts with this address, and it is not clear which one is meant.`);
  return {
    outcome: 'accepted',
    status: conflict.status,
    words: 'There was one already: tied to it.',
    account: first,
    linkedBy: 'email',
  };
}

const listBody = z.object({ Resources: z.array(z.unknown()).default([]) });

/** RFC 7644 section 3.4.2.2; a service that knows no such filter has nobody by it. */
export async function find(
  send: Outgoing,
  service: ScimService,
  attribute: string,
  value: string,
): Promise<SeenAccount[] | Sent> {
  const address = new URL(usersAt(service));
  address.searchParams.set('filter', `${attribute} eq ${JSON.stringify(value)}`);
  address.searchParams.set('count', '50');
  const asked = await ask(send, service, address.href, { method: 'GET' });
  if ('sent' in asked) return asked.sent;
  if (asked.answer.status >= 300) return [];
  const list = listBody.safeParse(parseJson(asked.answer.body));
  return list.success ? list.data.Resources.flatMap((resource) => toAccount(resource) ?? []) : [];
}

/** Looks for itself whether an act has been done. */
export async function readBack(
  send: Outgoing,
  service: ScimService,
  id: string,
): Promise<Sent | { outcome: 'read'; account: SeenAccount | null }> {
  const asked = await ask(send, service, userAt(service, id), { method: 'GET' });
  if ('sent' in asked) return asked.sent;
  const { answer } = asked;
  if (answer.status === 404 || answer.status === 410) return { outcome: 'read', account: null };
  const account = answer.status < 300 ? toAccount(parseJson(answer.body)) : null;
  return account?.externalId === id ? { outcome: 'read', account } : halfAnswer(answer.status);
}

/** What of the wanted is not so, in words; null: all of it is. */
export function differenceOf(wanted: Wanted, account: SeenAccount): string | null {
  const differs: [is: boolean, words: string][] = [
    [
      wanted.active !== undefined && wanted.active !== account.isActive,
      account.isActive ? 'it is still active' : 'it is not active',
    ],
    [wanted.email !== undefined && !same(account.email, wanted.email), 'its address is another'],
    [wanted.firstName !== undefined && wanted.firstName !== account.firstName, 'its first name is another'],
    [wanted.lastName !== undefined && wanted.lastName !== account.lastName, 'its last name is another'],
    [wanted.timeZone !== undefined && wanted.timeZone !== account.timeZone, 'its time zone is another'],
    [
      wanted.permissions !== undefined &&
        (wanted.permissions.length !== account.permissions.length ||
          !wanted.permissions.every((one) => account.permissions.includes(one))),
      'its permission is another',
    ],
  ];
  const words = differs.filter(([is]) => is).map(([, text]) => text);
  return words.length === 0 ? null : `It said that it was done, but ${new Intl.ListFormat('en').format(words)}.`;
}
