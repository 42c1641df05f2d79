// Links between accounts and people that are made or ended by hand (C28).
import type { InstanceDetail } from '../../../domain/integrations/instance-queries.ts';
import { findAccount, linkAccount, unlinkAccount } from '../../../domain/provisioning/drift-commands.ts';
import { accountWords } from '../../../domain/provisioning/drift-judge.ts';
import { suggestForLink } from '../../../domain/provisioning/drift-queries.ts';
import { fullName } from '../../../domain/users/user.ts';
import { invalid, notFound } from '../../../lib/errors.ts';
import { isId, type UserId } from '../../../lib/ids.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { askFirst, type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { instanceAt, instanceHead } from '../modules/instance-head.ts';
import { searchOf } from './report.ts';
import { accountsPath } from './words.ts';

/** Ids of modules are any text: they travel in the query and in the form, never in the path. */
function accountIdOf(text: string | null | undefined): string {
  if (!text || text.length > 200 || text.includes('\0')) throw notFound('account');
  return text;
}

interface Asked {
  instance: InstanceDetail;
  accountId: string;
  search: string;
  problem: (FormProblem & { fields: Record<string, string> }) | null;
}

async function drawLink(ctx: Context, runtime: Runtime, desk: Desk, asked: Asked): Promise<void> {
  const { instance, accountId, search, problem } = asked;
  const { account, person } = await findAccount(desk.work, desk.companyId, instance.id, accountId);
  // Without a search: whoever has the same address, or the same name.
  const wanted = search || account.email || `${account.firstName} ${account.lastName}`;
  const people = person ? [] : await suggestForLink(desk.work, desk.companyId, instance.id, wanted);
  const name = account.userName || account.email || account.externalId;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-accounts/link', title: `Link ${name}`, place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'accounts'),
      back: accountsPath(instance.id),
      account: {
        name,
        facts: [
          { label: 'Name', value: `${account.firstName} ${account.lastName}`.trim() },
          { label: 'E-mail', value: account.email },
          { label: 'At the module', value: accountWords(account) },
          { label: 'Belongs to', value: person ? fullName(person) : 'Nobody' },
        ].filter(({ value }) => value !== ''),
      },
      accountId,
      find: accountsPath(instance.id, 'link'),
      search,
      action: accountsPath(instance.id, 'link'),
      problem:
        problem ??
        (person
          ? {
              sentence: `This account belongs to ${fullName(person)} already. Unlink it first.`,
              field: null,
              code: null,
            }
          : null),
      isSearched: search !== '',
      people: people.map((one) => ({
        id: one.id,
        name: one.name,
        words: `${one.username}, ${one.email}, ${one.status}`,
      })),
    },
  );
}

const askLink: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const instance = await instanceAt(ctx, desk);
  const accountId = accountIdOf(query.get('account'));
  await drawLink(ctx, runtime, desk, { instance, accountId, search: searchOf(query), problem: null });
};

const link: DeskHandler = async (ctx, runtime, desk) => {
  const { form } = ctx.state;
  const instance = await instanceAt(ctx, desk);
  const accountId = accountIdOf(form.account);
  await orRedraw(
    ctx,
    async () => {
      const userId = form.person ?? '';
      if (!isId(userId)) throw invalid('Choose the person whose account this is.', { person: 'Choose a person.' });
      await linkAccount(desk.work, desk.companyId, {
        instanceId: instance.id,
        externalId: accountId,
        userId: userId as UserId,
      });
      setFlash(ctx, runtime, {
        kind: 'success',
        text: 'The account is linked. The next reading shows it in its place.',
      });
      seeOther(ctx, accountsPath(instance.id));
    },
    (problem) =>
      drawLink(ctx, runtime, desk, {
        instance,
        accountId,
        search: searchOf(new URLSearchParams({ q: form.q ?? '' })),
        problem: { ...problem, field: null },
      }),
  );
};

async function drawUnlink(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  { instance, accountId, problem }: Omit<Asked, 'search'>,
): Promise<void> {
  const { account, person } = await findAccount(desk.work, desk.companyId, instance.id, accountId);
  const name = account.userName || account.email || account.externalId;
  const who = person ? fullName(person) : 'nobody';
  await askFirst(ctx, runtime, desk, {
    place: 'instances',
    lead: `The account ${name} in ${instance.name} belongs to ${who} now.`,
    sentences: [
      `The account stays at the module as it is. It is not ${who}'s any more, and nothing that happens to them reaches it.`,
      `At the next login to ${instance.name} it is found by the address again, or a new account is made.`,
      'You can link it again at any time.',
    ],
    problem,
    action: accountsPath(instance.id, 'unlink'),
    hidden: [{ name: 'account', value: accountId }],
    cancel: accountsPath(instance.id),
    button: `Unlink ${name}`,
    isDanger: true,
  });
}

const askUnlink: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const accountId = accountIdOf(new URLSearchParams(ctx.querystring).get('account'));
  await drawUnlink(ctx, runtime, desk, { instance, accountId, problem: null });
};

const unlink: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const accountId = accountIdOf(ctx.state.form.account);
  await orRedraw(
    ctx,
    async () => {
      await unlinkAccount(desk.work, desk.companyId, { instanceId: instance.id, externalId: accountId });
      setFlash(ctx, runtime, { kind: 'success', text: 'The account belongs to nobody now.' });
      seeOther(ctx, accountsPath(instance.id));
    },
    (problem) => drawUnlink(ctx, runtime, desk, { instance, accountId, problem }),
  );
};

const guarded = (handle: DeskHandler) => deskOf('modules.manage', handle);

export const moduleLinkRoutes: Route[] = [
  { method: 'get', path: accountsPath(':instance', 'link'), handle: guarded(askLink) },
  { method: 'post', path: accountsPath(':instance', 'link'), handle: guarded(link) },
  { method: 'get', path: accountsPath(':instance', 'unlink'), handle: guarded(askUnlink) },
  { method: 'post', path: accountsPath(':instance', 'unlink'), handle: guarded(unlink) },
];
