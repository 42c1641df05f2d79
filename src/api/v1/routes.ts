// The table of contents of the API: one line a file.
import type { Endpoint } from '../endpoint.ts';
import { credentialEndpoints } from './instance-credentials.ts';
import { instanceEndpoints } from './instances.ts';

export const endpoints: Endpoint[] = [...instanceEndpoints, ...credentialEndpoints];
