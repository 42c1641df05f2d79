// A.3, A.4: an administrator adds one person by the form, and many by a file: mends what was wrong, and takes it all back.
import { readFile } from 'node:fs/promises';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGroup } from '../../src/domain/groups/commands.ts';
import { useBrowser } from '../support/browser.ts';
import { expectGoodLooks, phone } from '../support/look.ts';
import { makePerson, type TestPerson } from '../support/people.ts';
import { type Stage, setStage, workplaceTeam } from '../support/stage.ts';
import { logIn } from '../support/steps.ts';

const head = 'Username,Email,Role,Groups,First Name,Last Name';
const csv = (...lines: string[]) => ({
  name: 'users.csv',
  mimeType: 'text/csv',
  buffer: Buffer.from([head, ...lines, ''].join('\r\n')),
});

describe('an administrator', { timeout: 90_000 }, () => {
  const browser = useBrowser();
  let stage: Stage;
  let admin: TestPerson;

  beforeAll(async () => {
    stage = await setStage([], { FAILURES_PER_ADDRESS: '100000' });
    admin = await makePerson(stage.app, stage.company, { username: 'ada', role: 'Admin' });
    await createGroup(stage.app.operator(), stage.company.id, { name: 'Field', isActive: false });
  });
  afterAll(() => stage?.stop());

  const find = (username: string) => stage.app.runtime.store.of(stage.company.id).users.findByUsername(username);

  async function at(path: string, options: Parameters<typeof browser.open>[0] = {}): Promise<Tab> {
    const tab = await browser.open(options);
    await tab.goto(`${stage.app.url}${path}`);
    await logIn(tab, stage.app, admin);
    await tab.waitForURL(`${stage.app.url}${path}`);
    return tab;
  }

  const count = async (tab: Tab, label: string) =>
    tab.locator('.counts div', { hasText: label }).locator('dd').textContent();

  it('A3.4, D.10 no. 1 adds a user: each field is checked on leaving it, and a long e-mail is not cut', async () => {
    const tab = await at('/admin/users');
    await tab.getByText('Add User', { exact: true }).click();
    await tab.getByRole('link', { name: 'New User' }).click();
    await tab.getByRole('heading', { level: 1, name: 'New User' }).waitFor();
    await tab.getByLabel('First Name').fill('Grace😀');
    await tab.getByLabel('Last Name').fill('Hopper');
    await tab.getByText('The first name may hold letters, digits, spaces, dashes and apostrophes only.').waitFor();
    const invalid = () => tab.getByLabel('First Name').getAttribute('aria-invalid');
    await expect.poll(invalid).toBe('true');
    await tab.getByLabel('First Name').fill('Grace');
    const long = `${'grace.'.repeat(8)}@mail.example`;
    await tab.getByLabel('Email').fill(long);
    expect(await tab.getByLabel('Username').inputValue(), 'the prefill is whole').toBe(long);
    await tab.getByRole('combobox', { name: 'Role' }).focus();
    await tab.getByText('A username has 50 characters at most. Choose a shorter one.').waitFor();
    await expect.poll(invalid, { message: 'mended' }).toBeNull();
    await tab.getByLabel('Username').fill('grace');
    await tab.getByLabel('Email').fill('grace@mail.example');
    expect(await tab.getByLabel('Username').inputValue(), 'once written, it stays').toBe('grace');
    await tab.getByRole('combobox', { name: 'Role' }).selectOption('User');
    expect(await tab.getByText('Inactive Group').count()).toBe(1);
    await tab.getByLabel('No Module Access').check();
    expect(await tab.getByLabel('All Module Access').isChecked(), 'C19').toBe(false);
    await tab.getByLabel(workplaceTeam).check();
    expect(await tab.getByLabel('No Module Access').isChecked(), 'C19').toBe(false);
    await tab.getByRole('button', { name: 'Add' }).click();
    await tab.getByText('Grace Hopper is invited. The invitation goes to grace@mail.example.').waitFor();
    expect(await find('grace')).toMatchObject({ baseStatus: 'Invited' });
  });

  it('A4.6, C17 invites by a file that starts by itself, mends the failed rows, uploads them again, and takes the import back', async () => {
    const tab = await at('/admin/users');
    await tab.getByText('Add User', { exact: true }).click();
    await tab.getByRole('link', { name: 'Bulk Invite CSV' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Bulk Invite Users' }).waitFor();
    const [template] = await Promise.all([
      tab.waitForEvent('download'),
      tab.getByRole('link', { name: 'download our template and instructions' }).click(),
    ]);
    expect(template.suggestedFilename()).toBe('users.zip');
    expect(
      await tab.getByRole('button', { name: 'Upload and invite' }).isVisible(),
      'with a script none is needed',
    ).toBe(false);

    await tab
      .getByLabel('Drag your CSV file here')
      .setInputFiles(
        csv(
          'ivy,ivy@mail.example,User,All Module Access,Ivy,Right',
          'jon,jon@mail.example,user,Workplace Team;Field,Jon,Right',
          'kim,kim@mail.example,User,field,Kim,Wrong',
          'ada,other@mail.example,User,Field,Ada,There',
        ),
      );
    await tab.getByRole('heading', { level: 1, name: 'Invite 4 people from users.csv' }).waitFor();
    await tab.getByText('What was not done, and why').waitFor();
    expect(await count(tab, 'Imported')).toBe('2');
    expect(await count(tab, 'Skipped')).toBe('1');
    expect(await count(tab, 'Failed')).toBe('1');
    await tab.getByRole('cell', { name: 'There is no group named "field". Names must match to the letter.' }).waitFor();
    const imported = tab.url();

    const [download] = await Promise.all([
      tab.waitForEvent('download'),
      tab.getByRole('link', { name: 'Failed rows' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('failed-rows.csv');
    const failed = await readFile(await download.path(), 'utf8');
    await tab.goto(`${stage.app.url}/admin/users/import`);
    await tab.getByLabel('Drag your CSV file here').setInputFiles({
      name: 'failed-rows.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(failed.replace(',field,', ',Field,')),
    });
    await tab.getByRole('heading', { level: 1, name: 'Invite 1 person from failed-rows.csv' }).waitFor();
    await tab.getByRole('link', { name: 'Done' }).waitFor();
    expect(await count(tab, 'Imported')).toBe('1');
    expect(await find('kim')).toMatchObject({ baseStatus: 'Invited' });

    await tab.goto(imported);
    await tab.getByRole('link', { name: 'Take this import back' }).click();
    await tab.getByText('Taking it back deletes 2 people').waitFor();
    await tab.getByRole('button', { name: 'Delete 2 people' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Take back: Invite 4 people from users.csv' }).waitFor();
    await tab.getByRole('link', { name: 'Done' }).waitFor();
    expect(await count(tab, 'Deleted')).toBe('2');
    expect(await find('ivy')).toBeNull();
    expect(await find('kim'), 'of another import').not.toBeNull();
  });

  it('A4.6 drops the file anywhere in the zone; one that is too large is told at once and not sent', async () => {
    const tab = await at('/admin/users/import');
    // What the system's file manager would hand over.
    const drop = (bytes: number) =>
      tab.evaluate(`{
        const input = document.querySelector('#file');
        const transfer = new DataTransfer();
        const text = ${JSON.stringify(`${head}\nlou,lou@mail.example,User,All Module Access,Lou,Dropped\n`)};
        transfer.items.add(new File([text, 'x'.repeat(${bytes})], 'dropped.csv', { type: 'text/csv' }));
        input.files = transfer.files;
        input.dispatchEvent(new Event('change', { bubbles: true }));
      }`);
    const box = await tab.locator('[data-drop-zone]').boundingBox();
    const field = await tab.locator('#file').boundingBox();
    expect(
      field && box && field.width >= box.width - 8 && field.height >= box.height - 8,
      'the field covers the zone',
    ).toBe(true);
    await drop(11_000_000);
    await tab.getByText('This file is larger than 10 MB.').waitFor();
    expect(new URL(tab.url()).pathname).toBe('/admin/users/import');
    await drop(0);
    await tab.getByRole('heading', { level: 1, name: 'Invite 1 person from dropped.csv' }).waitFor();
    await tab.getByRole('link', { name: 'Done' }).waitFor();
    expect(await find('lou')).not.toBeNull();
  });

  it('without a script the same pages do the same', async () => {
    const tab = await at('/admin/users/import', { javaScriptEnabled: false });
    await tab.locator('#file').setInputFiles(csv('mia,mia@mail.example,User,All Module Access,Mia,Plain', '"open'));
    await tab.getByRole('button', { name: 'Upload and invite' }).click();
    await tab.getByRole('link', { name: 'Line 3: a quotation mark opens in this row and never closes.' }).waitFor();
    await tab.locator('#file').setInputFiles(csv('mia,mia@mail.example,User,All Module Access,Mia,Plain'));
    await tab.getByRole('button', { name: 'Upload and invite' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Invite 1 person from users.csv' }).waitFor();
    for (let i = 0; i < 50 && (await tab.getByRole('link', { name: 'Done' }).count()) === 0; i += 1) await tab.reload();
    expect(await find('mia')).not.toBeNull();
  });

  it('on a phone, in light and dark', async () => {
    const tab = await at('/admin/users/new', phone);
    await tab.getByLabel('First Name').fill('Zoë');
    await tab.getByLabel('Last Name').fill('Wrong<');
    await tab.getByLabel('Email').fill('grace@mail.example');
    await tab.getByRole('combobox', { name: 'Role' }).focus();
    await tab.getByText('The last name may hold').waitFor();
    await expectGoodLooks(tab, 'admin-users-new');
    await tab.goto(`${stage.app.url}/admin/users/import`);
    await expectGoodLooks(tab, 'admin-users-import');
    await tab
      .getByLabel('Drag your CSV file here')
      .setInputFiles(
        csv(
          'nia,nia@mail.example,User,All Module Access,Nia,Right',
          'nils,nia@mail.example,User,All Module Access,Nils,Right',
          'oli,not an address,King,field,Oli,Wrong',
          `${'p'.repeat(60)},p@mail.example,User,Field,Pat,Long`,
        ),
      );
    await tab.getByText('What was not done, and why').waitFor();
    await expectGoodLooks(tab, 'admin-tasks-page');
    await tab.getByRole('link', { name: 'Take this import back' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Take this import back?' }).waitFor();
    await expectGoodLooks(tab, 'admin-tasks-undo');
  });
});
