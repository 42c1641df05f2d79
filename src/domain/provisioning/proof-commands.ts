// The signed proof that a leaver's access has ended: everything that had to end, when, what modules answered, and what the audit log
// holds about it with its place in the chain. It says what is so, also when something is still pending.
import { createHash } from 'node:crypto';
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { anchorText } from '../audit/chain.ts';
import { record } from '../audit/commands.ts';
import { signDocument } from '../keys/sign-commands.ts';
import type { Delivery } from './account.ts';
import { getLeaver, listSealedEvents, readEndFacts, type SealedEvent } from './end-queries.ts';
import { type EndFacts, type EndOfAccess, endOfAccess, type Leaver } from './receipt.ts';

/** What a verifier has to insist on in the header. */
export const proofType = 'end-of-access+jws';

export interface EndReport {
  leaver: Leaver;
  company: string;
  facts: EndFacts;
  end: EndOfAccess;
  events: SealedEvent[];
}

/** The same that is signed, for the page. */
export async function readEndOfAccess(work: Work, companyId: CompanyId, userId: UserId): Promise<EndReport> {
  const leaver = await getLeaver(work, companyId, userId);
  const facts = await readEndFacts(work, leaver);
  const company = await work.store.companies.findById(companyId);
  if (!company) throw notFound('company');
  const events = facts.act ? await listSealedEvents(work, companyId, userId, facts.act.at) : [];
  return { leaver, company: company.name, facts, end: endOfAccess(facts), events };
}

export interface Proof {
  document: Record<string, unknown>;
  /** The document in a compact JWS (RFC 7515 section 3.1). */
  jws: string;
  kid: string;
  state: EndOfAccess['state'];
  leaver: Leaver;
}

export async function proveEndOfAccess(work: Work, companyId: CompanyId, userId: UserId): Promise<Proof> {
  return transaction(work, async (work) => {
    const report = await readEndOfAccess(work, companyId, userId);
    const { leaver, end } = report;
    if (end.state === null) throw conflict(`${leaver.name} has not lost their access: there is no end to prove.`);
    const head = await work.store.chain.findHead();
    const document = documentOf(work, report, head && anchorText(head));
    const { jws, kid } = await signDocument(work, proofType, document);
    await record(work, {
      action: 'receipt.export',
      companyId,
      target: { kind: 'user', id: userId },
      details: { name: leaver.name, state: end.state, kid, sha256: createHash('sha256').update(jws).digest('hex') },
    });
    return { document, jws, kid, state: end.state, leaver };
  });
}

function documentOf(work: Work, report: EndReport, chainHead: string | null): Record<string, unknown> {
  const { leaver, company, facts, end, events } = report;
  return {
    kind: 'end-of-access',
    version: 1,
    issuer: work.config.publicUrl,
    made_at: work.now,
    made_by: work.actor.name,
    company: { id: leaver.companyId, name: company },
    person: {
      id: leaver.userId,
      name: leaver.name,
      username: leaver.username,
      email: leaver.email,
      status: leaver.status,
    },
    act: facts.act,
    state: end.state,
    all_access_ended_at: end.at,
    checks: end.lines,
    logouts: facts.logouts.map(({ module, clientId, queuedAt, sentAt, attempts, problem }) => ({
      module,
      client_id: clientId,
      queued_at: queuedAt,
      sent_at: sentAt,
      attempts,
      problem,
    })),
    modules: facts.accounts.map(({ instanceId, instance, module, account, deliveries }) => ({
      instance: { id: instanceId, name: instance, module },
      account,
      receipts: deliveries.map(receiptOf),
    })),
    audit: events.map(({ id, at, action, actor, details, chain }) => ({
      id,
      at,
      action,
      actor: actor.name,
      details,
      chain: chain && {
        seq: chain.seq,
        event_sha256: chain.eventHash,
        hash: chain.hash,
        sealed_at: chain.sealedAt,
      },
    })),
    audit_head: chainHead,
  };
}

const receiptOf = (delivery: Delivery) => ({
  id: delivery.id,
  seq: delivery.seq,
  act: delivery.act,
  channel: delivery.channel,
  reason: delivery.reason,
  account: delivery.externalId,
  state: delivery.state,
  attempts: delivery.attempts,
  queued_at: delivery.queuedAt,
  sent_at: delivery.sentAt,
  accepted_at: delivery.acceptedAt,
  verified_at: delivery.verifiedAt,
  ended_at: delivery.endedAt,
  answer: delivery.answer,
});
