// What no page of ours would send: every address of the console answers it with a refusal, never with a failure of its own.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { addException } from '../../../src/domain/integrations/exception-commands.ts';
import { startTask } from '../../../src/domain/tasks/commands.ts';
import { newId } from '../../../src/lib/ids.ts';
import { makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { tellAccount } from '../../support/connected.ts';
import { type AtDesk, atDesk } from '../../support/console.ts';
import { consolePlaces } from '../../support/console-routes.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { furnishSso } from '../../support/sso.ts';
import { formsOf, type Page } from '../../support/visitor.ts';

const nonsense: [what: string, value: string][] = [
  ['a quote', `' or 1=1 --`],
  ['marks of patterns', '%_\\'],
  ['half a letter', `${'a'.repeat(99)}😀${'a'.repeat(99)}😀`],
  ['a large number', '99999999999999999999'],
  ['a number that is too large for a table', '999999999'],
  ['a negative number', '-1'],
  ['a far day', '275760-09-13T00:00'],
  ['an early day', '0000-01-01T00:00'],
  ['a name of every object', '__proto__'],
  ['another one', 'constructor'],
  ['an id of nobody', '00000000-0000-4000-8000-000000000000'],
  ['a query inside', 'q=%00&page=1e308&size=-1&show=%00&sort=__proto__&group=%27&role=x&status=y'],
  ['an address', 'https://[::1'],
  ['a network', '::ffff:1.2.3.4/200'],
  ['braces', '{name}{link}{constructor}'],
  ['nothing', ''],
];

const asked = [
  ...[
    'q',
    'page',
    'size',
    'sort',
    'direction',
    'role',
    'status',
    'group',
    '2fa',
    'show',
    'state',
    'kind',
    'before',
    'after',
  ],
  ...[
    'person',
    'action',
    'range',
    'from',
    'to',
    'ip',
    'code',
    'days',
    'email',
    'username',
    'firstName',
    'lastName',
    'on',
  ],
];
const typed = [
  ...[
    'act',
    'active',
    'all',
    'confirmed',
    'format',
    'go',
    'group',
    'hidden',
    'individual',
    'instance',
    'losing',
    'move',
  ],
  ...[
    'name',
    'on',
    'order',
    'q',
    'query',
    'role',
    'session',
    'show',
    'username',
    'version',
    'was',
    'who',
    'field',
    'id',
  ],
  ...['module', 'shown', 'chosen', 'firstName', 'lastName', 'email', 'phone', 'timeZone', 'network', 'note', 'subject'],
  ...[
    'heading',
    'intro',
    'outro',
    'senderName',
    'replyTo',
    'fromAddress',
    'person',
    'ip',
    'code',
    'from',
    'to',
    'reactivate',
    'enabled',
    'require',
    'provisioning',
    'deprovisioning',
    'values.permission',
    'values.timeZone',
    'graceDays',
    'removal',
    'override',
    'account',
    'endsAt',
    'noEnd',
    'permission',
  ],
  ...[
    'product',
    'domain',
    'ticket',
    'act',
    'on',
    'test',
    'claim',
    'value',
    'stops',
    'outcome',
    'clientSecret',
    'enabled',
  ],
  ...['ssoUrl', 'sloUrl', 'entityId', 'certificates', 'metadataUrl', 'issuer', 'clientId'].map(
    (one) => `settings.${one}`,
  ),
  ...['email', 'groups', 'companyIdentifier'].map((one) => `attributes.${one}`),
  ...['creation.role', 'creation.on', 'asksSecondFactor'],
];

describe('nonsense at the doors of the console', () => {
  let app: TestApp;
  let company: Company;
  let admin: AtDesk;
  let csrf: string;
  let draft: string;
  let addresses: { method: 'get' | 'post'; pattern: string; address: string }[];

  beforeAll(async () => {
    app = await startApp();
    company = await makeCompany(app);
    admin = await atDesk(app, company);
    const { user } = await makePerson(app, company);
    await app.runtime.store.mails.suppress(user.email, 'no such mailbox', app.clock.now());
    const group = await createGroup(app.operator(), company.id, { name: 'Field', isActive: true });
    const { instanceId } = await makeConnected(app, company, { product: { product: 'workplace' } });
    await tellAccount(app, company, instanceId, { id: 'root' });
    const exception = await addException(app.operator(), company.id, instanceId, {
      accountId: 'root',
      kind: 'emergency',
      reason: 'In the safe',
      endsAt: null,
      noEnd: true,
    });
    const rows = [{ position: 1, label: 'x', data: {}, userId: null }];
    const task = await startTask(app.operator(), company.id, { kind: 'csv', title: 'Do', params: {}, rows });
    const { imports } = app.runtime.store.of(company.id);
    draft = newId();
    await imports.insert({ id: draft, ownerId: admin.person.user.id, instanceId }, app.clock.now());
    const person = {
      externalId: '1',
      username: 'x',
      email: 'x@x.example',
      firstName: 'X',
      lastName: 'X',
      isActive: true,
    };
    await imports.addCandidates(draft, 0, [person]);
    await imports.update(draft, { state: 'ready' }, app.clock.now());
    const things = {
      user: user.id,
      group: group.id,
      task: task.id,
      event: '1',
      instance: instanceId,
      exception: exception.id,
      ...(await furnishSso(app, company, user.id)),
    };
    addresses = consolePlaces(things)
      // Take no field, and would leave nothing for the others.
      .filter(
        ({ method, pattern }) =>
          method === 'get' ||
          !/\/(disconnect|exceptions\/:exception\/remove|sso\/.*\/(remove|delete|drop))$/.test(pattern),
      )
      .map((place) => ({ ...place, address: place.address.replace(':draft', draft) }));
    const [form] = formsOf(await admin.visitor.open('/settings/profile'));
    csrf = form?.values.csrf ?? '';
  });
  afterAll(() => app.stop());

  const failures = async (method: 'get' | 'post', send: (address: string) => Promise<Page>) => {
    const failed: string[] = [];
    for (const { address, pattern } of addresses.filter((place) => place.method === method)) {
      const { status } = await send(address);
      if (status >= 500) failed.push(`${method} ${pattern}: ${status}`);
    }
    return failed;
  };

  it.each(nonsense)('API-07 in every query: %s', async (_what, value) => {
    const query = new URLSearchParams(Object.fromEntries(asked.map((name) => [name, value])));
    expect(await failures('get', (address) => admin.visitor.send(`${address}?${query}`))).toEqual([]);
  });

  it.each(nonsense)('API-03, API-07 in every field: %s', async (_what, value) => {
    const form = { csrf, ...Object.fromEntries(typed.map((name) => [name, value])) };
    expect(await failures('post', (address) => admin.visitor.send(address, { form }))).toEqual([]);
  });

  it.each(nonsense)('API-07 in every field of a form that is confirmed: %s', async (_what, value) => {
    const form = {
      csrf,
      ...Object.fromEntries(typed.map((name) => [name, value])),
      confirmed: 'yes',
      all: 'yes',
      who: 'all',
      account: 'root',
    };
    expect(await failures('post', (address) => admin.visitor.send(address, { form }))).toEqual([]);
  });
});
