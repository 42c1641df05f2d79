// node-saml, loaded for the first who needs it: a node whose companies have no SAML starts quicker and keeps 8 MB less in memory.
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

export const nodeSaml = () => load('@node-saml/node-saml') as typeof import('@node-saml/node-saml');

/** What the library itself checks and decrypts XML with. */
export const nodeSamlXml = () =>
  load('@node-saml/node-saml/lib/xml.js') as typeof import('@node-saml/node-saml/lib/xml.js');
