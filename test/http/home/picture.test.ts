// The one file that people send: their picture. What is wrong with it is said at its field, and the page stays a page (A1.5).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import { postRaw, signedInVisitor } from '../../support/attempts.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { formsOf, type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let person: TestPerson;
let visitor: Visitor;

beforeAll(async () => {
  app = await startApp();
  person = await makePerson(app, await makeCompany(app, 'Northwind IT'));
  visitor = await signedInVisitor(app, person);
});
afterAll(() => app.stop());

const megabyte = 1_048_576;
const pngStart = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** As a PNG begins, and so long. */
const png = (bytes: number) => Buffer.concat([pngStart, Buffer.alloc(bytes - pngStart.length)]);

async function upload(file: Buffer, options: { csrf?: string; path?: string; from?: Visitor } = {}): Promise<Page> {
  const { path = '/settings/picture', from = visitor } = options;
  const form = formsOf(await from.send('/settings/profile')).find(({ action }) => action === '/settings/picture');
  const csrf = options.csrf ?? form?.values.csrf ?? '';
  const body = Buffer.concat([
    Buffer.from(`--x\r\ncontent-disposition: form-data; name="csrf"\r\n\r\n${csrf}\r\n`),
    Buffer.from('--x\r\ncontent-disposition: form-data; name="picture"; filename="me.png"\r\n\r\n'),
    file,
    Buffer.from('\r\n--x--\r\n'),
  ]);
  return from.send(path, { body, headers: { 'content-type': 'multipart/form-data; boundary=x', origin: app.url } });
}

const stored = async () =>
  (await app.runtime.store.of(person.company.id).users.findPicture(person.user.id))?.bytes.length ?? null;

describe('a picture', () => {
  it('of up to 1 MB is kept', async () => {
    for (const size of [100_000, megabyte]) {
      expect((await upload(png(size))).status, String(size)).toBe(303);
      expect(await stored()).toBe(size);
    }
  });

  it.each([
    ['a byte', megabyte + 1],
    ['a photo', 12 * megabyte],
  ])(
    'WEB-13 that is too large by %s comes back to the profile, with the message at the field; the old one stays',
    async (_what, size) => {
      const { firstName } = person.user;
      await visitor.submit(await visitor.open('/settings/profile'), { firstName, phone: '+49 30 5557' });
      const before = await stored();
      const page = await upload(png(size));
      expect(page.status).toBe(422);
      expect(wordsOf(page)).toContain('That picture is larger than 1 MB. Choose a smaller one.');
      expect(page.body).toMatch(/<a href="#picture">/);
      expect(page.body).toMatch(/<input[^>]*id="picture"[^>]*aria-invalid="true"/);
      const profile = formsOf(page).find(({ action }) => action === '/settings/profile');
      expect(profile?.values).toMatchObject({ firstName, phone: '+49 30 5557' });
      expect(await stored()).toBe(before);
      // And the next one goes in from the very page.
      expect((await upload(png(2000))).status).toBe(303);
    },
  );

  it('WEB-06 a large one without the token of the form is refused like a small one', async () => {
    for (const size of [1000, 2 * megabyte]) expect((await upload(png(size), { csrf: 'wrong' })).status).toBe(403);
    const stranger = await upload(png(2 * megabyte), { from: app.visitor() });
    expect(stranger.status).toBe(403);
  });

  it('WEB-13 no other form takes a large file', async () => {
    expect((await upload(png(2 * megabyte), { path: '/settings/profile' })).status).toBe(413);
    expect((await postRaw(visitor, '/settings/picture', {})).status).toBe(422);
  });
});
