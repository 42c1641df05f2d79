// What happened, in one plain sentence: for the audit log, for a person's page, for whoever reads either at night.
// Pure: names of people, groups and modules are handed in, since they may have changed after the event.
import type { AuditAction } from './audit-event.ts';
import { changeWords, isRecord, shown } from './changes.ts';
import { activatedBecause, deactivatedBecause, endWords, proofWords, refusalWords, textOf } from './reasons.ts';

export interface ToldEvent {
  action: string;
  actor: { kind: string; id?: string; name: string };
  target: { kind: string; id: string } | null;
  details: Record<string, unknown>;
}

/** The present name of a person, group, module or company by its id; null when nobody knows it any more. */
export type NameOf = (kind: string, id: string) => string | null;

interface Told {
  /** "Ada Root", "The operator". */
  who: string;
  /** The target: "Ben User", or "themselves" where actor and target are one. */
  whom: string;
  /** The target at the beginning of a sentence. */
  subject: string;
  /** "Ben User's", or "their own". */
  whose: string;
  isSelf: boolean;
  details: Record<string, unknown>;
}

/** "Ada Root deactivated Ben User." An action that this version does not know is told by its name, never left out. */
export function sentenceOf(event: ToldEvent, nameOf: NameOf): string {
  const told = tell(event, nameOf);
  // Rows of the table may be younger or older than this list.
  const write = Object.hasOwn(sentences, event.action) ? sentences[event.action as AuditAction] : null;
  return write ? `${write(told)}.` : `${told.who} did “${event.action}” on ${told.whom}.`;
}

function tell({ actor, target, details }: ToldEvent, nameOf: NameOf): Told {
  const isSelf = actor.kind === 'user' && actor.id !== undefined && actor.id === target?.id;
  const known = target && nameOf(target.kind, target.id);
  const named = known ?? textOf(details.username) ?? textOf(details.name);
  const whom = named ?? (target ? `a ${target.kind}` : 'something');
  return {
    who: actorWords(actor, nameOf),
    whom: isSelf ? 'themselves' : whom,
    subject: named ?? (target ? `A ${target.kind}` : 'Something'),
    whose: isSelf ? 'their own' : possessive(whom),
    isSelf,
    details,
  };
}

export function actorWords(actor: ToldEvent['actor'], nameOf: NameOf): string {
  switch (actor.kind) {
    case 'user':
      return (actor.id !== undefined && nameOf('user', actor.id)) || actor.name;
    case 'operator':
      return 'The operator';
    case 'stranger':
      return 'Somebody not logged in';
    case 'module':
      return actor.name;
    default:
      return 'The system';
  }
}

const causeText = (details: Record<string, unknown>): string | null => textOf(details.cause);
const endingVerbs: Record<string, string> = { suspend: 'suspend', remove: 'remove', disable: 'disable' };

function entryWords(subject: string, module: string, reason: unknown): string {
  switch (reason) {
    case 'not-administrator':
      return `${subject} could not connect ${module}: only administrators may`;
    case 'no-permission':
      return `${subject} was not let into ${module}: none of their access groups has a permission there`;
    case 'other-instance':
      return `${subject} was not let into ${module}: their access groups open another connection of it`;
    default:
      return `${subject} was not let into ${module}: no active access group opens it`;
  }
}

const possessive = (name: string) => `${name}${name.endsWith('s') ? '’' : '’s'}`;
const quoted = (value: unknown) => `“${shown(value)}”`;
const count = (value: unknown) => (typeof value === 'number' ? value : 0);
const many = (n: number, one: string, more: string) => `${n} ${n === 1 ? one : more}`;
const tail = (prefix: string, value: string | null) => (value === null ? '' : `${prefix}${value}`);

function ipWords({ added, removed, after }: Record<string, unknown>): string {
  if (added !== undefined) return `added ${shown(added)} to the IP access list`;
  if (removed !== undefined) return `removed ${shown(removed)} from the IP access list`;
  if (isRecord(after)) return `switched the IP access list ${after.enabled === true ? 'on' : 'off'}`;
  return 'changed the IP access list';
}

