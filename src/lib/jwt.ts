/** Payload of a compact JWS that we have made ourselves (RFC 7515 section 3.1); nothing is verified. */
export function decodeJwtPayload(token: string): Record<string, unknown> {
  const [, payload = ''] = token.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}
