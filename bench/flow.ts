// The code flow (RFC 6749 4.1 with PKCE, RFC 7636) as a relying party and a browser walk it together.

import { createHash, randomBytes } from 'node:crypto';
import { type Browser, createBrowser } from './client.ts';
import type { Client, Person } from './contender.ts';
import { type Form, readForms, wordsOf } from './forms.ts';
import { type Answer, header } from './http.ts';
import type { Target } from './target.ts';
import { totpCode } from './totp.ts';

export interface Tokens {
  accessToken: string;
  refreshToken: string | undefined;
}

export interface SignedIn {
  browser: Browser;
  tokens: Tokens;
}

const stepLimit = 20;

/** Everything that a person and a module do for one full sign-in, from a browser without cookies to the tokens. */
export async function signIn(target: Target, client: Client, person: Person): Promise<SignedIn> {
  const browser = createBrowser(target.http);
  const attempt = newAttempt(target, client, client === target.estate.offline);
  let url = attempt.url;
  let answer = await browser.get(url);
  for (let step = 0; step < stepLimit; step++) {
    const location = redirectOf(answer, url);
    if (location?.startsWith(client.redirectUri)) {
      return { browser, tokens: await redeem(target, client, attempt, location) };
    }
    if (location) {
      url = location;
      answer = await browser.get(url);
      continue;
    }
    const form = formOn(answer, url);
    url = new URL(form.action, url).href;
    answer = await browser.post(url, fill(form, person));
  }
  throw new Error(`no end of the sign-in after ${stepLimit} pages, last at ${url}`);
}

/** The silent way: a live session carries the browser straight back to the client. */
export async function passThrough(target: Target, browser: Browser, client: Client): Promise<Tokens> {
  const attempt = newAttempt(target, client, false);
  const answer = await browser.get(attempt.url);
  const location = redirectOf(answer, attempt.url);
  if (!location?.startsWith(client.redirectUri)) {
    throw new Error(`a page came up in a live session: ${answer.status} ${location ?? wordsOf(answer.body)}`);
  }
  return redeem(target, client, attempt, location);
}

interface Attempt {
  url: string;
  state: string;
  verifier: string;
}

function newAttempt(target: Target, client: Client, wantsRefreshToken: boolean): Attempt {
  const state = randomBytes(16).toString('base64url');
  const verifier = randomBytes(32).toString('base64url');
  const parameters = new URLSearchParams({
    client_id: client.id,
    redirect_uri: client.redirectUri,
    response_type: 'code',
    scope: wantsRefreshToken ? 'openid profile email offline_access' : 'openid profile email',
    state,
    nonce: randomBytes(16).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  // OpenID Connect Core 11: offline_access counts only together with prompt=consent.
  if (wantsRefreshToken) parameters.set('prompt', 'consent');
  return { url: `${target.endpoints.authorization}?${parameters}`, state, verifier };
}

async function redeem(target: Target, client: Client, attempt: Attempt, location: string): Promise<Tokens> {
  const answer = new URL(location).searchParams;
  const code = answer.get('code');
  if (!code || answer.get('state') !== attempt.state) throw new Error(`no code came back: ${location}`);
  const form = { grant_type: 'authorization_code', code, redirect_uri: client.redirectUri };
  return requestTokens(target, client, { ...form, code_verifier: attempt.verifier });
}

/** One request to the token endpoint, with HTTP Basic (RFC 6749 2.3.1). */
export async function requestTokens(target: Target, client: Client, form: Record<string, string>): Promise<Tokens> {
  const answer = await target.http.send(target.endpoints.token, { form, headers: basic(client) });
  expectOk(answer, 'token endpoint');
  const { access_token, refresh_token, id_token } = JSON.parse(answer.body) as Record<string, string | undefined>;
  if (!access_token) throw new Error('the token endpoint gave no access token');
  if (form.grant_type === 'authorization_code' && !id_token) throw new Error('the token endpoint gave no ID token');
  return { accessToken: access_token, refreshToken: refresh_token };
}

export function basic(client: Client): Record<string, string> {
  const credentials = `${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

export function expectOk(answer: Answer, place: string): void {
  if (answer.status !== 200) throw new Error(`${place}: ${answer.status} ${answer.body.slice(0, 200)}`);
}

function redirectOf(answer: Answer, url: string): string | undefined {
  const [location] = header(answer, 'location');
  return answer.status >= 300 && answer.status < 400 && location ? new URL(location, url).href : undefined;
}

const fillable = ['username', 'company', 'password', 'code'];

function formOn(answer: Answer, url: string): Form {
  const forms = readForms(answer.body);
  // A page without fields asks for consent: its first form agrees.
  const form =
    forms.find(({ fields }) => fillable.some((name) => fields.has(name))) ??
    forms.find(({ action }) => action.endsWith('/consent'));
  if (form && answer.status === 200) return form;
  throw new Error(`no form to fill at ${new URL(url).pathname}: ${answer.status} ${wordsOf(answer.body)}`);
}

function fill(form: Form, person: Person): URLSearchParams {
  const filled = new URLSearchParams([...form.given]);
  const put = (name: string, value: string | undefined): void => {
    if (form.fields.has(name) && value !== undefined) filled.set(name, value);
  };
  put('username', person.username);
  put('company', person.company);
  put('password', person.password);
  if (form.fields.has('code') && person.totpSecret) filled.set('code', totpCode(person.totpSecret));
  return filled;
}