function requireWords(who: string, details: Record<string, unknown>): string {
  const module = shown(details.name);
  switch (details.change) {
    case 'trial':
      return `${who} required the login for ${module} on trial, until ${shown(details.until).slice(11, 16)} UTC`;
    case 'confirmed':
      return `${who} entered ${module} through the required login, which confirms it`;
    case 'reverted':
      return `Nobody confirmed the required login for ${module}: the trial was reverted`;
    default:
      return `${who} ended the required login for ${module}`;
  }
}

function ssoWords(who: string, details: Record<string, unknown>): string {
  const name = shown(details.name);
  const end = textOf(details.until) === null ? 'without an end' : `until ${shown(details.until).slice(0, 10)}`;
  const because = tail(': ', textOf(details.reason));
  switch (`${shown(details.of)} ${shown(details.change)}`) {
    case 'enforce trial':
      return `${who} enforced single sign-on through ${name} on trial, until ${shown(details.until).slice(11, 16)} UTC`;
    case 'enforce confirmed':
      return `${who} logged in through ${name}, which confirms that it is enforced`;
    case 'enforce reverted':
      return `Nobody confirmed the enforced single sign-on through ${name}: the trial was reverted`;
    case 'enforce ended':
      return `${who} ended the enforced single sign-on through ${name}`;
    case 'break-glass added':
      return `${who} put ${name} on the list of break-glass people, ${end}${because}`;
    case 'break-glass changed':
      return `${who} changed the break-glass person ${name}, ${end}${because}`;
    case 'break-glass kept':
      return `The break-glass person ${name} was to end and is kept ${end}: it is the last way in`;
    case 'break-glass removed':
      return `${who} took ${name} from the list of break-glass people`;
    case 'domain added':
      return `${who} added the e-mail domain ${name}`;
    case 'domain verified':
      return `${who} proved the e-mail domain ${name}`;
    case 'domain removed':
      return `${who} removed the e-mail domain ${name}`;
    case 'domain lost':
      return `DNS does not prove the e-mail domain ${name} any more: it was given up`;
    case 'connection created':
      return `${who} added the connection ${name} for single sign-on`;
    case 'connection enabled':
      return `${who} enabled single sign-on through ${name}${tail(', without a passed test: ', textOf(details.override))}`;
    case 'connection disabled':
      return `${who} disabled single sign-on through ${name}`;
    case 'connection removed':
      return `${who} removed the connection ${name} for single sign-on`;
    case 'test passed':
      return `${who} tested single sign-on through ${name}: it passed`;
    case 'test failed':
      return `${who} tested single sign-on through ${name}: it failed`;
    case 'metadata certificates':
      return `The metadata of ${name} named ${many(count(details.added), 'new certificate', 'new certificates')}`;
    case 'metadata read':
      return `${who} read the metadata of ${name} again${changeWords(details)}`;
    default:
      return `${who} changed the connection ${name} for single sign-on${changeWords(details)}`;
  }
}

function exceptionWords(who: string, details: Record<string, unknown>): string {
  const [account, module] = [shown(details.account), shown(details.name)];
  // The day is enough to read; the log's page of the event shows the second.
  const end = textOf(details.until) === null ? 'without an end' : `until ${shown(details.until).slice(0, 10)}`;
  const because = tail(': ', textOf(details.reason));
  switch (details.change) {
    case 'added':
      return `${who} exempted ${account} from the required login for ${module}, ${end}${because}`;
    case 'changed':
      return `${who} changed the exception of ${account} for ${module}, ${end}${because}`;
    case 'kept':
      return `The exception of ${account} for ${module} was to end and is kept ${end}: it is the last way in`;
    default:
      return `${who} ended the exception of ${account} for ${module}`;
  }
}

