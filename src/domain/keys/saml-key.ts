// The key pair that we sign SAML requests with and that upstreams encrypt for. It lasts: certificates are copied by hand to many
// identity providers, and a change would stop all of their logins at once.
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { selfSigned } from '../../lib/certificate.ts';
import { after, days } from '../../lib/time.ts';
import type { Work } from '../../work.ts';
import { lastingSecretPurpose } from './commands.ts';

const samlKeySchema = z.object({ privateKey: z.string(), certificate: z.string() });

/** PEM both. */
export type SamlKey = z.infer<typeof samlKeySchema>;

async function makeKey(work: Work): Promise<SamlKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 3072 });
  const name = new URL(work.config.publicUrl).hostname;
  const certificate = selfSigned(privateKey, {
    name,
    from: after(work.now, -days(1)),
    until: after(work.now, days(3650)),
  });
  return { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate };
}

/** Made at the first asking, by whichever node is first. */
export async function ensureSamlKey(work: Work): Promise<SamlKey> {
  const { keys } = work.store;
  let sealed = await keys.findSecret('saml');
  if (sealed === null) {
    await keys.insertSecret(
      'saml',
      work.keyring.seal(lastingSecretPurpose, JSON.stringify(await makeKey(work))),
      work.now,
    );
    sealed = await keys.findSecret('saml');
  }
  if (sealed === null) throw new Error('the SAML key is gone');
  return samlKeySchema.parse(JSON.parse(work.keyring.open(lastingSecretPurpose, sealed)));
}
