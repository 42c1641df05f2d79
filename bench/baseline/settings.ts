// What the baseline and the driver both know: the static clients and the redirect addresses they are allowed.
// Nobody listens at the redirect addresses; the driver reads the code from the Location header.

import type { Client } from '../contender.ts';

export const service: Client = { id: 'service', secret: 'service-secret-of-the-baseline', redirectUri: '' };
export const first: Client = web('first');
export const second: Client = web('second');
export const offline: Client = web('offline');

function web(id: string): Client {
  return { id, secret: `${id}-secret-of-the-baseline`, redirectUri: `https://${id}.example/callback` };
}
