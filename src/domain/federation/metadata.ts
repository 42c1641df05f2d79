// What the metadata of a SAML identity provider says. Pure; the reader of the XML is web/sso/saml-metadata.ts.
import { isDeepStrictEqual } from 'node:util';
import { type Certificate, joined, readCertificate } from './certificate.ts';
import type { Connection } from './connection.ts';

export interface IdpMetadata {
  entityId: string;
  ssoUrl: string;
  sloUrl: string | null;
  /** Base64 of DER, as they stand there. */
  certificates: string[];
  wantsSignedRequests: boolean;
  /** The address takes requests by HTTP-POST alone. */
  postsRequests: boolean;
}

/** What a page shows before anything is saved. */
export interface ReadMetadata extends Omit<IdpMetadata, 'certificates'> {
  certificates: Certificate[];
  /** Certificates that could not be read, or whose key is too weak. */
  unreadable: number;
}

export function withCertificates({ certificates, ...rest }: IdpMetadata): ReadMetadata {
  const read = certificates.map(readCertificate);
  const good = read.filter((one) => one !== null);
  return { ...rest, certificates: good, unreadable: read.length - good.length };
}

type SamlSettings = Extract<Connection['settings'], { kind: 'saml' }>;

/** As many as the settings hold. */
export const mostCertificates = 4;

export const isPosted = ({ postsRequests }: SamlSettings): boolean => postsRequests === true;

export const bindingWords = (isPosted: boolean): string => (isPosted ? 'HTTP-POST' : 'HTTP-Redirect');

export interface Refreshed {
  settings: SamlSettings;
  added: Certificate[];
  /** Differences that somebody has to look at: they are told, never taken over. */
  differences: string[];
}

/**
 * Only certificates are taken over by themselves, and only beside the present ones: whoever gets hold of that address must not be able
 * to send people elsewhere, or to shut the present signer out.
 */
export function refreshed(settings: SamlSettings, brought: ReadMetadata, now: Date): Refreshed | { problem: string } {
  if (brought.entityId !== settings.entityId)
    return { problem: `It describes another identity provider: ${brought.entityId.slice(0, 200)}.` };
  const present = settings.certificates.map(readCertificate).filter((one) => one !== null);
  const { certificates, added, refused } = joined(present, brought.certificates, { most: mostCertificates, now });
  const differences = [
    ...(brought.ssoUrl === settings.ssoUrl ? [] : [`The login address is another one there: ${brought.ssoUrl}`]),
    ...(brought.postsRequests === isPosted(settings)
      ? []
      : [`The login address takes our requests by ${bindingWords(brought.postsRequests)} there.`]),
    ...(brought.sloUrl === settings.sloUrl
      ? []
      : [`The logout address is another one there: ${brought.sloUrl ?? 'none'}`]),
    ...(refused.length === 0
      ? []
      : [`There is no room for ${refused.length} more certificates: remove those that are not used any more.`]),
  ];
  return { settings: { ...settings, certificates: certificates.map(({ pem }) => pem) }, added, differences };
}

/** What becomes of a certificate when metadata is brought: `full`: there is no room for it. */
export type CertificateFate = 'stays' | 'comes' | 'goes' | 'full';

export interface TakenMetadata {
  settings: SamlSettings;
  certificates: { certificate: Certificate; fate: CertificateFate }[];
  /** It describes another identity provider than before. */
  isElsewhere: boolean;
  /** Certificates come beside the present ones, and that is all: what was tested stays tested. */
  addsOnly: boolean;
}

/**
 * Metadata that an administrator brings for a connection that is there: addresses and issuer are taken over, since somebody looks at
 * them. In a roll-over both certificates count; those of another identity provider, and those that have ended, go.
 * @param address where it was read from; null: a file, and the connection keeps the address that it has
 */
export function taken(
  settings: SamlSettings,
  brought: Pick<ReadMetadata, 'entityId' | 'ssoUrl' | 'sloUrl' | 'postsRequests' | 'certificates'>,
  { address, now }: { address: string | null; now: Date },
): TakenMetadata {
  const isElsewhere = brought.entityId !== settings.entityId;
  const present = settings.certificates.map(readCertificate).filter((one) => one !== null);
  const stays = present.filter(
    (one) =>
      brought.certificates.some(({ fingerprint }) => fingerprint === one.fingerprint) ||
      (!isElsewhere && one.validTo > now),
  );
  const { certificates, refused } = joined(stays, brought.certificates, { most: mostCertificates, now });
  // Nothing that could be used would be left: better an ended certificate, which the page shows as such, than none; and never that of
  // an identity provider which is not asked any more: it could go on to vouch for everybody.
  const ended = isElsewhere ? brought.certificates.slice(0, mostCertificates) : present;
  const kept = certificates.length > 0 ? certificates : ended;
  const fateOf = (one: Certificate): CertificateFate =>
    refused.includes(one) ? 'full' : !kept.includes(one) ? 'goes' : present.includes(one) ? 'stays' : 'comes';
  const { postsRequests: _, ...rest } = settings;
  const after: SamlSettings = {
    ...rest,
    ...(brought.postsRequests ? { postsRequests: true } : {}),
    entityId: brought.entityId,
    ssoUrl: brought.ssoUrl,
    sloUrl: brought.sloUrl,
    certificates: kept.map(({ pem }) => pem),
    metadataUrl: address ?? (isElsewhere ? null : settings.metadataUrl),
  };
  const gone = present.filter((one) => !kept.includes(one));
  return {
    settings: after,
    certificates: [...kept, ...refused, ...gone].map((certificate) => ({ certificate, fate: fateOf(certificate) })),
    isElsewhere,
    addsOnly:
      gone.length === 0 &&
      isDeepStrictEqual(
        { ...after, certificates: [], metadataUrl: null },
        { ...settings, certificates: [], metadataUrl: null },
      ),
  };
}
