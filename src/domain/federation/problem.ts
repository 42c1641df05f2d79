// Where a sign-in through an upstream can go wrong: a closed list, each with one plain sentence for the person. The code on the page
// leads an administrator to the details in the connection's log.
import { span } from '../../lib/time.ts';

export const ssoProblems = [
  'malformed',
  'unsigned',
  'signature',
  'certificate',
  'algorithm',
  'encrypted',
  'issuer',
  'audience',
  'recipient',
  'clock-skew',
  'expired',
  'replayed',
  'too-old-request',
  'not-fresh',
  'not-asked',
  'unknown-company',
  'missing-attribute',
  'not-enabled',
  'other-browser',
  'logged-out-meanwhile',
  'upstream-error',
  'upstream-unreachable',
  'no-configuration',
  'other-issuer',
] as const;

export type SsoProblem = (typeof ssoProblems)[number];

/** What the person reads. The upstream's own words are for the log: anybody can write them. */
export const problemSentences: Record<SsoProblem, string> = {
  malformed: 'The answer of your identity provider could not be read.',
  unsigned: 'The answer of your identity provider was not signed.',
  signature: 'The signature of your identity provider does not fit its answer.',
  certificate: 'Your identity provider signs with a certificate that is not known here.',
  algorithm: 'Your identity provider signs or encrypts in a way that is not safe any more.',
  encrypted: 'The encrypted answer of your identity provider could not be opened.',
  issuer: 'The answer came from another identity provider than the one that was asked.',
  audience: 'The answer of your identity provider was meant for another service.',
  recipient: 'The answer of your identity provider was meant for another address.',
  'clock-skew': 'The clocks of your identity provider and of this service are too far apart.',
  expired: 'The answer of your identity provider has run out. Log in again.',
  replayed: 'This answer of your identity provider has been used already. Log in again.',
  'too-old-request': 'This login has taken too long. Log in again.',
  'not-fresh':
    'You have to log in anew for this, and your identity provider let an earlier login stand. Log out there first.',
  'not-asked': 'Your identity provider sent an answer that nobody asked for. Begin at the login page.',
  'unknown-company': 'The answer of your identity provider names no company that is known here.',
  'missing-attribute': 'Your identity provider did not say everything that is needed to log in.',
  'not-enabled': 'Single sign-on is not enabled for your company.',
  'other-browser': 'This login was begun in another browser, or has run out. Log in again.',
  'logged-out-meanwhile': 'You were logged out at your identity provider. Log in again.',
  'upstream-error': 'Your identity provider did not log you in.',
  'upstream-unreachable': 'Your identity provider cannot be reached right now. Try again in a moment.',
  'no-configuration': 'Your identity provider could not be found at the address that is known here.',
  'other-issuer': 'Another identity provider answers at the address that is known here.',
};

/** For the administrator: what most likely is to be mended, and where. */
export const problemAdvice: Record<SsoProblem, string> = {
  malformed: 'The answer is not a SAML response or OpenID Connect answer as the standards have it. See the details.',
  unsigned: 'Let the identity provider sign the assertion or the response.',
  signature: 'The answer was changed on its way, or signed with another key than its certificate says.',
  certificate: 'Upload the certificate that the identity provider signs with now, or read its metadata again.',
  algorithm: 'Set the signature to RSA-SHA256 and the encryption of keys to RSA-OAEP. SHA-1 is refused.',
  encrypted: 'Give the identity provider the present encryption certificate from our metadata.',
  issuer: 'Compare Issuer with the entity id that the identity provider sends.',
  audience: 'Set the audience (entity id) at the identity provider to ours: the guide of the connection shows it.',
  recipient: 'Set the recipient (ACS address) at the identity provider to ours: the guide of the connection shows it.',
  'clock-skew': 'Set the clock of the identity provider by a time server: 90 seconds are tolerated.',
  expired: 'The person took too long, or the clocks are apart.',
  replayed: 'The same answer came twice: the person went back in the browser, or somebody tried to use it again.',
  'too-old-request': 'More than 15 minutes passed between our request and the answer.',
  'not-fresh':
    'A module asked for a fresh login. The identity provider did not ask the person again, or does not say when it did: let it heed ForceAuthn and send AuthnInstant (SAML), or heed max_age and send auth_time (OpenID Connect; an optional claim in Entra ID). Where it cannot, our own second factor counts instead: ask for it as well under Settings.',
  'not-asked': 'Allow logins that begin at the identity provider, or let people begin at the login page.',
  'unknown-company':
    'Let the identity provider send the attribute CompanyIdentifier with the value that the guide of the connection shows.',
  'missing-attribute': 'Let the identity provider send the attribute that the details name.',
  'not-enabled': 'Enable the connection, or remove the tile at the identity provider.',
  'other-browser': 'The answer reached another browser than the one that asked, or its cookies were deleted.',
  'logged-out-meanwhile':
    'The identity provider said that the person logged out, after it had let them in and before they were in here. Nothing is to be mended, unless it keeps happening: then see whom it logs out, and when.',
  'upstream-error': 'The identity provider refused; the details hold its own words.',
  'upstream-unreachable': 'The address of the identity provider does not answer.',
  'no-configuration':
    'Compare Issuer in the settings with the one that the identity provider shows. It is the address without /.well-known/openid-configuration at its end.',
  'other-issuer':
    'If that is your identity provider, write the issuer into the settings exactly as it is said there: a slash at its end counts. For Entra ID, name your own tenant, not all of them.',
};

/** How far the upstream's clock is from ours, in words; the exact times beside it. */
export const clockDetails = (upstream: Date, here: Date) => ({
  clock: `${span(upstream.getTime() - here.getTime())} ${upstream > here ? 'ahead' : 'behind'}`,
  upstream: upstream.toISOString(),
  here: here.toISOString(),
});

/** What an administrator reads on the test of a connection: addresses of their own settings included. */
export function sentenceFor(problem: SsoProblem, { address, said, clock }: Record<string, unknown>): string {
  if (problem === 'clock-skew' && typeof clock === 'string') return `The clock of your identity provider is ${clock}.`;
  if (typeof address !== 'string') return problemSentences[problem];
  if (problem === 'no-configuration') return `There is no OpenID configuration at ${address}.`;
  if (problem === 'other-issuer' && typeof said === 'string')
    return `The OpenID configuration at ${address} is of another issuer: ${said}.`;
  return problemSentences[problem];
}
