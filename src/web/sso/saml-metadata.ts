// The metadata of an identity provider (SAML 2.0 Metadata section 2.4): entity id, addresses and signing certificates, and no more.
// It is not signed by anybody whom we know: an administrator looks at what it says, and a change is told (metadata-commands.ts).
import type { IdpMetadata } from '../../domain/federation/metadata.ts';
import { isLoopbackHost } from '../../lib/outgoing.ts';
import { childrenOf, descendants, readXml, type XmlElement, XmlProblem } from './xml.ts';

const md = 'urn:oasis:names:tc:SAML:2.0:metadata';
const ds = 'http://www.w3.org/2000/09/xmldsig#';
const saml2 = 'urn:oasis:names:tc:SAML:2.0:protocol';
const redirect = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
const post = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST';

export type MetadataReading =
  | { outcome: 'read'; metadata: IdpMetadata }
  /** A sentence for the administrator. */
  | { outcome: 'refused'; problem: string };

const refused = (problem: string): MetadataReading => ({ outcome: 'refused', problem });

export function readMetadata(source: string): MetadataReading {
  try {
    return ofDocument(readXml(withoutComments(source)));
  } catch (error) {
    if (!(error instanceof XmlProblem)) throw error;
    return refused(`This is no XML that is read here: it holds ${error.message}.`);
  }
}

/**
 * Metadata is often written by hand; nothing in it is signed, so a comment changes nothing that anybody has vouched for.
 * One without an end stays where it is, and is refused with the rest. In one pass, however many there are.
 */
function withoutComments(source: string): string {
  const kept: string[] = [];
  let at = source.startsWith('\uFEFF') ? 1 : 0;
  for (;;) {
    const begin = source.indexOf('<!--', at);
    const end = begin === -1 ? -1 : source.indexOf('-->', begin + 4);
    if (end === -1) return kept.join('') + source.slice(at);
    kept.push(source.slice(at, begin));
    at = end + 3;
  }
}

function ofDocument(root: XmlElement): MetadataReading {
  if (root.ns !== md || (root.name !== 'EntityDescriptor' && root.name !== 'EntitiesDescriptor'))
    return refused('This is no SAML metadata: its first element is not an EntityDescriptor.');
  const providers = [...descendants(root)].filter(
    (one) => one.ns === md && one.name === 'EntityDescriptor' && childrenOf(one, md, 'IDPSSODescriptor').length > 0,
  );
  const [entity] = providers;
  if (!entity) return refused('This metadata describes no identity provider. Is it ours, or that of another service?');
  if (providers.length > 1)
    return refused('This metadata describes several identity providers. Bring the metadata of the one alone.');
  const role = childrenOf(entity, md, 'IDPSSODescriptor').find(speaksSaml2);
  if (!role) return refused('This identity provider does not speak SAML 2.0.');
  const entityId = entity.attributes.get('entityID')?.trim() ?? '';
  if (entityId === '' || entityId.length > 1024) return refused('The metadata names no entity id.');
  const sso = serviceOf(childrenOf(role, md, 'SingleSignOnService'));
  if (sso === null) return refused('The metadata names no address for login by HTTP-Redirect or HTTP-POST over https.');
  const certificates = certificatesOf(role);
  if (certificates.length === 0) return refused('The metadata holds no certificate for signatures.');
  return {
    outcome: 'read',
    metadata: {
      entityId,
      ssoUrl: sso.address,
      // Our logout messages go by HTTP-Redirect: an address that takes posts alone would show the person an error.
      sloUrl: addressFor(redirect, childrenOf(role, md, 'SingleLogoutService')),
      certificates,
      wantsSignedRequests: role.attributes.get('WantAuthnRequestsSigned')?.trim() === 'true',
      postsRequests: sso.isPosted,
    },
  };
}

const speaksSaml2 = (role: XmlElement): boolean =>
  (role.attributes.get('protocolSupportEnumeration') ?? '').split(/\s+/).includes(saml2);

/** HTTP-Redirect shows no page in between, so it comes first; one address often takes both. */
function serviceOf(services: XmlElement[]): { address: string; isPosted: boolean } | null {
  for (const binding of [redirect, post]) {
    const address = addressFor(binding, services);
    if (address !== null) return { address, isPosted: binding === post };
  }
  return null;
}

function addressFor(binding: string, services: XmlElement[]): string | null {
  const addresses = services
    .filter((service) => service.attributes.get('Binding') === binding)
    .map((service) => service.attributes.get('Location')?.trim() ?? '');
  return addresses.find(isAddress) ?? null;
}

function isAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, password } = new URL(address);
  if (username !== '' || password !== '') return false;
  // Only the browser of a developer goes to an identity provider on its own machine.
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

/** Of keys for signatures, or for everything. A key without a certificate cannot be shown to anybody. */
function certificatesOf(role: XmlElement): string[] {
  const found = childrenOf(role, md, 'KeyDescriptor')
    .filter((key) => (key.attributes.get('use') ?? 'signing') === 'signing')
    .flatMap((key) => [...descendants(key)])
    .filter((one) => one.ns === ds && one.name === 'X509Certificate')
    .map((one) => one.text);
  return [...new Set(found)];
}
