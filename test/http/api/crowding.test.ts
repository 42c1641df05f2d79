// One module that asks for too much at once waits for itself, and nobody else for it (DOS-07).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany } from '../../support/people.ts';

let app: TestApp;
let company: Company;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app);
});
afterAll(() => app.stop());

describe('a module whose calls stand in line', () => {
  it('keeps no connection from others, is done in the end, and is told when there are too many (429)', async () => {
    const crowding = await makeConnected(app, company);
    const other = await makeConnected(app, company);
    let letGo = () => {};
    const isHeld = Promise.withResolvers<void>();
    const held = app.runtime.db.transaction(async (trx) => {
      await trx('module_instances').where({ id: crowding.instanceId }).forUpdate().first();
      isHeld.resolve();
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
    });
    await isHeld.promise;
    const crowd = Array.from({ length: 260 }, () => crowding.api.post('/instance/credentials'));
    // Whoever is refused is told so before anybody's turn comes.
    const refused = await Promise.race(crowd);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1']);
    const began = Date.now();
    for (let i = 0; i < 5; i += 1) expect((await other.api.get('/instance/settings')).status).toBe(200);
    expect(Date.now() - began).toBeLessThan(2000);
    letGo();
    await held;
    const answers = (await Promise.all(crowd)).map(({ status }) => status);
    expect(new Set(answers)).toEqual(new Set([201, 429]));
    expect(answers.filter((status) => status === 201).length).toBe(204);
    expect((await crowding.api.post('/instance/credentials')).status).toBe(201);
  });
});
