// Tries at the screens of signing in, and what they leave behind: counters, mails, audit events, sessions.
import type { MailKind } from '../../src/domain/mails/mail.ts';
import { mailPurpose } from '../../src/domain/mails/mail.ts';
import type { User } from '../../src/domain/users/user.ts';
import type { TestApp } from './app.ts';
import { freshCode, givePassword, type TestPerson } from './people.ts';
import { formsOf, type Page, type SendOptions, Visitor } from './visitor.ts';

export interface Names {
  username: string;
  company: string;
}

export const namesOf = (person: TestPerson): Names => ({
  username: person.user.username,
  company: person.company.name,
});

export const wrongPassword = 'Wrong-Harbour-43';

/** What every refused password says, whatever the reason. */
export const refusedWords = /That did not work\. Check company, username and password\./;
export const refusedCodeWords = /That code did not work\./;

export interface Place {
  visitor: Visitor;
  page: Page;
}

/** The password screen, in this browser or a new one. */
export async function atPassword(app: TestApp, who: Names, visitor = app.visitor(), start = '/login'): Promise<Place> {
  const first = await visitor.open(start);
  const page = await visitor.submit(first, { username: who.username, company: who.company });
  return { visitor, page };
}

/** One try; the bare answer, no redirect followed. */
export function tryPassword({ visitor, page }: Place, password: string): Promise<Page> {
  return visitor.submitOnce(page, { password });
}

export async function tryWrong(app: TestApp, who: Names, times: number, visitor = app.visitor()): Promise<Page[]> {
  const place = await atPassword(app, who, visitor);
  const pages: Page[] = [];
  for (let i = 0; i < times; i += 1) pages.push(await tryPassword(place, `${wrongPassword}-${i}`));
  return pages;
}

/** The screen for the second factor, with the right password behind it. */
export async function atCode(
  app: TestApp,
  person: TestPerson,
  visitor = app.visitor(),
  start = '/login',
): Promise<Place> {
  return { visitor, page: await givePassword(visitor, await visitor.open(start), person) };
}

export function tryCode({ visitor, page }: Place, code: string): Promise<Page> {
  return visitor.submitOnce(page, { code }, '/code');
}

/** From the screen of the second factor to wherever the right code leads. */
export async function giveCode(app: TestApp, place: Place, person: TestPerson): Promise<Page> {
  return place.visitor.submit(place.page, { code: await freshCode(app, person) }, '/code');
}

/** A browser that is signed in at our own pages. */
export async function signedInVisitor(app: TestApp, person: TestPerson, visitor = app.visitor()): Promise<Visitor> {
  const page = await giveCode(app, await atCode(app, person, visitor), person);
  if (!isHome(page)) throw new Error(`not signed in: ${page.status} ${page.url}`);
  return visitor;
}

export const isHome = (page: Page): boolean => page.status === 200 && new URL(page.url).pathname === '/';

/** True while this browser's session lives: our own pages are drawn instead of a sign-in. */
export async function isSignedIn(visitor: Visitor): Promise<boolean> {
  return (await visitor.send('/settings/security')).status === 200;
}

/** Posts to an address of ours as a script without manners would: no form needed, the browser's own token with it. */
export async function postRaw(visitor: Visitor, address: string, fields: Record<string, string>): Promise<Page> {
  const form = formsOf(await visitor.send('/forgot/password'))[0];
  return visitor.send(address, { form: { csrf: form?.values.csrf ?? '', ...fields } });
}

/** The person as the database knows them now. */
export async function reload(app: TestApp, person: TestPerson): Promise<User> {
  const user = await app.runtime.store.of(person.company.id).users.findById(person.user.id);
  if (!user) throw new Error('the person is gone');
  return user;
}

export interface BrowserRow {
  browser_hash: string;
  failures: number;
  locked_until: Date | null;
}

export async function knownBrowsers(app: TestApp, person: TestPerson): Promise<BrowserRow[]> {
  return app.runtime.db<BrowserRow & { user_id: string }>('known_browsers').where({ user_id: person.user.id });
}

export interface SentMail {
  kind: MailKind;
  recipient: string;
  data: Record<string, unknown>;
  subject: string;
  text: string;
  html: string;
}

/** Mails to an address, oldest first, opened as the sender would. */
export async function mailsTo(app: TestApp, recipient: string, kind?: MailKind): Promise<SentMail[]> {
  const stored = await app.runtime.store.mails.listRecent(1000);
  return stored
    .filter((mail) => mail.recipient === recipient && (kind === undefined || mail.kind === kind))
    .reverse()
    .map((mail) => {
      const data = JSON.parse(app.runtime.keyring.open(mailPurpose, mail.sealedData ?? ''));
      return { kind: mail.kind, recipient: mail.recipient, data, ...app.runtime.composeMail(mail, data) };
    });
}

/** The path of the link in the newest mail of a kind. */
export async function linkIn(app: TestApp, recipient: string, kind: MailKind): Promise<string> {
  const mail = (await mailsTo(app, recipient, kind)).at(-1);
  return new URL(String(mail?.data.link)).pathname;
}

/** Details of the audit events about a person, newest first. */
export async function eventsOf(app: TestApp, person: TestPerson, action: string) {
  const rows = await app.runtime.store.audit.listRecent(1000, { action });
  return rows.filter((row) => row.target_id === person.user.id);
}

/** Waits for something that a job does; a busy machine is no failure. */
export async function until<T>(ask: () => Promise<T | false | null | undefined>, ms = 15_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A browser behind the trusted proxy, which names its address; or one that forges the header, where no proxy is trusted. */
export class VisitorFrom extends Visitor {
  readonly #address: string;

  constructor(app: TestApp, address: string) {
    super(app.url, app.port);
    this.#address = address;
  }

  override send(address: string, options: SendOptions = {}): Promise<Page> {
    return super.send(address, { ...options, headers: { 'x-forwarded-for': this.#address, ...options.headers } });
  }
}

/** Which step of signing in a page asks for, by where its form leads; otherwise its status. */
export function stepOf(page: Page): string {
  const steps = formsOf(page).flatMap(({ action }) => /^\/interaction\/[\w-]+\/([\w-]+)$/.exec(action)?.[1] ?? []);
  return steps.find((step) => step !== 'restart') ?? String(page.status);
}
