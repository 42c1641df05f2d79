// What clients-passport.test.ts uses of two packages that bring no types.
declare module 'passport' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { Strategy } from 'passport-openidconnect';

  type Done = (error: Error | null, user?: object | false, info?: object) => void;

  export class Passport {
    use(strategy: Strategy): this;
    authenticate(
      name: string,
      options: { session: boolean },
      done: Done,
    ): (request: IncomingMessage, response: ServerResponse, next: (error?: Error) => void) => void;
  }
}

declare module 'passport-openidconnect' {
  export interface Profile {
    id: string;
    displayName?: string;
    username?: string;
    emails?: { value: string }[];
  }

  export interface Options {
    issuer: string;
    authorizationURL: string;
    tokenURL: string;
    userInfoURL: string;
    clientID: string;
    clientSecret: string;
    callbackURL: string;
    scope: string[];
    nonce: boolean;
    maxAge?: number;
    acrValues?: string;
    skipUserProfile: boolean;
  }

  type Verified = (error: Error | null, user?: object | false) => void;
  type Verify = (
    issuer: string,
    profile: Profile,
    context: { timestamp?: Date; class?: string; methods?: string[] },
    idToken: string,
    accessToken: string,
    refreshToken: string,
    params: object,
    verified: Verified,
  ) => void;

  export class Strategy {
    constructor(options: Options, verify: Verify);
  }
}
