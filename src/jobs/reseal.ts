// After a change of ENCRYPTION_KEYS: what an older key sealed is sealed anew with the first one, so that the older one can go (API-15).

import { resealFactors } from '../domain/credentials/repository.ts';
import { clientSecretPurpose, resealClientSecrets } from '../domain/federation/connection-repository.ts';
import { lastingSecretPurpose } from '../domain/keys/commands.ts';
import { signingKeyPurpose } from '../domain/keys/signing-key.ts';
import { mailPurpose } from '../domain/mails/mail.ts';
import { scimTokenPurpose } from '../domain/modules/module.ts';
import { resealScimTokens } from '../domain/modules/repository.ts';
import { factorPurpose } from '../domain/users/password-commands.ts';
import type { Resealing } from '../lib/secrets.ts';
import type { Work } from '../work.ts';

const batch = 500;

/** @returns how many were taken up. Safe on several nodes at once: a box is replaced only where it still stands, though each node counts it. */
export async function sealAnew({ keyring, store }: Work): Promise<number> {
  if (keyring.isSingle) return 0;
  const anew = (purpose: string): Resealing => ({
    keyId: keyring.keyId,
    limit: batch,
    reseal: (box) => keyring.seal(purpose, keyring.open(purpose, box)),
  });
  return (
    (await untilDone(() => store.keys.resealKeys(anew(signingKeyPurpose)))) +
    (await untilDone(() => store.keys.resealSecrets(anew(lastingSecretPurpose)))) +
    (await untilDone(() => resealFactors(store.db, anew(factorPurpose)))) +
    (await untilDone(() => resealScimTokens(store.db, anew(scimTokenPurpose)))) +
    (await untilDone(() => resealClientSecrets(store.db, anew(clientSecretPurpose)))) +
    (await untilDone(() => store.mails.reseal(anew(mailPurpose))))
  );
}

async function untilDone(act: () => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const count = await act();
    total += count;
    if (count < batch) return total;
  }
}
