// The very requests that a delivery would begin with, caught before they leave: made by the code that sends them, so that what is shown
// is what would be sent.
import { ensureLastingSecret } from '../domain/keys/commands.ts';
import type { Demand } from '../domain/provisioning/demand-queries.ts';
import { findEndpoint } from '../domain/provisioning/endpoint-queries.ts';
import { freshLane } from '../domain/provisioning/lane.ts';
import { decodeJwtPayload } from '../lib/jwt.ts';
import { type Outgoing, OutgoingError, type OutgoingRequest } from '../lib/outgoing.ts';
import type { Work } from '../work.ts';
import { type Batch, tryOne } from './deliver-batch.ts';
import { currentSigners } from './security-event.ts';

export interface DemandRequest {
  channel: 'scim' | 'event';
  method: string;
  address: string;
  /** Without secrets (API-15). */
  headers: Record<string, string>;
  /** As JSON; of an event its claims, which travel signed. */
  body: string;
}

/** Nothing is sent: the first request of each is caught, and everything ends with it. */
export async function requestsOf(work: Work, demand: Demand): Promise<DemandRequest[]> {
  const { step, receiver, account, person } = demand;
  if (!step) return [];
  const requests: DemandRequest[] = [];
  const pairwiseKey = await ensureLastingSecret(work, 'pairwise');
  for (const channel of demand.channels) {
    const send: Outgoing = async (address, request) => {
      requests.push(shown(channel, address, request));
      throw new OutgoingError('unreachable');
    };
    const batch: Batch = {
      work: () => work,
      send,
      isStopped: () => true,
      lane: freshLane(receiver.id),
      until: work.now,
      claimed: [],
      endpoint: await findEndpoint(work, receiver.id),
      signers: channel === 'event' ? await currentSigners(work) : [],
      pairwiseKey,
    };
    const delivery = {
      id: 'given-when-it-is-queued',
      seq: 0,
      companyId: receiver.settings.companyId,
      instanceId: receiver.id,
      instanceName: receiver.name,
      userId: person.userId,
      person: '',
      externalId: account?.externalId ?? null,
      channel,
      act: step.act,
      reason: '',
      batchId: null,
      wanted: step.wanted,
      state: 'sent' as const,
      attempts: 1,
      queuedAt: work.now,
      nextAt: null,
      sentAt: work.now,
      acceptedAt: null,
      verifiedAt: null,
      endedAt: null,
      answer: null,
      claimedUntil: work.now,
      isReading: false,
      endpoint: null,
    };
    await tryOne(batch, delivery, new Map(account ? [[person.userId, account]] : []));
  }
  return requests;
}

const secret = new Set(['authorization']);

function shown(channel: 'scim' | 'event', address: string, request: OutgoingRequest): DemandRequest {
  const { method = 'GET', headers, body = '' } = request;
  const isToken = channel === 'event';
  return {
    channel,
    method,
    address,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, secret.has(name.toLowerCase()) ? 'Bearer …' : value]),
    ),
    body: body === '' ? '' : JSON.stringify(isToken ? decodeJwtPayload(body) : JSON.parse(body), null, 2),
  };
}