/** One row an action; the type keeps the table complete. */
const sentences: Record<AuditAction, (told: Told) => string> = {
  'company.create': ({ who, whom }) => `${who} created the company ${whom}`,
  'user.create': ({ who, whom, details }) => `${who} added ${whom} as ${shown(details.role)}`,
  'user.invite': ({ who, whom }) => `${who} invited ${whom}`,
  'user.resend': ({ who, whom }) => `${who} sent the invitation of ${whom} again`,
  'user.linkCopied': ({ who, whom }) => `${who} copied the invitation link of ${whom}`,
  'user.edit': ({ who, whose, details }) => `${who} edited ${whose} data${changeWords(details)}`,
  'user.roleChange': ({ who, whose, details }) =>
    `${who} changed ${whose} role from ${shown(details.before)} to ${shown(details.after)}`,
  'user.groupChange': ({ who, whose, details }) => `${who} changed ${whose} access groups${changeWords(details)}`,
  'user.passwordSet': ({ who, isSelf, whom }) => `${who} set ${isSelf ? 'a new password' : `a password for ${whom}`}`,
  'user.emailVerified': ({ who, whose }) => `${who} proved ${whose} e-mail address by a mailed link`,
  'user.emailChange.request': ({ who, whose, details }) =>
    `${who} asked to change ${whose} e-mail from ${shown(details.before)} to ${shown(details.after)}; it counts once confirmed`,
  'user.emailChange.cancel': ({ who, whose, details }) =>
    `${who} took back the change of ${whose} e-mail to ${shown(details.before)}`,
  'user.emailChange.confirm': ({ whose, isSelf, who, details }) =>
    `${isSelf ? `${who} confirmed ${whose}` : `The link confirmed ${whose}`} new e-mail ${shown(details.after)}`,
  'user.activate': ({ who, whom, details }) =>
    details.by === 'sign-up'
      ? `${who} signed up and is active`
      : `${who} activated ${whom}${activatedBecause[String(details.by)] ?? ''}`,
  'user.deactivate': ({ who, whom, details }) =>
    `${who} deactivated ${whom}${deactivatedBecause[String(details.reason)] ?? ''}`,
  'user.delete': ({ who, whom }) => `${who} deleted ${whom}`,
  'user.unlock': ({ who, whom }) => `${who} unlocked ${whom}`,
  'user.lock': ({ subject }) => `${subject} was locked after too many failed logins`,
  'user.export': ({ who, details }) => `${who} exported ${many(count(details.count), 'person', 'people')}`,
  'receipt.export': ({ who, whose }) => `${who} exported the proof of ${whose} end of access`,
  'user.passwordReset.request': ({ who, whom, isSelf }) =>
    isSelf ? `${who} asked for a new password` : `${who} sent ${whom} a link to set a new password`,
  'user.passwordReset.done': ({ who, details }) =>
    `${who} set a password by ${details.kind === 'invitation' ? 'the invitation' : 'a mailed link'}`,
  'user.passwordChange': ({ who, whose }) => `${who} changed ${whose} password`,
  'user.2fa.enrol': ({ who, whose }) => `${who} set up ${whose} second factor`,
  'user.2fa.reset': ({ who, whose }) => `${who} reset ${whose} second factor`,
  'user.recoveryCodes.new': ({ who }) => `${who} made new recovery codes`,
  'user.recoveryCode.used': ({ who, details }) => `${who} used a recovery code; ${count(details.left)} left`,
  'user.pictureChange': ({ who, whose, details }) =>
    `${who} ${details.removed ? 'removed' : 'changed'} ${whose} picture`,
  'login.ok': ({ who, details }) => `${who} logged in${tail(' with ', proofWords[String(details.method)] ?? null)}`,
  'login.fail': ({ who, details }) =>
    // Before a change of their own account, not at the door (AUT-19).
    details.reason === 'wrong-proof'
      ? `${who}, who was logged in, was refused: ${refusalWords(details.reason)}`
      : `A login as ${quoted(details.username)} was refused: ${refusalWords(details.reason)}`,
  logout: ({ who }) => `${who} logged out`,
  'session.end': ({ subject, details }) => `${possessive(subject)} session ended: ${endWords(details.reason)}`,
  'token.revoke': ({ who }) => `${who} had a token taken back`,
  'grant.revoke': ({ who, whose, subject, details }) =>
    details.reason === 'access-lost'
      ? `${subject} lost ${shown(details.module)}: what it held for them is revoked`
      : `${who} revoked ${whose} access to ${shown(details.module)}`,
  'entry.refuse': ({ subject, details }) => entryWords(subject, textOf(details.module) ?? 'a module', details.reason),
  'group.create': ({ who, details }) => `${who} created the access group ${quoted(details.name)}`,
  'group.edit': ({ who, whom, details }) => `${who} edited the access group “${whom}”${changeWords(details)}`,
  'group.activate': ({ who, whom }) => `${who} activated the access group “${whom}”`,
  'group.deactivate': ({ who, whom }) => `${who} deactivated the access group “${whom}”`,
  'group.delete': ({ who, whom }) => `${who} deleted the access group “${whom}”`,
  'module.create': ({ who, details }) => `${who} registered the module ${quoted(details.name)}`,
  'module.connect': ({ who, whom }) => `${who} connected ${whom}`,
  'module.disconnect': ({ who, whom }) => `${who} disconnected ${whom}`,
  'module.provision': ({ who, whom, whose, details }) =>
    `${who} ordered ${details.act === 'create' ? `an account for ${whom}` : `a change of ${whose} account`} in ${shown(details.module)}${tail(', since ', causeText(details))}`,
  'module.deprovision': ({ who, whose, details }) =>
    `${who} ordered to ${endingVerbs[String(details.act)] ?? 'end'} ${whose} account in ${shown(details.module)}${tail(', since ', causeText(details))}`,
  'module.restore': ({ who, whose, details }) =>
    `${who} ordered to restore ${whose} account in ${shown(details.module)}${tail(', since ', causeText(details))}`,
  'module.batch.wait': ({ details }) =>
    `Suspending ${many(count(details.people), 'person', 'people')} in ${shown(details.module)} waits for a second administrator${tail(', since ', causeText(details))}`,
  'module.batch.approve': ({ who, details }) =>
    `${who} confirmed that ${many(count(details.people), 'person', 'people')} are suspended in ${shown(details.module)}`,
  'module.batch.refuse': ({ who, details }) =>
    `${who} refused to suspend ${many(count(details.people), 'person', 'people')} in ${shown(details.module)}`,
  'module.delivery.resend': ({ who, details }) =>
    `${who} sent ${many(count(details.count), 'delivery', 'deliveries')} to ${shown(details.module)} again`,
  'module.delivery.late': ({ details }) =>
    `${textOf(details.module) ?? 'A module'} has not taken changes for ${many(count(details.people), 'person', 'people')} for more than 15 minutes`,
  'module.delivery.givenUp': ({ whom, details }) =>
    `Telling ${shown(details.module)} of ${whom} was given up: ${shown(details.problem)}`,
  'module.rename': ({ who, details }) =>
    `${who} renamed the module ${quoted(details.before)} to ${quoted(details.name)}`,
  'module.credential.new': ({ who, whom }) => `${who} gave ${whom} a new machine credential`,
  'module.places': ({ who, whom }) => `${who} changed where ${whom} is reached`,
  'module.credential.end': ({ who, whom }) => `${who} ended a machine credential of ${whom}`,
  'module.settings': ({ who, details }) =>
    `${who} changed the login settings of ${shown(details.name)}${changeWords(details)}${tail(', without a passed contract test: ', textOf(details.override))}`,
  'module.require': ({ who, details }) => requireWords(who, details),
  'module.emergency': ({ details }) =>
    `The emergency account ${quoted(details.account)} logged in to ${shown(details.name)} with its own password`,
  'module.administrator': ({ subject, details }) =>
    `${textOf(details.name) ?? 'A module'} says that the account ${shown(details.account)} of ${subject} ${details.after === true ? 'administers it' : 'does not administer it any more'}`,
  'module.exception': ({ who, details }) => exceptionWords(who, details),
  'module.link': ({ who, whom, subject, details }) =>
    details.by === 'hand'
      ? `${who} linked the account ${quoted(details.account)} of ${whom} to ${shown(details.person)}`
      : `${subject} entered ${shown(details.name)} for the first time: the account ${shown(details.account)} is theirs`,
  'module.jitCreate': ({ subject, details }) =>
    `${subject} entered ${shown(details.name)} for the first time, and the module made the account ${shown(details.account)}`,
  'module.unlink': ({ who, whom, details }) =>
    `${who} took the account ${quoted(details.account)} of ${whom} from ${shown(details.person)}`,
  'module.read': ({ whom, details }) => `The accounts of ${whom} were read: ${count(details.accounts)}`,
  'module.plan.make': ({ who, whom, details }) =>
    `${who} made a plan for ${many(count(details.rows), 'account', 'accounts')} of ${whom}`,
  'module.plan.ask': ({ who, whom }) => `${who} asked a second administrator to apply a plan for ${whom}`,
  'module.plan.apply': ({ who, whom, details }) =>
    `${who} applied a plan for ${many(count(details.rows), 'account', 'accounts')} of ${whom}`,
  'module.test.start': ({ who, whom, details }) =>
    `${who} started a contract test of ${whom}${details.target === 'fake' ? ' against the built-in fake' : ''}`,
  'module.test.done': ({ subject, details }) =>
    details.state === 'passed'
      ? `${subject} passed the contract test${details.target === 'fake' ? ' of the built-in fake' : ''}`
      : `${subject} ${details.state === 'failed' ? `failed the contract test: ${shown(details.failed)}` : 'was not tested to the end'}`,
  'sso.config': ({ who, details }) => ssoWords(who, details),
  'sso.mapping': ({ who, whom, details }) =>
    details.emptied === 'accepted'
      ? `${who} confirmed that ${whom} is in no group of ${shown(details.connection)} any more`
      : `${who} changed the mapping rules of ${shown(details.connection)}${changeWords(details)}`,
  'sso.bind': ({ subject, details }) =>
    `${subject} came through ${shown(details.connection)} for the first time, and is bound to that account`,
  'sso.stop': ({ subject, details }) =>
    `The groups of ${textOf(details.email) ?? subject} were not said by ${shown(details.connection)}: nothing was changed`,
  'sso.plan.make': ({ who, details }) =>
    `${who} made a plan for ${shown(details.connection)}: ${many(count(details.rows), 'person', 'people')} would be touched`,
  'sso.plan.ask': ({ who, details }) =>
    `${who} asked a second administrator to ${details.undo === true ? 'take back' : 'apply'} a plan for ${shown(details.connection)}`,
  'sso.plan.apply': ({ who, details }) =>
    `${who} applied a plan for ${shown(details.connection)} to ${many(count(details.rows), 'person', 'people')}`,
  'sso.plan.undo': ({ who, details }) => `${who} took back a plan for ${shown(details.connection)}`,
  'import.start': ({ who, details }) => `${who} started a task: ${textOf(details.title) ?? 'without a name'}`,
  'import.done': ({ details }) =>
    `${textOf(details.title) ?? 'A task'} ended: ${count(details.succeeded)} done, ${count(details.skipped)} skipped, ${count(details.failed)} failed`,
  'import.undo': ({ who, details }) =>
    `${who} undid an import: ${many(count(details.deleted), 'person', 'people')} deleted, ${count(details.kept)} kept`,
  'policy.change': ({ who, details }) => `${who} changed the security policy${changeWords(details)}`,
  'ip.change': ({ who, details }) => `${who} ${ipWords(details)}`,
  'mail.settings': ({ who, details }) => `${who} changed the mail settings${changeWords(details)}`,
  'mail.lift': ({ who, details }) => `${who} let mail to ${shown(details.address)} go out again`,
  'mail.test': ({ who, details }) => `${who} sent a test mail to ${shown(details.address)}`,
  'root.promote': ({ who, whom }) => `${who} made ${whom} the Root Admin`,
  'audit.export': ({ who }) => `${who} exported the audit log`,
  'keys.rotate': ({ who }) => `${who} changed the signing keys`,
  'operator.recover': ({ who, whom }) => `${who} recovered the account of ${whom}`,
};
