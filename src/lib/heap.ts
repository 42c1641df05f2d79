// How much of the machine's memory the process keeps beside what it needs. V8's own answers are those for a program that has the
// machine for itself: it keeps what starting up has grown, and collects late. Command-line flags would not do, since there are
// many ways to start; the two below are read whenever the heap is about to grow, so they take effect while running.
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * The place of new objects, both its halves. V8 would go to twice as much for a gain of one per cent; half as much costs six,
 * since a request under way is then copied more often.
 */
const youngLimit = 64 * 1024 * 1024;

/**
 * To be called before all else is loaded. Loading is a flood of objects that stay, and would stretch the place of short-lived ones
 * to its full size, which an idle process never gives back.
 */
export function keepHeapSmall(): void {
  letYoungGrow(false);
  // The place of old objects may double between full collections; left to itself it quadruples, and they cost as much either way.
  setFlagsFromString('--heap-growing-percent=100');
}

/** To be called once all has started: throws away what that has left behind, and lets the heap grow with the load from now on. */
export function settleHeap(): void {
  collectThoroughly();
  letYoungGrow(true);
  let may = true;
  new PerformanceObserver(() => {
    const wanted = youngSize() < youngLimit;
    if (wanted !== may) letYoungGrow(wanted);
    may = wanted;
  }).observe({ entryTypes: ['gc'] });
}

function letYoungGrow(may: boolean): void {
  setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
}

function youngSize(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

/** What V8 does before it gives up for want of memory: it also gives back what it had kept in reserve. Node offers no other way to ask. */
function collectThoroughly(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
