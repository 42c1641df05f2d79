// Copies of settings for the door, one a process. A copy is asked for by instance and version, and the version comes with every record
// that the engine reads, so a copy is never older than the request that uses it; a warm one costs no statement.
import type { InstanceId } from '../../lib/ids.ts';
import type { Settings } from './settings.ts';

/** More are connected on one server only by many companies; the ones used least are read again. */
const mostKept = 5000;

export interface SettingsCopies {
  /** Those that exist, by instance. */
  get(wanted: { id: InstanceId; version: number }[]): Promise<ReadonlyMap<string, Settings>>;
}

export function createSettingsCopies(read: (ids: InstanceId[]) => Promise<Settings[]>): SettingsCopies {
  // In the order in which they were used.
  const copies = new Map<string, Settings>();

  function keep(settings: Settings): void {
    const known = copies.get(settings.instanceId);
    copies.delete(settings.instanceId);
    // Of two that were read at the same moment the later one stays.
    copies.set(settings.instanceId, known && known.version > settings.version ? known : settings);
    for (const oldest of copies.keys()) {
      if (copies.size <= mostKept) return;
      copies.delete(oldest);
    }
  }

  return {
    async get(wanted) {
      const found = new Map<string, Settings>();
      const missing: InstanceId[] = [];
      for (const { id, version } of wanted) {
        const copy = copies.get(id);
        if (copy && copy.version >= version) {
          keep(copy);
          found.set(id, copy);
        } else missing.push(id);
      }
      if (missing.length > 0)
        for (const settings of await read(missing)) {
          keep(settings);
          found.set(settings.instanceId, settings);
        }
      return found;
    },
  };
}
