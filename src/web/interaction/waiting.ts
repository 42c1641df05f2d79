// The login that somebody left for "Can't log in?": this browser finds back to it, as long as it waits.
import { z } from 'zod';
import { recordId } from '../../domain/sessions/session.ts';
import { hours } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, getSealedCookie, setSealedCookie } from '../context.ts';
import { ticketPath } from './begin.ts';
import type { Ticket } from './ticket.ts';

const noteSchema = z.object({ uid: z.string() });

/** The cookies of a login are below its own address; a note for the pages that stand elsewhere. */
export function noteWaiting(ctx: Context, runtime: Runtime, { uid }: Ticket): void {
  setSealedCookie(ctx, runtime, 'waiting', { uid }, { maxAge: hours(1) });
}

/** Path of the login that this browser has left and that still waits, or null. */
export async function findWaiting(ctx: Context, runtime: Runtime): Promise<string | null> {
  const note = noteSchema.safeParse(getSealedCookie(ctx, runtime, 'waiting'));
  if (!note.success) return null;
  const [row] = await ctx.state.work.store.records.read([recordId('Interaction', note.data.uid)]);
  // One that has its answer has been finished.
  return row && row.payload.result === undefined ? ticketPath(note.data.uid) : null;
}
