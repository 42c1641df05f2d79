// The way to an upstream and back behind one shape, for SAML and OpenID Connect alike: to begin is to name an address for the browser,
// to finish is to judge what the browser brought back. Neither writes: requests, replay and the log are the callback's (callback.ts).
import type { UpstreamClaims } from '../../domain/federation/claims.ts';
import type { StoredConnection } from '../../domain/federation/connection-repository.ts';
import type { SsoProblem } from '../../domain/federation/problem.ts';
import type { Outgoing } from '../../lib/outgoing.ts';
import type { Work } from '../../work.ts';

/** What a connector may use beside the database. */
export interface Means {
  /** Never into our own network (API-11). */
  outgoing: Outgoing;
}

export interface Ask {
  /** Unguessable, an XML name: SAML's ID and RelayState, OpenID Connect's state. The row is found by its hash. */
  requestId: string;
  /** Whom the person said to be, for the upstream's own form. */
  loginHint: string | null;
  /** The person is to prove themselves anew, whatever session the upstream has. */
  isAnew: boolean;
  /** Nobody is let in by it: what the upstream does not say of when is no reason to refuse. */
  isTest: boolean;
}

export interface Begun {
  /** Where the browser goes. */
  address: string;
  /** It posts them there, instead of following an address that holds everything; null: it follows. */
  posts: Record<string, string> | null;
  /** Kept sealed with the request until the answer: nonce, PKCE verifier. */
  state: Record<string, string>;
}

export type Answer =
  | { kind: 'saml'; xml: string }
  /** The whole callback address with its query. */
  | { kind: 'oidc'; url: URL };

/** What was asked; null when the upstream began. */
export interface Asked {
  requestId: string;
  at: Date;
  state: Record<string, string>;
}

export type Finished =
  | {
      outcome: 'arrived';
      claims: UpstreamClaims;
      /** Who said so: with the subject, what an identity is bound to (C27). */
      issuer: string;
      /** What must not come twice, and until when it is to be remembered; null where the request alone stands for it. */
      assertion: { id: string; expiresAt: Date } | null;
      /** The upstream's own name of its session (SessionIndex, sid), by which it ends it; null: it gave none. */
      session: string | null;
      /** When the person proved themselves there, in milliseconds since the epoch; null: it does not say. */
      authenticatedAt: number | null;
      /** For single logout. */
      logout: Record<string, string> | null;
      /** It was to be a fresh login, and the upstream does not show that it was: what it said; null: nothing is missing. */
      stale: Record<string, unknown> | null;
      /** For the log: redacted, nothing that opens anything. */
      details: Record<string, unknown>;
    }
  | {
      outcome: 'problem';
      problem: SsoProblem;
      details: Record<string, unknown>;
      /** Names the word of the upstream that vouches for what is wrong; null: anybody may have sent it. */
      proof: string | null;
    };

export interface Connector {
  begin(work: Work, means: Means, connection: StoredConnection, ask: Ask): Promise<Begun>;
  finish(
    work: Work,
    means: Means,
    connection: StoredConnection,
    answer: Answer,
    asked: Asked | null,
  ): Promise<Finished>;
}

export const problem = (
  name: SsoProblem,
  details: Record<string, unknown> = {},
  proof: string | null = null,
): Extract<Finished, { outcome: 'problem' }> => ({ outcome: 'problem', problem: name, details, proof });

/** Addresses of ours that upstreams are told. */
export const ssoAddresses = (publicUrl: string) => ({
  /** Entity id, and the audience of assertions. */
  entityId: publicUrl,
  acs: `${publicUrl}/sso/saml/callback`,
  logout: `${publicUrl}/sso/saml/logout`,
  /** Where the browser comes back after a logout there. */
  loggedOut: `${publicUrl}/sso/logged-out`,
  metadata: `${publicUrl}/sso/saml/metadata`,
  oidcCallback: `${publicUrl}/sso/oidc/callback`,
  oidcLogout: `${publicUrl}/sso/oidc/logout`,
});
