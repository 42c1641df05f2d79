// The log of a connection: its last sign-ins, and one of them with all that is known and what to do about it.
import { readSupportCode } from '../../../domain/audit/audit-event.ts';
import {
  type ArrivalRefusal,
  arrivalAdvice,
  arrivalRefusals,
  arrivalSentences,
} from '../../../domain/federation/arrival.ts';
import { type Attempt, getAttempt, listAttempts } from '../../../domain/federation/attempt-queries.ts';
import { problemAdvice, problemSentences, type SsoProblem, ssoProblems } from '../../../domain/federation/problem.ts';
import { halfWay, loggedOut, testMark } from '../../../domain/federation/request-commands.ts';
import { param, type Route } from '../../routes.ts';
import { type Desk, type DeskHandler, showDesk } from '../console.ts';
import type { StatusWords } from '../views.ts';
import { releasePath } from './binding.ts';
import { connectionAt, connectionHead, connectionPath, guarded, ssoPath } from './connection-head.ts';
import type { AttemptLine } from './views.ts';

/** What is told short in the list. */
const problemWords: Record<SsoProblem, string> = {
  malformed: 'Not readable',
  unsigned: 'Not signed',
  signature: 'Wrong signature',
  certificate: 'Unknown certificate',
  algorithm: 'Unsafe algorithm',
  encrypted: 'Could not be decrypted',
  issuer: 'Wrong issuer',
  audience: 'Wrong audience',
  recipient: 'Wrong recipient',
  'clock-skew': 'Clocks are apart',
  expired: 'Ran out',
  replayed: 'Came twice',
  'too-old-request': 'Took too long',
  'not-fresh': 'No fresh login there',
  'not-asked': 'Nobody asked',
  'unknown-company': 'Unknown company',
  'missing-attribute': 'Attribute missing',
  'not-enabled': 'Connection is off',
  'other-browser': 'Another browser',
  'logged-out-meanwhile': 'Logged out meanwhile',
  'upstream-error': 'Refused there',
  'upstream-unreachable': 'Not reachable',
  'no-configuration': 'No configuration there',
  'other-issuer': 'Another issuer there',
};

const refusalWords: Record<ArrivalRefusal, string> = {
  address: 'IP access list',
  disabled: 'Connection is off',
  'no-email': 'No e-mail came',
  ambiguous: 'Address of several people',
  root: 'Root Admin by address',
  'bound-elsewhere': 'Bound to another account there',
  unverified: 'E-mail not confirmed',
  deactivated: 'Deactivated here',
  unmapped: 'In no mapped group',
  'no-account': 'No account here',
  'groups-unknown': 'Groups not said',
  'invalid-person': 'Fields missing',
  'username-taken': 'Username taken',
};

interface Known {
  word: string;
  sentence: string;
  advice: string;
}

/** What an outcome of the log means; `refused: …` came from the decision here, all else from the protocol. */
export function knownOutcome(outcome: string): Known | null {
  const problem = ssoProblems.find((one) => one === outcome);
  if (problem)
    return { word: problemWords[problem], sentence: problemSentences[problem], advice: problemAdvice[problem] };
  const refusal = arrivalRefusals.find((one) => `refused: ${one}` === outcome);
  return refusal
    ? { word: refusalWords[refusal], sentence: arrivalSentences[refusal], advice: arrivalAdvice[refusal] }
    : null;
}

function statusOf({ outcome, code, tries }: Attempt): StatusWords {
  if (outcome === halfWay) return { tone: 'wait', word: 'Second factor not given yet', more: '' };
  if (outcome === loggedOut) return { tone: 'off', word: 'Logged out there', more: '' };
  if (code === null) return { tone: 'good', word: 'Logged in', more: '' };
  return { tone: 'danger', word: knownOutcome(outcome)?.word ?? outcome, more: tries > 1 ? `${tries} times` : '' };
}

const personOf = ({ person }: Attempt) => person && { name: person.name, href: `/admin/users/${person.id}` };

const isTest = ({ details }: Attempt): boolean => details.of === testMark.of;

/** Where no person is named: whoever tests is no one who wanted to get in. */
const whoOf = (attempt: Attempt): string => (isTest(attempt) ? 'Test' : 'Not known');

