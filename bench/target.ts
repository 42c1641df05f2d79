// A running contender as the driver sees it: its endpoints, its clients, and people who are free to sign in.

import type { Estate, Person, Server } from './contender.ts';
import { createHttp, type Http } from './http.ts';
import { currentStep } from './totp.ts';

export interface Target {
  http: Http;
  issuer: string;
  discovery: string;
  endpoints: Endpoints;
  estate: Estate;
  people: People;
}

export interface Endpoints {
  authorization: string;
  token: string;
  userinfo: string;
  introspection: string;
  jwks: string;
}

export interface People {
  /** Somebody who has not used a code in the current time step. */
  next(): Person;
}

export async function openTarget(server: Server, estate: Estate, people: People): Promise<Target> {
  const http = createHttp();
  const discovery = `${server.issuer}/.well-known/openid-configuration`;
  const metadata: unknown = JSON.parse((await http.send(discovery)).body);
  const endpoint = (name: string): string => {
    const value = metadata instanceof Object ? Reflect.get(metadata, name) : undefined;
    if (typeof value !== 'string') throw new Error(`discovery of ${server.issuer} names no ${name}`);
    return value;
  };
  return {
    http,
    issuer: server.issuer,
    discovery,
    endpoints: {
      authorization: endpoint('authorization_endpoint'),
      token: endpoint('token_endpoint'),
      userinfo: endpoint('userinfo_endpoint'),
      introspection: endpoint('introspection_endpoint'),
      jwks: endpoint('jwks_uri'),
    },
    estate,
    people,
  };
}

/** Takes people in turn; a code is good once per person and time step, and one step older codes may still be open. */
export function takeTurns(people: Person[]): People {
  const lastUse = new Map<Person, number>();
  let turn = 0;
  return {
    next() {
      const person = people[turn++ % people.length];
      if (!person) throw new Error('nobody is there to sign in');
      const step = currentStep();
      if (person.totpSecret && step - (lastUse.get(person) ?? 0) < 2) {
        throw new Error(`all ${people.length} people have just signed in; give more with --people`);
      }
      lastUse.set(person, step);
      return person;
    },
  };
}
