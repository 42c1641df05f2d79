// API-13: the operator's command that checks the audit log.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand } from '../../../src/cli/commands.ts';
import { parseOptions } from '../../../src/cli/options.ts';
import { sealEvents } from '../../../src/domain/audit/sealing.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson } from '../../support/people.ts';

interface Answer {
  intact: boolean;
  entries: number;
  waiting: number;
  head: string | null;
  firstTouched: { touch: string; seq: number | null; eventId: string | null; sentence: string } | null;
}

describe('verify-audit', () => {
  let app: TestApp;
  let company: Company;

  beforeAll(async () => {
    app = await startApp();
    company = await makeCompany(app, 'Northwind');
    await makeCompany(app, 'Contoso');
    await makePerson(app, company);
  });
  afterAll(() => app.stop());

  async function verify(...args: string[]) {
    const command = findCommand('verify-audit');
    if (!command) throw new Error('there is no such command');
    const { json, text, failed } = await command.run({
      runtime: app.runtime,
      work: app.operator(),
      options: parseOptions(command.options, args),
      readStandardInput: async () => '',
      readFile: async () => Buffer.alloc(0),
    });
    return { ...(json as Answer), text, failed: failed === true };
  }

  it('says so while nothing is sealed', async () => {
    expect(await verify()).toMatchObject({ intact: true, entries: 0, head: null, failed: false });
    expect((await verify()).waiting, 'two companies and a person').toBe(3);
    expect((await verify('--expect', `3:${'ab'.repeat(32)}`)).firstTouched).toMatchObject({
      touch: 'unsealed',
      seq: 1,
    });
  });

  it('prints the head, which a later run takes back, also when the chain has grown', async () => {
    await sealEvents(app.operator());
    const first = await verify();
    expect(first).toMatchObject({ intact: true, waiting: 0, failed: false, firstTouched: null });
    expect(first.head).toMatch(new RegExp(`^${first.entries}:[0-9a-f]{64}$`));
    expect(first.text).toContain(`Head: ${first.head}`);
    await makePerson(app, company);
    await sealEvents(app.operator());
    const later = await verify('--expect', first.head ?? '', '--company', 'Northwind');
    expect(later).toMatchObject({ intact: true, failed: false });
    expect(later.entries).toBeGreaterThan(first.entries);
    const wrong = `${first.entries}:${'ab'.repeat(32)}`;
    expect(await verify('--expect', first.head ?? '', '--expect', wrong)).toMatchObject({
      intact: false,
      failed: true,
      firstTouched: { touch: 'rewritten', seq: first.entries },
    });
  });

  it('names the first event that was touched, in words, and fails', async () => {
    const { db } = app.runtime;
    await db.raw('alter table audit_events disable trigger user');
    await db.raw('grant update on audit_events to current_user');
    await db.raw(`update audit_events set details = details || '{"x": 1}' where company_id = ?`, [company.id]);
    const found = await verify();
    const [first] = await db('audit_events').where({ company_id: company.id }).min({ id: 'id' });
    expect(found).toMatchObject({
      intact: false,
      failed: true,
      firstTouched: { touch: 'changed', eventId: String(first?.id) },
    });
    expect(found.text).toContain(`event ${first?.id}, company.create`);
    expect(found.text).toContain('The event was changed after it had been sealed.');
    expect(await verify('--company', 'Contoso'), 'of others, nothing was touched').toMatchObject({
      intact: true,
      failed: false,
    });
    expect(await verify('--company', 'Northwind')).toMatchObject({ intact: false, failed: true });
  });

  it.each(['x', '1', '0:ab', `-1:${'ab'.repeat(32)}`, `1:${'zz'.repeat(32)}`])('refuses %j as a head', async (head) => {
    await expect(verify('--expect', head)).rejects.toMatchObject({ status: 422 });
  });

  it('refuses a company that there is not', async () => {
    await expect(verify('--company', 'Nobody')).rejects.toMatchObject({ status: 404 });
  });
});