function titleOf(attempt: Attempt): string {
  if (isTest(attempt)) return 'Test';
  const kind = attempt.outcome === loggedOut || attempt.details.of === 'logout' ? 'Logout' : 'Login';
  return `${kind} of ${attempt.person?.name ?? 'somebody unknown'}`;
}

const toLine = (connectionId: string, attempt: Attempt, desk: Desk): AttemptLine => ({
  href: connectionPath(connectionId, `log/${attempt.id}`),
  at: desk.moment(attempt.at),
  status: statusOf(attempt),
  person: personOf(attempt),
  who: whoOf(attempt),
  code: attempt.code ?? '',
});

const list: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const query = new URLSearchParams(ctx.querystring);
  const code = readSupportCode((query.get('code') ?? '').slice(0, 40));
  const onlyFailed = query.get('outcome') === 'failed';
  const attempts = await listAttempts(desk.work, connection, { onlyFailed, code });
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/log', title: `Log of ${connection.name}`, place: 'sso' },
    {
      connection: connectionHead(connection, desk, 'log'),
      action: connectionPath(connection.id, 'log'),
      code,
      outcomes: [
        { value: '', label: 'Any outcome', selected: !onlyFailed },
        { value: 'failed', label: 'Refused only', selected: onlyFailed },
      ],
      count: `${attempts.length} ${attempts.length === 1 ? 'login' : 'logins'}`,
      isFiltered: onlyFailed || code !== '',
      attempts: attempts.map((attempt) => toLine(connection.id, attempt, desk)),
    },
  );
};

/** "inResponseTo" as people read it: "In response to". */
const nameOf = (key: string): string => {
  const words = key
    .replace(/[_-]/g, ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const instant = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/;

const flat = (value: unknown): string =>
  typeof value === 'string' ? value.replace(instant, '$1 $2 UTC') : told(value);

const told = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);

const ownPlace = ['of', 'trace', 'claims', 'assertion', 'attributes'];

/** Everything that was noted, but for what has a place of its own. */
export function detailLines(details: Record<string, unknown>): { name: string; value: string }[] {
  return Object.entries(details)
    .filter(([key, value]) => !ownPlace.includes(key) && value !== null && value !== undefined && value !== '')
    .map(([key, value]) => ({ name: key === 'ip' ? 'From' : nameOf(key), value: flat(value) }));
}

const traceOf = ({ trace }: Record<string, unknown>): string[] =>
  Array.isArray(trace) ? trace.filter((line) => typeof line === 'string') : [];

function assertionOf({ assertion, claims, attributes }: Record<string, unknown>): string {
  const kept = assertion ?? claims ?? attributes;
  if (kept === undefined || kept === null) return '';
  return typeof kept === 'string' ? kept : JSON.stringify(kept, null, 2);
}

/** What nobody vouches for is one line for all of its kind from one network. */
const triesOf = ({ tries, firstAt }: Attempt, desk: Desk) =>
  tries > 1 && firstAt
    ? [{ name: 'Tries', value: `${tries} from this network since ${desk.moment(firstAt).exact}` }]
    : [];

const show: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const attempt = await getAttempt(desk.work, connection, param(ctx, 'attempt'));
  const known = attempt.code === null ? null : knownOutcome(attempt.outcome);
  const title = titleOf(attempt);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/attempt', title: `${title} through ${connection.name}`, place: 'sso' },
    {
      connection: connectionHead(connection, desk, 'log'),
      back: connectionPath(connection.id, 'log'),
      overview: connectionPath(connection.id),
      title,
      at: desk.moment(attempt.at),
      status: statusOf(attempt),
      code: attempt.code ?? '',
      person: personOf(attempt),
      who: whoOf(attempt),
      shown: known?.sentence ?? '',
      advice: known?.advice ?? '',
      release:
        attempt.person && attempt.outcome === 'refused: bound-elsewhere'
          ? releasePath(connection.id, attempt.person.id)
          : null,
      trace: traceOf(attempt.details),
      details: [...triesOf(attempt, desk), ...detailLines(attempt.details)],
      assertion: assertionOf(attempt.details),
    },
  );
};

const path = `${ssoPath}/:connection/log`;

export const ssoLogRoutes: Route[] = [
  { method: 'get', path, handle: guarded(list) },
  { method: 'get', path: `${path}/:attempt`, handle: guarded(show) },
];
