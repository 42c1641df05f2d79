// Judges a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6): signed by the upstream, for us, now, and a logout token
// and no other (RFC 8725 section 3.11): an ID token that somebody has seen must end nothing.
import { constants, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import type { Configuration } from 'openid-client';
import { z } from 'zod';
import type { StoredConnection } from '../../domain/federation/connection-repository.ts';
import { days, minutes, seconds } from '../../lib/time.ts';
import type { Work } from '../../work.ts';
import type { Means } from './connector.ts';
import { guardedFetch, safeAlgorithms, sharedConfigurations, toleranceSeconds } from './oidc-configuration.ts';
import { Refused } from './saml-shape.ts';

export interface LogoutToken {
  id: string;
  issuer: string;
  /** At least one of both. */
  subject: string | null;
  session: string | null;
  /** It could be played until then. */
  expiresAt: Date;
}

const longest = 16_384;
const event = 'http://schemas.openid.net/event/backchannel-logout';

const headerSchema = z.object({
  alg: z.string(),
  // Recommended since the final version; upstreams of before leave it out.
  typ: z
    .string()
    .regex(/^(application\/)?(logout\+)?jwt$/i)
    .optional(),
  kid: z.string().optional(),
  // RFC 7515 section 4.1.11: nothing is understood that could stand there.
  crit: z.undefined().optional(),
});

const claimsSchema = z
  .object({
    iss: z.string(),
    aud: z.union([z.string(), z.array(z.string())]),
    iat: z.number(),
    exp: z.number().optional(),
    jti: z.string().min(1).max(1000),
    sub: z.string().min(1).optional(),
    sid: z.string().min(1).optional(),
    events: z.record(z.string(), z.unknown()),
    nonce: z.undefined().optional(),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined, 'neither sub nor sid')
  .refine(({ events }) => z.record(z.string(), z.unknown()).safeParse(events[event]).success, 'not of a logout');

const malformed = (because: string) => new Refused('malformed', { because });

function decoded<T>(part: string, schema: z.ZodType<T>): T {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')));
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw malformed(
      parsed.error.issues
        .map(({ path, message }) => `${path.join('.')} ${message}`)
        .join('; ')
        .slice(0, 300),
    );
  } catch (error) {
    throw error instanceof Refused ? error : malformed('not readable');
  }
}

/** @throws Refused, and what fetching the upstream's keys throws */
export async function judgeLogoutToken(
  work: Work,
  { outgoing }: Means,
  connection: StoredConnection,
  token: string,
): Promise<LogoutToken> {
  if (connection.settings.kind !== 'oidc') throw malformed('not an OpenID Connect connection');
  const [head, body, signature, ...more] = token.split('.');
  if (!head || !body || !signature || more.length > 0 || token.length > longest) throw malformed('no signed token');
  const header = decoded(head, headerSchema);
  if (!safeAlgorithms.includes(header.alg)) throw new Refused('algorithm', { alg: header.alg.slice(0, 100) });
  const claims = decoded(body, claimsSchema);
  const configuration = await sharedConfigurations.of(work, outgoing, connection);
  const { issuer } = configuration.serverMetadata();
  if (claims.iss !== issuer) throw new Refused('issuer', { sent: claims.iss.slice(0, 300), expected: issuer });
  if (![claims.aud].flat().includes(connection.settings.clientId))
    throw new Refused('audience', { sent: [claims.aud].flat().map((one) => one.slice(0, 300)) });
  const expiresAt = endOf(claims, work.now);
  const input = Buffer.from(`${head}.${body}`);
  const isSigned = (keys: Jwk[]) =>
    keysFor(keys, header).some((key) => isSignedBy(key, header.alg, input, Buffer.from(signature, 'base64url')));
  // The upstream may have changed its keys since: asked once more, and not for each stranger who asks.
  if (!isSigned(await keysOf(configuration, outgoing)) && !isSigned(await keysOf(configuration, outgoing, seconds(20))))
    throw new Refused('signature');
  return { id: claims.jti, issuer, subject: claims.sub ?? null, session: claims.sid ?? null, expiresAt };
}

const tolerance = seconds(toleranceSeconds);

/** However far away its end: it has to be remembered until then. */
const longestLife = days(1);

/** Before the final version `exp` could be left out: such a token counts for as long as one of now would have to. */
function endOf({ iat, exp }: z.infer<typeof claimsSchema>, now: Date): Date {
  const issued = iat * 1000;
  const ends = exp === undefined ? issued + minutes(2) : Math.min(exp * 1000, issued + longestLife);
  const details = { issued, ends, here: now.getTime() };
  if (issued - tolerance > now.getTime()) throw new Refused('clock-skew', details);
  if (ends + tolerance <= now.getTime()) throw new Refused('expired', details);
  return new Date(ends + tolerance + minutes(1));
}

const jwkSchema = z.looseObject({
  kty: z.enum(['RSA', 'EC', 'OKP']),
  kid: z.string().optional(),
  use: z.string().optional(),
  alg: z.string().optional(),
  crv: z.string().optional(),
});
type Jwk = z.infer<typeof jwkSchema>;

/** Of a configuration, with which they are forgotten. */
const kept = new WeakMap<Configuration, { keys: Jwk[]; at: number }>();

async function keysOf(
  configuration: Configuration,
  outgoing: Means['outgoing'],
  youngest = minutes(10),
): Promise<Jwk[]> {
  const known = kept.get(configuration);
  if (known && Date.now() - known.at < youngest) return known.keys;
  const address = configuration.serverMetadata().jwks_uri ?? '';
  const answer = await guardedFetch(outgoing)(address, {
    method: 'GET',
    headers: { accept: 'application/json' },
    body: undefined,
    redirect: 'manual',
  });
  const set = answer.ok
    ? z.object({ keys: z.array(z.unknown()) }).safeParse(await answer.json().catch(() => null))
    : null;
  // A key of a kind that is not known here is no reason to refuse the others.
  const keys = set?.success ? set.data.keys.flatMap((key) => jwkSchema.safeParse(key).data ?? []) : [];
  kept.set(configuration, { keys, at: Date.now() });
  return keys;
}

const kinds: Record<string, Jwk['kty']> = { RS: 'RSA', PS: 'RSA', ES: 'EC', Ed: 'OKP' };
const curves: Record<string, string> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
  Ed25519: 'Ed25519',
};

const keysFor = (keys: Jwk[], { alg, kid }: { alg: string; kid?: string | undefined }): Jwk[] =>
  keys.filter(
    (key) =>
      key.kty === kinds[alg.slice(0, 2)] &&
      (curves[alg] === undefined || key.crv === curves[alg]) &&
      (key.use ?? 'sig') === 'sig' &&
      (key.alg ?? alg) === alg &&
      (kid === undefined || key.kid === undefined || key.kid === kid),
  );

function isSignedBy(jwk: Jwk, alg: string, input: Buffer, signature: Buffer): boolean {
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    if (alg.startsWith('Ed')) return verify(null, input, key, signature);
    const hash = `sha${alg.slice(2)}`;
    if (alg.startsWith('PS')) {
      const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
      return verify(hash, input, { key, padding, saltLength }, signature);
    }
    return verify(hash, input, { key, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    return false;
  }
}
