// What an upstream's administrator reads us by. One document for all companies, since the address is shared.
import { newestOf, samlKeys } from '../../domain/keys/saml-key.ts';
import type { Work } from '../../work.ts';
import { ssoAddresses } from './connector.ts';
import { nodeSaml } from './saml-library.ts';

export async function samlMetadata(work: Work): Promise<string> {
  const keys = await samlKeys(work);
  const [signing] = keys;
  const { entityId, acs, logout } = ssoAddresses(work.config.publicUrl);
  const document = nodeSaml().generateServiceProviderMetadata({
    issuer: entityId,
    callbackUrl: acs,
    logoutCallbackUrl: logout,
    identifierFormat: null,
    wantAssertionsSigned: true,
    privateKey: signing.privateKey,
    // During a roll-over both: who reads this before the new one signs is not surprised by it.
    publicCerts: keys.map(({ certificate }) => certificate),
    decryptionPvk: signing.privateKey,
    // Both are decrypted with, so what is encrypted from now on can be for the one that stays.
    decryptionCert: (newestOf(keys) ?? signing).certificate,
  });
  return withRedirect(document, logout);
}

/** The library names HTTP-POST alone for logout; most upstreams send it by HTTP-Redirect, and we read both. */
function withRedirect(document: string, logout: string): string {
  const binding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
  const service = `<SingleLogoutService Binding="${binding}" Location="${logout}"/>`;
  return document.replace('<SingleLogoutService ', `${service}\n    <SingleLogoutService `);
}
