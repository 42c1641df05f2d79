// Who may still log in locally while the login is required (A8.6): one at a time, each with a reason and an end.
import { invalid, notFound } from '../../lib/errors.ts';
import { type CompanyId, type InstanceId, isId, newId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authoriseInstance } from '../roles/authority.ts';
import { causeOf, settingsChanged } from '../standing/commands.ts';
import {
  dueReminder,
  type ExceptionChange,
  type ExceptionInput,
  endProblems,
  exceptionChange,
  exceptionInput,
  mostExceptions,
} from './exception.ts';
import type { StoredException } from './exception-repository.ts';
import { type Connected, getConnected } from './requirement-queries.ts';
import type { Exception } from './settings.ts';
import { isInForce } from './ways-in.ts';
import { refuseLosingLastWayIn } from './ways-in-commands.ts';

function refuse(fields: Record<string, string>): never {
  throw invalid(Object.values(fields).join(' '), fields);
}

const problemsOf = (issues: { path: PropertyKey[]; message: string }[]): Record<string, string> =>
  Object.fromEntries(issues.toReversed().map(({ path, message }) => [path.join('.'), message]));

/** In the transaction: the instance, held, with its exceptions. Changes of one instance come one after the other. */
async function hold(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
): Promise<{ connected: Connected; exceptions: StoredException[] }> {
  const { integrations, exceptions } = work.store.of(companyId);
  if (!(await integrations.hold(instanceId))) throw notFound('module');
  const connected = await getConnected(work, companyId, instanceId);
  if (!connected.profile.capabilities.includes('require'))
    throw invalid(`${connected.module} cannot require the login, so nobody needs an exception there.`);
  return { connected, exceptions: await exceptions.list(instanceId) };
}

/** @throws AppError 422 by field, 404 */
export async function addException(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  input: ExceptionInput,
): Promise<Exception> {
  await authoriseInstance(work, companyId, instanceId);
  const parsed = exceptionInput.safeParse(input);
  if (!parsed.success) refuse(problemsOf(parsed.error.issues));
  const { accountId, kind, reason, endsAt, noEnd } = parsed.data;
  const problems = endProblems({ endsAt, noEnd }, work.now);
  if (Object.keys(problems).length > 0) refuse(problems);
  return transaction(work, async (work) => {
    const { connected, exceptions } = await hold(work, companyId, instanceId);
    if (exceptions.filter((one) => isInForce(one, work.now)).length >= mostExceptions)
      refuse({ accountId: `There are ${mostExceptions} exceptions already: end some that nobody needs any more.` });
    const userName = await nameOf(work, companyId, { instanceId, accountId, given: parsed.data.userName ?? '' });
    const exception: Exception = { id: newId(), kind, accountId, userName, reason, endsAt };
    // DOS-06: what was said just now is nothing to be reminded of.
    const remindedDays = dueReminder({ endsAt, remindedDays: null }, work.now);
    const { exceptions: stored } = work.store.of(companyId);
    await stored.insert(instanceId, { ...exception, remindedDays }, work.actor.name, work.now);
    await tell(work, companyId, connected, 'added', exception);
    return exception;
  });
}

/** The module knows its own accounts, also those that we have not read yet; a person chooses from what was read. */
async function nameOf(
  work: Work,
  companyId: CompanyId,
  { instanceId, accountId, given }: { instanceId: InstanceId; accountId: string; given: string },
): Promise<string> {
  const known = await work.store.of(companyId).exceptions.findUserName(instanceId, accountId);
  if (known !== null) return known;
  if (work.actor.kind !== 'module') refuse({ accountId: 'Choose an account of the module.' });
  return given === '' ? refuse({ userName: 'Say what the account is called.' }) : given;
}

/** A new reason, kind or end. @throws AppError 422, 409 last_way_in, 404 */
export async function changeException(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  change: ExceptionChange & { id: string },
): Promise<Exception> {
  await authoriseInstance(work, companyId, instanceId);
  const { id, ...rest } = change;
  const parsed = exceptionChange.safeParse(rest);
  if (!parsed.success) refuse(problemsOf(parsed.error.issues));
  const { noEnd, ...values } = parsed.data;
  const problems = endProblems({ endsAt: values.endsAt, noEnd }, work.now);
  if (Object.keys(problems).length > 0) refuse(problems);
  return transaction(work, async (work) => {
    const { connected, exceptions } = await hold(work, companyId, instanceId);
    const before = find(exceptions, id);
    await refuseLosingLastWayIn(work, companyId, instanceId, { what: 'exception', id, after: values });
    const hasSameEnd = before.endsAt?.getTime() === values.endsAt?.getTime();
    const remindedDays = hasSameEnd ? before.remindedDays : null;
    await work.store.of(companyId).exceptions.update(id, { ...values, remindedDays });
    const { accountId, userName } = before;
    const after: Exception = { id, accountId, userName, ...values };
    await tell(work, companyId, connected, 'changed', after);
    return after;
  });
}

function find(exceptions: StoredException[], id: string): StoredException {
  const found = isId(id) ? exceptions.find((one) => one.id === id) : undefined;
  if (!found) throw notFound('exception');
  return found;
}

/** @throws AppError 409 last_way_in, 404 */
export async function removeException(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  id: string,
): Promise<Exception> {
  await authoriseInstance(work, companyId, instanceId);
  return transaction(work, async (work) => {
    const { connected, exceptions } = await hold(work, companyId, instanceId);
    const { kind, accountId, userName, reason, endsAt } = find(exceptions, id);
    await refuseLosingLastWayIn(work, companyId, instanceId, { what: 'exception', id, after: null });
    await work.store.of(companyId).exceptions.delete(id);
    const gone: Exception = { id, kind, accountId, userName, reason, endsAt };
    await tell(work, companyId, connected, 'removed', gone);
    return gone;
  });
}

/** New version, record, and word to the module; inside a transaction that holds the instance. */
export async function tell(
  work: Work,
  companyId: CompanyId,
  { instanceId, instance, moduleId }: Connected,
  change: 'added' | 'changed' | 'kept' | 'removed',
  { kind, accountId, userName, reason, endsAt }: Exception,
): Promise<void> {
  await work.store.of(companyId).integrations.bump(instanceId);
  await record(work, {
    action: 'module.exception',
    companyId,
    target: { kind: 'module', id: instanceId },
    details: {
      name: instance,
      moduleId,
      change,
      kind,
      accountId,
      account: userName,
      reason,
      until: endsAt?.toISOString() ?? null,
    },
  });
  await settingsChanged(work, { companyId, instanceId, cause: causeOf(work, 'exceptions were changed') });
}
