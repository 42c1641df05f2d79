// The test of a connection: a real sign-in of whoever tests, every claim that came back, and what it would make of a person here.
import type { ArrivalDecision } from '../../../domain/federation/arrival.ts';
import { arrivalAdvice } from '../../../domain/federation/arrival.ts';
import { bindOwnIdentity } from '../../../domain/federation/binding-commands.ts';
import type { UpstreamClaims } from '../../../domain/federation/claims.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { problemAdvice, sentenceFor } from '../../../domain/federation/problem.ts';
import { fetchTestResult } from '../../../domain/federation/request-commands.ts';
import { recordTest, type TestOutcome } from '../../../domain/federation/test-commands.ts';
import { isProof, isTested, type TestCheck, type TestVerdict } from '../../../domain/federation/tested.ts';
import type { Group } from '../../../domain/groups/group.ts';
import { conflict } from '../../../lib/errors.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { sensitive } from '../../home/fresh-proof.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { beginSso } from '../../sso/begin.ts';
import { type Desk, type DeskHandler, orRedraw, showDesk } from '../console.ts';
import { connectionAt, connectionHead, connectionPath, guarded, ssoPath } from './connection-head.ts';
import { detailLines } from './log.ts';
import type { SsoViews } from './views.ts';

type Shown = SsoViews['admin/sso/test-result']['outcome'];
type Arrived = Extract<Shown, { kind: 'arrived' }>;

const show: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/test', title: `Test ${connection.name}`, place: 'sso' },
    {
      connection: connectionHead(connection, desk, 'test'),
      action: connectionPath(connection.id, 'test'),
      words: connection.enabled
        ? 'A real login at your identity provider, of which nothing comes but knowledge.'
        : 'A real login at your identity provider, of which nothing comes but knowledge. It has to pass before the connection can be enabled.',
      tested: isTested(connection) && connection.testedAt ? desk.moment(connection.testedAt) : null,
    },
  );
};

const begin: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  await beginSso(ctx, runtime, connection, { purpose: 'test', startedBy: desk.userId, isAnew: true });
};

const checkTitles: Record<TestCheck['name'], string> = {
  email: 'An e-mail address',
  names: 'First and last name',
  groups: 'Groups',
};

/** The subject of SAML; no attribute. */
const nameIdName = 'Name ID';

/** Which claim is used as what; names as the connection expects them. */
function claimLines(claims: UpstreamClaims, { attributes }: StoredConnection): Arrived['claims'] {
  const used = new Map<string, string[]>();
  const note = (name: string, as: string) => name !== '' && used.set(name, [...(used.get(name) ?? []), as]);
  if (claims.isEmailFromSubject) note(nameIdName, `E-mail, from the Name ID: "${attributes.email}" was not sent`);
  else note(attributes.email, 'E-mail');
  note(attributes.username, 'Username');
  note(attributes.firstName, 'First name');
  note(attributes.lastName, 'Last name');
  note(attributes.groups, 'Groups');
  note(attributes.companyIdentifier, 'Company');
  const read: [string, string[]][] = [
    claims.isEmailFromSubject ? [nameIdName, one(claims.email)] : [attributes.email, one(claims.email)],
    [attributes.username, one(claims.username)],
    [attributes.firstName, one(claims.firstName)],
    [attributes.lastName, one(claims.lastName)],
    [attributes.groups, claims.groups.state === 'list' ? claims.groups.values : []],
  ];
  const all = new Map([
    ...read.filter(([name, values]) => name !== '' && values.length > 0),
    ...Object.entries(claims.other),
  ]);
  return [...all]
    .map(([name, values]) => ({ name, values, used: (used.get(name) ?? []).join(', ') }))
    .sort((a, b) => Number(a.used === '') - Number(b.used === '') || a.name.localeCompare(b.name));
}

const one = (value: string | null): string[] => (value === null ? [] : [value]);

function decisionOf(decision: ArrivalDecision, groups: readonly Group[]): Arrived['decision'] {
  const lines = decision.trace;
  const namesOf = (ids: readonly string[]) =>
    groups
      .filter(({ id }) => ids.includes(id))
      .map(({ name }) => name)
      .join(', ') || 'None';
  switch (decision.outcome) {
    case 'refused':
      return {
        title: 'Would be refused',
        tone: 'danger',
        lines: [...lines, arrivalAdvice[decision.because]],
        becomes: [],
      };
    case 'deactivate':
      return { title: 'Would be deactivated: in no mapped group', tone: 'danger', lines, becomes: [] };
    case 'create': {
      const { fields, role, groupIds } = decision.person;
      return {
        title: 'Would be created, and let in',
        tone: 'good',
        lines,
        becomes: [
          { label: 'Name', value: `${fields.firstName} ${fields.lastName}` },
          { label: 'E-mail', value: fields.email },
          { label: 'Username', value: fields.username },
          { label: 'Role', value: role },
          { label: 'Access groups', value: namesOf(groupIds) },
        ],
      };
    }
    case 'accept':
      return {
        title: decision.becomes === 'reactivated' ? 'Would be reactivated, and let in' : 'Would be let in',
        tone: 'good',
        lines,
        becomes: [
          { label: 'Role', value: decision.change.after.role },
          { label: 'Access groups', value: namesOf(decision.change.after.groups) },
        ],
      };
  }
}

