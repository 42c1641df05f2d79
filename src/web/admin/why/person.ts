// "Why can or can't this person get in?" for one person, one module, one time and one address; and the code that leads here.
import { isIP } from 'node:net';
import { listReachFor } from '../../../domain/integrations/reach-queries.ts';
import type { Line } from '../../../domain/provisioning/why.ts';
import { type Explained, explainWhy, findByCode } from '../../../domain/provisioning/why-queries.ts';
import { fullName } from '../../../domain/users/user.ts';
import { notFound } from '../../../lib/errors.ts';
import { type InstanceId, isId } from '../../../lib/ids.ts';
import { days } from '../../../lib/time.ts';
import { instantOf } from '../../../lib/zones.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, idParam, showDesk } from '../console.ts';
import { told } from '../told.ts';
import { personPath } from '../users/person-head.ts';
import type { Refused, WhyLine } from './views.ts';
import { lineLabels, linkTo, outcomeStatus, verdictWords } from './words.ts';

export const whyPath = (
  userId: string,
  asked: { module?: string; at?: string; from?: string; code?: string } = {},
): string => {
  const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== '')).toString();
  return `${personPath(userId)}/why${query === '' ? '' : `?${query}`}`;
};

interface Asked {
  module: InstanceId | null;
  at: Date;
  from: string | null;
  problem: FormProblem | null;
}

/** What cannot be understood is said, and the rest is answered. */
function askedOf(query: URLSearchParams, desk: Desk): Asked {
  const { now } = desk.work;
  const module = query.get('module') ?? '';
  if (module !== '' && !isId(module)) throw notFound('module');
  const typedAt = query.get('at') ?? '';
  const typedFrom = (query.get('from') ?? '').trim();
  const at = typedAt === '' ? now : timeOf(typedAt, desk);
  const isNear = at !== null && Math.abs(at.getTime() - now.getTime()) <= days(366);
  const isAddress = typedFrom === '' || isIP(typedFrom) > 0;
  const problem = (field: string, sentence: string): FormProblem => ({ sentence, field, code: null });
  return {
    module: module === '' ? null : (module as InstanceId),
    at: isNear ? at : now,
    from: typedFrom !== '' && isAddress ? typedFrom : null,
    problem: !isNear
      ? problem('at', 'Enter a time within a year from now.')
      : isAddress
        ? null
        : problem('from', 'Enter an IP address, such as 203.0.113.9.'),
  };
}

/** As a form sends it, in the zone of who looks; or an instant, as links have it. */
function timeOf(typed: string, desk: Desk): Date | null {
  if (!typed.endsWith('Z')) return instantOf(typed, desk.user.timeZone ?? 'UTC');
  const at = new Date(typed);
  return Number.isNaN(at.getTime()) ? null : at;
}

async function linesOf({ why, changes, person, instance }: Explained, desk: Desk): Promise<WhyLine[]> {
  const of = { userId: person.user.id, instanceId: instance?.id ?? '' };
  const events = [...changes];
  const sentences = await told(
    desk,
    events.map(([, event]) => event),
  );
  const changed = new Map<Line, (typeof sentences)[number]>();
  events.forEach(([line], i) => {
    const one = sentences[i];
    if (one) changed.set(line, one);
  });
  return why.lines.map((line) => ({
    label: lineLabels[line.name],
    status: outcomeStatus[line.outcome],
    sentence: line.sentence,
    more: line.more.map(({ words, at }) => ({ words, at: at && desk.moment(at) })),
    setting: linkTo(line.setting, of),
    changed: changed.get(line) ?? null,
    flip: line.flip && linkTo(line.flip, of),
    isDecisive: line === why.decisive,
  }));
}

const page: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const userId = idParam(ctx, 'id', 'person');
  const { module, at, from, problem } = askedOf(query, desk);
  const explained = await explainWhy(desk.work, desk.companyId, userId, { instanceId: module, at, from });
  const { person, why, instance } = explained;
  const connected = await listReachFor(desk.work, desk.companyId, userId);
  const name = fullName(person.user);
  const flip = why.decisive?.flip ?? null;
  const timeZone = desk.user.timeZone ?? 'UTC';
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/why/person', title: `Why can or can’t ${name} get in?`, place: 'users' },
    {
      name,
      back: { words: name, href: personPath(userId) },
      action: `${personPath(userId)}/why`,
      modules: [
        { value: '', label: `${runtime.config.brandName} itself`, selected: module === null },
        ...connected.map(({ id, name }) => ({ value: id, label: name, selected: id === module })),
      ],
      at: localOf(query.get('at') ?? '', at, timeZone),
      from: (query.get('from') ?? '').slice(0, 60),
      timeZone,
      problem,
      refused: await refusedThen(query, userId, desk),
      verdict: {
        ...verdictWords(why, { name, module: instance?.name ?? null }),
        flip: flip && linkTo(flip, { userId, instanceId: instance?.id ?? '' }),
      },
      lines: await linesOf(explained, desk),
    },
  );
  if (problem) ctx.status = 422;
};

/** What the field of the form shows: a link's instant as the clock of who looks shows it. */
function localOf(typed: string, at: Date, timeZone: string): string {
  if (!typed.endsWith('Z')) return typed.slice(0, 19);
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(at);
  return parts.replace(' ', 'T');
}

/** What the code stands for that led here, in the words of the log; another's code says nothing of this person. */
async function refusedThen(query: URLSearchParams, userId: string, desk: Desk): Promise<Refused | null> {
  const code = (query.get('code') ?? '').slice(0, 40);
  const found = code === '' ? null : await findByCode(desk.work, desk.companyId, code);
  if (found?.userId !== userId) return null;
  const [refused] = await told(desk, [found.event]);
  return refused ? { code: found.event.code ?? '', sentence: refused.sentence, at: refused.at } : null;
}

/** "Code from the person's page": to the very question that it answers. */
const byCode: DeskHandler = async (ctx, runtime, desk) => {
  const typed = (new URLSearchParams(ctx.querystring).get('code') ?? '').slice(0, 40);
  const found = await findByCode(desk.work, desk.companyId, typed);
  if (!found) {
    setFlash(ctx, runtime, {
      kind: 'danger',
      text: 'No login or entry of anybody here was refused with this code. Look at it again, letter by letter.',
    });
    return seeOther(ctx, '/admin/audit');
  }
  const { userId, instanceId, event } = found;
  seeOther(ctx, whyPath(userId, { module: instanceId ?? '', from: event.ip ?? '', code: event.code ?? '' }));
};

export const whyRoutes: Route[] = [
  { method: 'get', path: `${personPath(':id')}/why`, handle: deskOf('users.manage', page) },
  { method: 'get', path: '/admin/why', handle: deskOf('users.manage', byCode) },
];
