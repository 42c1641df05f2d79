// Every page of the console, filled, as a browser shows it: no violation of WCAG 2.2 AA that axe-core can find, in light and dark,
// and never wider than a phone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGroup } from '../../src/domain/groups/commands.ts';
import { addException } from '../../src/domain/integrations/exception-commands.ts';
import { startTask } from '../../src/domain/tasks/commands.ts';
import { startBulk } from '../../src/domain/users/bulk-commands.ts';
import { deactivateUser, inviteUser } from '../../src/domain/users/commands.ts';
import { makeConnected } from '../support/api.ts';
import { violationsOn } from '../support/axe.ts';
import { useBrowser } from '../support/browser.ts';
import { tellAccount } from '../support/connected.ts';
import { consolePlaces } from '../support/console-routes.ts';
import { phone } from '../support/look.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { furnishSso } from '../support/sso.ts';
import { type Stage, setStage, workplaceTeam } from '../support/stage.ts';
import { logIn } from '../support/steps.ts';

describe('every page of the console', { timeout: 240_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let addresses: string[];
  let admin: TestPerson;

  beforeAll(async () => {
    stage = await setStage(['ada', 'ben', 'max']);
    const { app, company } = stage;
    admin = await makePerson(app, company, { username: 'ada', role: 'Root Admin' });
    const ben = await makePerson(app, company, { username: 'ben', groups: [workplaceTeam] });
    await app.runtime.store.mails.suppress(ben.user.email, 'no such mailbox', app.clock.now());
    const gone = await makePerson(app, company, { username: 'max' });
    await deactivateUser(app.operator(), company.id, gone.user.id);
    await inviteUser(app.operator(), company.id, {
      firstName: 'Maximiliane Friederike Alexandra',
      lastName: 'Hohenstein-Oettingen',
      email: 'maximiliane.hohenstein-oettingen@operations.northwind.example',
      username: 'maximiliane.hohenstein-oettingen@northwind.example',
      role: 'Billing and Purchasing',
    });
    const group = await createGroup(app.operator(), company.id, { name: 'Nobody yet', isActive: false });
    const task = await startTask(app.operator(), company.id, {
      kind: 'bulk',
      title: 'Do nothing to one',
      params: {},
      rows: [{ position: 1, label: 'nobody', data: {}, userId: null }],
    });
    await startBulk(app.operator(), company.id, { act: 'add-to-group', groupId: group.id }, { ids: [ben.user.id] });
    const [event] = await app.runtime.db('audit_events').where({ action: 'user.deactivate' }).limit(1);
    const { instanceId } = await makeConnected(app, company, { product: { product: 'workplace' } });
    await tellAccount(app, company, instanceId, { id: 'root' });
    const exception = await addException(app.operator(), company.id, instanceId, {
      accountId: 'root',
      kind: 'emergency',
      reason: 'In the safe',
      endsAt: null,
      noEnd: true,
    });
    const things = {
      user: ben.user.id,
      group: group.id,
      task: task.id,
      event: String(event.id),
      instance: instanceId,
      exception: exception.id,
      ...(await furnishSso(app, company, ben.user.id)),
    };
    addresses = consolePlaces(things)
      // Fragments, files, and what needs something that is under way.
      .filter(
        ({ method, pattern }) =>
          method === 'get' &&
          !/:draft|failed-rows|preview|export|template|users\.zip|\/check|\/people$|addresses\/:id/.test(pattern),
      )
      .map(({ address }) => address);
    const [team] = await app.runtime.db('access_groups').where({ company_id: company.id, name: workplaceTeam });
    addresses.push(`/admin/users/${ben.user.id}/why?module=${instanceId}`);
    addresses.push(`/admin/modules/${instanceId}/exceptions?q=root`);
    addresses.push(
      '/admin/sso/new/oidc',
      '/admin/sso/break-glass?q=a',
      `/admin/sso/break-glass/new?person=${admin.user.id}`,
    );
    addresses.push(`/admin/modules/${instanceId}/exceptions/new?account=root`);
    addresses.push(`/admin/groups/${team.id}`, `/admin/users?q=nobody-at-all`, `/admin/users?status=Deactivated`);
  });
  afterAll(() => stage?.stop());

  it('has no violation that axe-core finds, in light and in dark, and fits a phone', async () => {
    const tab = await browser.open(phone);
    await tab.goto(stage.app.url);
    await logIn(tab, stage.app, admin);
    await tab.waitForURL(`${stage.app.url}/`);
    const complaints = new Set<string>();
    for (const address of addresses) {
      const answer = await tab.goto(new URL(address, stage.app.url).href);
      const type = answer?.headers()['content-type'] ?? '';
      if (!type.startsWith('text/html') || (answer?.status() ?? 0) >= 400) continue;
      for (const colorScheme of ['light', 'dark'] as const) {
        await tab.emulateMedia({ colorScheme });
        for (const violation of await violationsOn(tab)) complaints.add(`${address} in ${colorScheme}: ${violation}`);
        const width = await tab.evaluate<number>('document.documentElement.scrollWidth');
        if (width > 360) complaints.add(`${address} in ${colorScheme} is ${width} px wide`);
      }
    }
    expect([...complaints]).toEqual([]);
  });
});
