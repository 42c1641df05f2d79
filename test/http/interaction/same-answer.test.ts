// AUT-05, C7, D.5: whoever is named and whatever is wrong, the answer is the same, and takes as long.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policySchema } from '../../../src/domain/companies/company.ts';
import { activateUser, deactivateUser, inviteUser, unlockUser } from '../../../src/domain/users/commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  type Names,
  namesOf,
  type Place,
  reload,
  tryCode,
  tryPassword,
  tryWrong,
  wrongPassword,
} from '../../support/attempts.ts';
import { freshCode, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import type { Page } from '../../support/visitor.ts';

let app: TestApp;
let ordinary: TestPerson;
/** Names of one length, so that even the length of the answer must be the same. */
const kinds: Record<string, Names> = {};
const kindNames = [
  'wrong password',
  'unknown user',
  'unknown company',
  'deactivated',
  'locked',
  'no password',
  'not signed up',
];

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000' } });
  const patient = { lock: { threshold: 100, minutes: 1439 } };
  const company = await makeCompany(app, 'Northwind IT', patient);
  await makeCompany(app, 'Another Company');
  const person = (username: string) => makePerson(app, company, { username });
  const locked = await person('locked-1');
  await tryWrong(app, namesOf(locked), 5);
  await app.runtime.store.companies.setPolicy(company.id, policySchema.parse({ lock: { threshold: 5 } }));
  await tryWrong(app, namesOf(locked), 1);
  await app.runtime.store.companies.setPolicy(company.id, policySchema.parse(patient));
  const gone = await person('gone-now');
  await deactivateUser(app.operator(), company.id, gone.user.id);
  const back = await person('back-now');
  await deactivateUser(app.operator(), company.id, back.user.id);
  await activateUser(app.operator(), company.id, back.user.id);
  const { user: invited } = await inviteUser(app.operator(), company.id, {
    firstName: 'In',
    lastName: 'Vited',
    email: 'invited1@example.com',
    username: 'invited1',
    role: 'User',
  });
  ordinary = await person('ordinary');
  kinds['wrong password'] = namesOf(ordinary);
  kinds['unknown user'] = { username: 'unknown1', company: company.name };
  kinds['unknown company'] = { username: 'ordinary', company: 'Southwind IT' };
  kinds.deactivated = namesOf(gone);
  kinds.locked = namesOf(locked);
  kinds['no password'] = namesOf(back);
  kinds['not signed up'] = { username: invited.username, company: company.name };
  expect((await reload(app, locked)).lockedUntil).not.toBeNull();
});
afterAll(() => app.stop());

/** Without what is random or was typed: tokens, ids, the support code, names. */
function bare(page: Page, { username, company }: Names) {
  const uid = /\/interaction\/([\w-]+)/.exec(page.url)?.[1] ?? page.url;
  const body = page.body
    .replaceAll(uid, 'UID')
    .replaceAll(/name="csrf" value="[^"]+"/g, 'CSRF')
    .replaceAll(/<code>[A-Z0-9]{4}-[A-Z0-9]{4}<\/code>/g, '<code>CODE-CODE</code>')
    .replaceAll(username, 'USERNAME')
    .replaceAll(company, 'COMPANY');
  const { date: _date, 'set-cookie': cookies = [], location, ...headers } = page.headers;
  const cookieNames = cookies.map((line) =>
    line
      .replace(/=[^;]*/, '')
      .replace(/expires=[^;]*/, 'expires')
      .replaceAll(uid, 'UID'),
  );
  return { status: page.status, headers, cookieNames, location: location?.replaceAll(uid, 'UID'), body };
}

const placeFor = (kind: string): Promise<Place> => atPassword(app, kinds[kind] as Names);

describe('the first screen', () => {
  it('AUT-05, D.5 step 1 goes on to the password, known or not', async () => {
    const answers = await Promise.all(
      kindNames.map(async (kind) => {
        const visitor = app.visitor();
        const names = kinds[kind] as Names;
        const first = await visitor.open('/login');
        const moved = await visitor.submitOnce(first, { ...names }, '/identify');
        return [bare(moved, names), bare(await visitor.follow(moved), names)];
      }),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.[0]).toMatchObject({ status: 303, location: '/interaction/UID' });
    expect(answers[0]?.[1]?.body).toContain('name="password"');
  });
});

