// A person's accounts at modules with their receipts, and the proof that a leaver's access has ended.
import type { AuditRow } from '../../../domain/audit/repository.ts';
import { getLeaver, readEndFacts } from '../../../domain/provisioning/end-queries.ts';
import { proveEndOfAccess, readEndOfAccess } from '../../../domain/provisioning/proof-commands.ts';
import { type AccountReceipts, endOfAccess } from '../../../domain/provisioning/receipt.ts';
import { fullName } from '../../../domain/users/user.ts';
import { type Route, seeOther } from '../../routes.ts';
import { type Desk, type DeskHandler, deskOf, idParam, showDesk } from '../console.ts';
import { instancePath } from '../modules/instance-head.ts';
import { told } from '../told.ts';
import { usersPath } from '../users/list.ts';
import { headOf, personAt, personPath } from '../users/person-head.ts';
import { undoPath, undoRoutes } from './undo.ts';
import type { AccountPanel } from './views.ts';
import { accountStatus, deliveryLine, endBanner, outcomeStatus } from './words.ts';

/** Receipts of one module on the person's page; the list of the module has them all. */
const shown = 5;

function factsOf({ account }: AccountReceipts, desk: Desk): { label: string; value: string }[] {
  if (!account) return [];
  const when = (at: Date | null) => (at ? desk.moment(at).exact : '');
  return [
    { label: 'Account', value: account.userName },
    { label: 'Administrator there', value: account.isAdministrator ? 'Yes' : '' },
    { label: 'Suspended', value: account.life === 'suspended' ? when(account.suspendedAt) : '' },
    { label: 'Held until', value: when(account.heldUntil) },
    { label: 'Because', value: account.lifeReason ?? '' },
    { label: 'Last confirmed', value: desk.moment(account.confirmedAt).text },
  ].filter(({ value }) => value !== '');
}

function panelOf(receipts: AccountReceipts, userId: string, desk: Desk): AccountPanel {
  const { instanceId, instance, module, icon, deliveries } = receipts;
  const isConnected = module !== '';
  return {
    instance,
    module: module === instance ? '' : module,
    icon,
    status: accountStatus(receipts),
    facts: factsOf(receipts, desk),
    deliveries: deliveries.slice(0, shown).map((one) => deliveryLine(one, desk)),
    all: isConnected && deliveries.length > shown ? `${instancePath(instanceId, 'deliveries')}?user=${userId}` : null,
    demand: isConnected ? `${instancePath(instanceId, 'provision')}?user=${userId}` : null,
    undo: receipts.account?.life === 'suspended' ? undoPath(userId, instanceId) : null,
  };
}

const accounts: DeskHandler = async (ctx, runtime, desk) => {
  const person = await personAt(ctx, desk);
  const { user } = person;
  const facts = await readEndFacts(desk.work, await getLeaver(desk.work, desk.companyId, user.id));
  const banner = endBanner(endOfAccess(facts), desk);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/deliveries/person', title: `${fullName(user)}: module accounts`, place: 'users' },
    {
      head: await headOf(person, desk, 'accounts'),
      end: banner && { ...banner, href: `${personPath(user.id)}/end-of-access` },
      accounts: facts.accounts.map((one) => panelOf(one, user.id, desk)),
    },
  );
};

const end: DeskHandler = async (ctx, runtime, desk) => {
  const userId = idParam(ctx, 'person', 'person');
  const { leaver, end, events } = await readEndOfAccess(desk.work, desk.companyId, userId);
  const banner = endBanner(end, desk);
  // Somebody with access has no end to show; their accounts are what there is to see.
  if (!banner) return seeOther(ctx, `${personPath(userId)}/accounts`);
  const sentences = await told(
    desk,
    events.map(
      (event): AuditRow => ({
        ...event,
        company_id: desk.companyId,
        target_kind: 'user',
        target_id: userId,
        code: null,
        ip: null,
        agent: null,
      }),
    ),
  );
  const isGone = leaver.status === 'Deleted';
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/deliveries/end', title: `End of access: ${leaver.name}`, place: 'users' },
    {
      name: leaver.name,
      lead: `${leaver.username} · ${leaver.email} · ${leaver.status}`,
      back: isGone
        ? { href: usersPath, label: 'Users' }
        : { href: `${personPath(userId)}/accounts`, label: leaver.name },
      banner,
      lines: end.lines.map(({ subject, outcome, at, sentence }) => ({
        subject,
        status: outcomeStatus(outcome),
        at: outcome === 'ended' && at ? desk.moment(at) : null,
        sentence,
      })),
      events: sentences.map(({ sentence, at }, i) => {
        const chain = events[i]?.chain;
        return { sentence, at, chain: chain ? `${chain.seq}:${chain.hash}` : 'Not sealed yet; it is within a minute.' };
      }),
      download: `${personPath(userId)}/end-of-access`,
      verify: `${desk.work.config.publicUrl}/jwks`,
    },
  );
};

/** The signed proof as a file. */
const download: DeskHandler = async (ctx, _runtime, desk) => {
  const userId = idParam(ctx, 'person', 'person');
  const { jws, leaver } = await proveEndOfAccess(desk.work, desk.companyId, userId);
  ctx.attachment(`end-of-access-${leaver.username.replaceAll(/[^\w.-]/g, '_')}.jws`);
  ctx.type = 'application/jose';
  ctx.body = jws;
};

const at = `${usersPath}/:person`;

export const personAccountRoutes: Route[] = [
  { method: 'get', path: `${usersPath}/:id/accounts`, handle: deskOf('users.manage', accounts) },
  { method: 'get', path: `${at}/end-of-access`, handle: deskOf('users.manage', end) },
  { method: 'post', path: `${at}/end-of-access`, handle: deskOf('users.manage', download) },
  ...undoRoutes,
];
