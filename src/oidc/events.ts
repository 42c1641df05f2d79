// What happens inside the engine and matters outside of it: noted in the exchange, and dealt with when the engine is done.
import { Provider } from 'oidc-provider';
import { currentExchange, type Revocation } from './exchange.ts';

interface Token {
  kind: string;
  clientId?: string | undefined;
  accountId?: string | undefined;
}

export function listenToEngine(provider: Provider): void {
  // What the engine could not help: handed to our own error page, which logs it and tells an outage from a bug (F4).
  provider.on('server_error', (_ctx, error) => {
    const exchange = currentExchange();
    if (exchange) exchange.failure = error;
  });

  // Tokens are destroyed at the revocation endpoint, and beside their grant when they come a second time.
  const givenBack = ({ kind, clientId, accountId }: Token) => {
    if (Provider.ctx?.oidc.route === 'revocation') note({ kind, clientId, accountId, reason: 'asked' });
  };
  provider.on('access_token.destroyed', givenBack);
  provider.on('refresh_token.destroyed', givenBack);
  provider.on('client_credentials.destroyed', givenBack);

  // At the token endpoint a grant is revoked when a code or a rotated refresh token comes a second time (OAU-07, OAU-17).
  provider.on('grant.revoked', (ctx) => {
    const { route, client } = ctx.oidc;
    if (route === 'token') note({ kind: 'Grant', clientId: client?.clientId, accountId: undefined, reason: 'reused' });
  });
}

function note(revocation: Revocation): void {
  currentExchange()?.revocations.push(revocation);
}
