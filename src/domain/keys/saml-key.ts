// The key pairs that we sign SAML requests with and that upstreams encrypt for. They last: certificates are copied by hand to many
// identity providers, and a sudden change would stop all of their logins at once. So a new one is shown long before it is used.
import { generateKeyPair, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { selfSigned } from '../../lib/certificate.ts';
import { conflict } from '../../lib/errors.ts';
import { after, days } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { lastingSecretPurpose } from './commands.ts';

const pairSchema = z.object({ privateKey: z.string(), certificate: z.string() });
const keySchema = pairSchema.extend({
  /** It is shown in our metadata before. */
  signsFrom: z.coerce.date(),
  /** What is encrypted for it is taken until then; null: it has no successor. */
  endsAt: z.coerce.date().nullable(),
});

/** PEM both. */
export type SamlKey = z.infer<typeof keySchema>;

/** The first servers kept one pair and nothing beside it. */
const keptSchema = z.union([
  z.object({ keys: z.array(keySchema) }).transform(({ keys }) => keys),
  pairSchema.transform((pair): SamlKey[] => [{ ...pair, signsFrom: new Date(0), endsAt: null }]),
]);

/** Time to bring the new certificate to every identity provider, and as long again until the old key is gone. */
export const samlOverlap = days(30);

async function makeKey(work: Work, signsFrom: Date): Promise<SamlKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 3072 });
  const name = new URL(work.config.publicUrl).hostname;
  const certificate = selfSigned(privateKey, {
    name,
    from: after(work.now, -days(1)),
    until: after(work.now, days(3650)),
  });
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate,
    signsFrom,
    endsAt: null,
  };
}

const seal = ({ keyring }: Work, keys: SamlKey[]) => keyring.seal(lastingSecretPurpose, JSON.stringify({ keys }));
const open = ({ keyring }: Work, sealed: string) =>
  keptSchema.parse(JSON.parse(keyring.open(lastingSecretPurpose, sealed)));

/** Made at the first asking, by whichever node is first. */
async function sealedKeys(work: Work): Promise<string> {
  const { keys } = work.store;
  const present = await keys.findSecret('saml');
  if (present !== null) return present;
  await keys.insertSecret('saml', seal(work, [await makeKey(work, work.now)]), work.now);
  const made = await keys.findSecret('saml');
  if (made === null) throw new Error('the SAML key is gone');
  return made;
}

/** Pure: the one that signs now, and behind it those that are still, or already, shown and decrypted with. */
export function samlKeysAt(keys: SamlKey[], now: Date): SamlKey[] {
  const live = keys.filter(({ endsAt }) => endsAt === null || endsAt > now);
  const latest = live.toSorted((a, b) => b.signsFrom.getTime() - a.signsFrom.getTime());
  const signing = latest.find(({ signsFrom }) => signsFrom <= now);
  return signing ? [signing, ...latest.filter((key) => key !== signing)] : latest;
}

/** Read anew at each use, so every node changes over by the clock, and hears of a new one at once. The first one signs. */
export async function samlKeys(work: Work): Promise<[SamlKey, ...SamlKey[]]> {
  const [signing, ...others] = samlKeysAt(open(work, await sealedKeys(work)), work.now);
  if (!signing) throw new Error('the SAML key is gone');
  return [signing, ...others];
}

export const ensureSamlKey = async (work: Work): Promise<SamlKey> => (await samlKeys(work))[0];

/** The key that signs last: what is to be encrypted from now on is encrypted for it. */
export const newestOf = (keys: SamlKey[]): SamlKey | undefined =>
  keys.toSorted((a, b) => b.signsFrom.getTime() - a.signsFrom.getTime())[0];

export const endOfCertificate = ({ certificate }: Pick<SamlKey, 'certificate'>): Date =>
  new X509Certificate(certificate).validToDate;

/** When the last certificate of ours ends; null: there is none yet, and asking makes none. */
export async function endOfSamlKey(work: Work): Promise<Date | null> {
  const sealed = await work.store.keys.findSecret('saml');
  const newest = sealed === null ? undefined : newestOf(samlKeysAt(open(work, sealed), work.now));
  return newest ? endOfCertificate(newest) : null;
}

/**
 * A new key is shown beside the present one at once, signs after the overlap, and the present one is gone after another.
 * @param atOnce the present one is in wrong hands: it is dropped, and who has its certificate has to be brought the new one now
 */
export async function rotateSamlKey(work: Work, { atOnce }: { atOnce: boolean }): Promise<SamlKey[]> {
  const made = await makeKey(work, atOnce ? work.now : after(work.now, samlOverlap));
  return transaction(work, async (work) => {
    const sealed = await sealedKeys(work);
    const present = samlKeysAt(open(work, sealed), work.now);
    const waiting = present.find(({ signsFrom }) => signsFrom > work.now);
    if (waiting && !atOnce)
      throw conflict(`A new SAML key is shown already, and signs from ${waiting.signsFrom.toISOString()}.`);
    const gone = after(made.signsFrom, samlOverlap);
    const kept = atOnce ? [] : present.map((key) => ({ ...key, endsAt: key.endsAt ?? gone }));
    if (!(await work.store.keys.replaceSecret('saml', sealed, seal(work, [...kept, made]))))
      throw conflict('The SAML key was changed meanwhile. Look at it, and try again.');
    const fingerprint = new X509Certificate(made.certificate).fingerprint256;
    await record(work, {
      action: 'keys.rotate',
      companyId: null,
      details: { of: 'saml', fingerprint, signsFrom: made.signsFrom, atOnce },
    });
    return samlKeysAt([...kept, made], work.now);
  });
}