describe('a refused password', () => {
  it.each(kindNames)(
    'AUT-05 %s: status, headers, cookies and every byte of the page are those of a wrong password',
    async (kind) => {
      const answer = async (of: string) => {
        const names = kinds[of] as Names;
        return bare(await tryPassword(await placeFor(of), wrongPassword), names);
      };
      const [one, other] = [await answer('wrong password'), await answer(kind)];
      expect(one.status).toBe(422);
      expect(one.body).toContain('That did not work.');
      expect(other).toEqual(one);
    },
  );

  it('AUT-05, C2 the right password of a deactivated, locked or reactivated person gets that same answer', async () => {
    const one = bare(
      await tryPassword(await placeFor('wrong password'), wrongPassword),
      kinds['wrong password'] as Names,
    );
    for (const kind of ['deactivated', 'locked', 'no password']) {
      const answer = await tryPassword(await placeFor(kind), 'Violet-Harbour-42');
      expect(bare(answer, kinds[kind] as Names), kind).toEqual(one);
    }
  });

  it('AUT-05, DOS-02 an overlong and an empty password get it, too, for known and unknown people', async () => {
    const one = bare(
      await tryPassword(await placeFor('wrong password'), wrongPassword),
      kinds['wrong password'] as Names,
    );
    for (const password of ['', 'x'.repeat(1025), 'x'.repeat(50_000)])
      for (const kind of ['wrong password', 'unknown user'])
        expect(bare(await tryPassword(await placeFor(kind), password), kinds[kind] as Names), kind).toEqual(one);
  });

  it('AUT-05 the administrator’s code, and only it, tells the reasons apart', async () => {
    const reasons: unknown[] = [];
    for (const kind of kindNames) {
      const page = await tryPassword(await placeFor(kind), wrongPassword);
      const code = /<code>([A-Z0-9]{4}-[A-Z0-9]{4})<\/code>/.exec(page.body)?.[1] ?? '';
      reasons.push((await app.runtime.store.audit.listRecent(1, { code }))[0]?.details.reason);
    }
    expect(reasons).toEqual([
      'wrong-password',
      'unknown-user',
      'unknown-company',
      'deactivated',
      'locked',
      'no-password',
      'not-signed-up',
    ]);
  });

  it('AUT-05 takes as long for everybody', { timeout: 180_000 }, async () => {
    const places = await Promise.all(kindNames.map(placeFor));
    const times = kindNames.map((): number[] => []);
    const medians = () => times.map((list) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0);
    const spread = () => Math.max(...medians()) - Math.min(...medians());
    // On a busy machine the medians of forty may lie apart by chance: then more tries bring them together, a true difference never.
    for (let batch = 0; batch < 4 && (batch === 0 || spread() >= 15); batch += 1) {
      await unlockUser(app.operator(), ordinary.company.id, ordinary.user.id);
      for (let round = 0; round < 40; round += 1) {
        // Each round begins with another kind, so that none profits from its place.
        for (let i = 0; i < kindNames.length; i += 1) {
          const kind = (i + round) % kindNames.length;
          const startedAt = performance.now();
          await tryPassword(places[kind] as Place, `${wrongPassword}-${round}`);
          times[kind]?.push(performance.now() - startedAt);
        }
      }
    }
    const report = medians().map((median, i) => `${kindNames[i]} ${median.toFixed(1)} ms`);
    expect(spread(), report.join(', ')).toBeLessThan(15);
    // An answer without a hash would be here in a few milliseconds.
    expect(Math.min(...medians()), report.join(', ')).toBeGreaterThan(Math.max(...medians()) / 2);
  });
});

describe('a refused code', () => {
  it('AUT-05 wrong, malformed, used, of a locked and of a deactivated person: one answer', async () => {
    const company = await makeCompany(app, 'Eastwind IT');
    const make = (username: string) => makePerson(app, company, { username });
    const [wrong, bad, used, locked, gone] = [
      await make('wrong-01'),
      await make('badly-01'),
      await make('used--01'),
      await make('locked01'),
      await make('gone--01'),
    ];
    const answers: ReturnType<typeof bare>[] = [];
    const refused = async (person: typeof wrong, place: Place, code: string) =>
      answers.push(bare(await tryCode(place, code), namesOf(person)));
    await refused(wrong, await atCode(app, wrong), '000000');
    await refused(bad, await atCode(app, bad), 'abc');
    const [first, again] = [await atCode(app, used), await atCode(app, used)];
    const code = await freshCode(app, used);
    await tryCode(first, code);
    await refused(used, again, code);
    const held = await atCode(app, locked);
    await tryWrong(app, namesOf(locked), 5);
    await refused(locked, held, await freshCode(app, locked));
    const late = await atCode(app, gone);
    await deactivateUser(app.operator(), company.id, gone.user.id);
    await refused(gone, late, await freshCode(app, gone));
    expect(answers[0]).toMatchObject({ status: 422 });
    expect(answers[0]?.body).toContain('That code did not work.');
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });
});

describe('a company’s own address', () => {
  it('B.1, AUT-05 an unknown Company Login URL is the general page and says nothing', async () => {
    const general = await app.visitor().open('/login');
    const unknown = await app.visitor().open('/login/no-such-company');
    const none = { username: '-none-', company: '-none-' };
    expect(bare(unknown, none).body).toBe(bare(general, none).body);
  });
});
