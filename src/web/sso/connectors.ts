// Which connector speaks for a connection.
import type { Connection } from '../../domain/federation/connection.ts';
import type { Connector } from './connector.ts';
import { oidcConnector } from './oidc-connector.ts';
import { samlConnector } from './saml-connector.ts';

const connectors: Partial<Record<Connection['settings']['kind'], Connector>> = {
  oidc: oidcConnector,
  saml: samlConnector,
};

export function connectorOf({ settings }: Pick<Connection, 'settings'>): Connector {
  const connector = connectors[settings.kind];
  if (!connector) throw new Error(`no connector for ${settings.kind}`);
  return connector;
}
