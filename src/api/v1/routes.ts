// The table of contents of the API: one line a file.
import type { Endpoint } from '../endpoint.ts';
import { credentialEndpoints } from './instance-credentials.ts';

export const endpoints: Endpoint[] = [...credentialEndpoints];