const verdictTitles: Record<TestVerdict, string> = {
  passed: 'The test passed',
  'not-this-person': 'The connection works, but this person would not get in',
  missing: 'Something is missing',
  unfit: 'This person would be refused',
};

function onwardOf({ id, name, enabled }: StoredConnection, getsIn: boolean): Arrived['onward'] {
  if (enabled) return { words: '', href: connectionPath(id), button: 'Go on' };
  return {
    words: getsIn
      ? 'It can be enabled now. People find it on the login page then; passwords work as before.'
      : 'It can be enabled now: this is about the person, not about the connection. Passwords work as before.',
    href: connectionPath(id, 'enable'),
    button: `Enable ${name}`,
  };
}

async function shownOf(desk: Desk, connection: StoredConnection, tested: TestOutcome): Promise<Shown> {
  if (tested.outcome === 'gone') return { kind: 'gone' };
  if (tested.outcome === 'problem') {
    const { problem, code, details } = tested.result;
    return {
      kind: 'problem',
      sentence: sentenceFor(problem, details),
      advice: problemAdvice[problem],
      code,
      details: detailLines(details),
    };
  }
  const { claims, issuer } = tested.result;
  const groups = await desk.work.store.of(desk.companyId).groups.list();
  return {
    kind: 'arrived',
    title: verdictTitles[tested.verdict],
    isMissing: tested.verdict === 'missing',
    onward: isProof(tested.verdict) ? onwardOf(connection, tested.verdict === 'passed') : null,
    checks: tested.checks.map(({ name, weight, passed, sentence }) => ({
      title: checkTitles[name],
      passed,
      sentence,
      isNeeded: weight === 'needed',
    })),
    issuer,
    subject: claims.subject,
    claims: claimLines(claims, connection),
    decision: decisionOf(tested.decision, groups),
  };
}

/** Nobody is found by an address who is Root Admin: this is their way in (C27), and our own factor is asked for whatever the switch says (C25). */
const bindWords = ({ user }: Desk, brand: string): string =>
  user.role === 'Root Admin'
    ? `The Root Admin is never found by an e-mail address: only this lets you log in through it. You are asked for your ${brand} 2FA each time, whatever the switch says.`
    : 'Others are found by their verified e-mail at their first login. Do this when yours is another one there.';

const result: DeskHandler = async (ctx, runtime, desk) => drawResult(ctx, runtime, desk, null);

async function drawResult(
  ctx: Parameters<DeskHandler>[0],
  runtime: Parameters<DeskHandler>[1],
  desk: Desk,
  problem: SsoViews['admin/sso/test-result']['problem'],
): Promise<void> {
  const connection = await connectionAt(ctx, desk);
  const ticket = ctx.state.form.ticket ?? new URLSearchParams(ctx.querystring).get('ticket') ?? '';
  const tested = await recordTest(desk.work, desk.companyId, connection.id, ticket.replaceAll('\0', ''));
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/test-result', title: `Test of ${connection.name}`, place: 'sso' },
    {
      connection: connectionHead(connection, desk, 'test'),
      problem,
      outcome: await shownOf(desk, connection, tested),
      again: connectionPath(connection.id, 'test'),
      mend: {
        settings: `${connectionPath(connection.id, 'settings')}#attributes-title`,
        guide: `${connectionPath(connection.id)}#guide`,
      },
      bind:
        tested.outcome === 'arrived'
          ? {
              action: connectionPath(connection.id, 'test/bind'),
              ticket,
              username: desk.user.username,
              words: bindWords(desk, runtime.config.brandName),
            }
          : null,
    },
  );
}

/** A lasting way in: as for a new password, the person proves themselves anew, since a session alone may be somebody else's by now. */
const bind: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const prove = sensitive({
    title: `Log in through ${connection.name}`,
    sentence: `Confirm that it is you. From then on the account of ${connection.name} that you tested with opens ${desk.user.username} here.`,
    path: connectionPath(connection.id, 'test/bind'),
    button: 'This is me',
    danger: false,
    always: true,
    cancel: connectionPath(connection.id, 'test'),
    carries: ['ticket'],
    act: () => bindProved(ctx, runtime, desk, connection),
  });
  await prove(ctx, runtime, desk);
};

async function bindProved(ctx: Context, runtime: Runtime, desk: Desk, connection: StoredConnection): Promise<void> {
  const { work, companyId, userId } = desk;
  await orRedraw(
    ctx,
    async () => {
      const of = { companyId, connectionId: connection.id, startedBy: userId };
      const fetched = await fetchTestResult(work, of, ctx.state.form.ticket ?? '');
      if (fetched?.outcome !== 'arrived') throw conflict('The result of the test is not there any more. Test again.');
      await bindOwnIdentity(work, connection, fetched.claims, { issuer: fetched.issuer });
      setFlash(ctx, runtime, { kind: 'success', text: `You can log in through ${connection.name} from now on.` });
      seeOther(ctx, connectionPath(connection.id, 'test'));
    },
    (problem) => drawResult(ctx, runtime, desk, { ...problem, field: null }),
  );
}

const path = `${ssoPath}/:connection/test`;

export const ssoTestRoutes: Route[] = [
  { method: 'get', path, handle: guarded(show) },
  { method: 'post', path, handle: guarded(begin) },
  { method: 'get', path: `${path}/result`, handle: guarded(result) },
  { method: 'post', path: `${path}/bind`, handle: guarded(bind) },
];
