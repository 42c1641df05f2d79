// The engine's addresses: for its configuration, for whoever mounts it, and for log and metrics, whose names of routes must
// not grow with what strangers ask for.

export const routes = {
  authorization: '/auth',
  token: '/token',
  userinfo: '/userinfo',
  introspection: '/token/introspection',
  revocation: '/token/revocation',
  pushed_authorization_request: '/request',
  end_session: '/session/end',
  jwks: '/jwks',
} as const;

export interface EngineRoute {
  name: string;
  /** As the header Allow says it (RFC 9110 section 10.2.1). */
  allow: string;
}

const get = 'GET, HEAD, OPTIONS';
const post = 'POST, OPTIONS';

const table = new Map<string, EngineRoute>(
  Object.entries({
    '/.well-known/openid-configuration': get,
    '/.well-known/oauth-authorization-server': get,
    [routes.jwks]: get,
    [routes.authorization]: get,
    [routes.token]: post,
    [routes.userinfo]: `${get}, POST`,
    [routes.introspection]: post,
    [routes.revocation]: post,
    [routes.pushed_authorization_request]: post,
    [routes.end_session]: get,
    [`${routes.end_session}/confirm`]: post,
    [`${routes.end_session}/success`]: get,
  }).map(([name, allow]) => [name, { name, allow }]),
);

const resume: EngineRoute = { name: `${routes.authorization}/:uid`, allow: get };
const resumePath = /^\/auth\/[\w-]+$/;

/** Which of the engine's addresses a path is; all others are not the engine's. */
export function findEngineRoute(path: string): EngineRoute | undefined {
  return table.get(path) ?? (resumePath.test(path) ? resume : undefined);
}
