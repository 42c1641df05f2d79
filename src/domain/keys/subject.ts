// What a client knows a person by (OpenID Connect Core section 8): the same in ID tokens, at the module's SCIM service and in events.
import type { KeyObject } from 'node:crypto';
import { hmac } from '../../lib/secrets.ts';

/** From a person's id and a sector to the name that this sector knows the person by; must never change (OAU-25). */
export const pairwiseSubject = (key: KeyObject, sector: string, accountId: string): string =>
  hmac(key, `${sector}\n${accountId}`);

export interface SubjectMetadata {
  subject_type: 'public' | 'pairwise';
  sector_identifier_uri?: string | undefined;
  redirect_uris: string[];
}

/** OpenID Connect Core section 8.1, as the engine reads it. */
export function subjectOf(key: KeyObject, metadata: SubjectMetadata, accountId: string): string {
  if (metadata.subject_type !== 'pairwise') return accountId;
  const address = metadata.sector_identifier_uri ?? metadata.redirect_uris[0];
  const sector = address === undefined ? undefined : URL.parse(address)?.host;
  if (sector === undefined) throw new Error('a pairwise client has no sector');
  return pairwiseSubject(key, sector, accountId);
}
