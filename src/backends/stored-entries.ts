/**
 * The entries of a storage that keeps one number for each key.
 *
 * Sums of all writers share one key for each cell, to which each writer adds what it has counted since its last flush.
 * Other cells have a key for each writer, which sets them. Keys are JSON arrays:
 *
 * | key | value |
 * | --- | --- |
 * | `[family, labels, cell]` | a cell of a sum |
 * | `[family, labels, cell, writer]` | a cell of one writer |
 * | `["help", family, text]` | 1 |
 * | `["writer", writer]` | Unix seconds of its last flush; 0 when it has ended |
 */
import type { FamilyDescriptor } from '../model/family.js';
import { isStoredFamily } from '../model/stored-family.js';
import { findOrCreate } from '../system/find-or-create.js';

/** The cells of one series in the storage. */
export interface StoredSeries {
  readonly labels: readonly string[];
  /** Undefined for sums, which belong to all writers. */
  readonly writer: string | undefined;
  readonly values: Map<number, number>;
}

/** The contents of a storage; series and help texts by family key. */
export interface Stored {
  readonly series: Map<string, Map<string, StoredSeries>>;
  readonly help: Map<string, string>;
  readonly seenAt: Map<string, number>;
}

/** Reads the entries of a storage. Keys of other programs are passed over. */
export function readEntries(entries: Iterable<readonly [key: string, value: number]>): Stored {
  const stored: Stored = { series: new Map(), help: new Map(), seenAt: new Map() };
  for (const [key, value] of entries) {
    const parts = partsOf(key);
    const [first, second, third, writer] = parts;
    if (first === 'help') stored.help.set(String(second), String(third));
    else if (first === 'writer') stored.seenAt.set(String(second), Number(value));
    else if (isSeriesKey(parts)) {
      const [family, labels, cell] = parts;
      const series = findOrCreate(stored.series, family, () => new Map<string, StoredSeries>());
      const id = JSON.stringify([labels, writer]);
      const one = findOrCreate(series, id, () => ({
        labels,
        writer: parts[3],
        values: new Map<number, number>(),
      }));
      one.values.set(cell, Number(value));
    }
  }
  return stored;
}

function partsOf(key: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(key);
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}

type SeriesKey = readonly [family: string, labels: readonly string[], cell: number, writer?: string];

/** Reports whether these are the parts of a key that a backend of this class has made. */
function isSeriesKey(parts: readonly unknown[]): parts is SeriesKey {
  const [family, labels, cell, writer] = parts;
  if (typeof family !== 'string' || !Array.isArray(labels) || !Number.isInteger(cell)) return false;
  const described = familyOf(family, '');
  if (!isStoredFamily(described)) return false;
  const { labelNames, cells, merge } = described;
  return (
    labels.length === labelNames.length &&
    labels.every((value) => typeof value === 'string') &&
    (cell as number) >= 0 &&
    (cell as number) < cells &&
    typeof writer === (merge === 'add' ? 'undefined' : 'string')
  );
}

/** Returns the family of a `familyKey`. */
export function familyOf(key: string, help: string): FamilyDescriptor {
  const [scope, name, type, unit, labelNames, cells, merge, bounds] = partsOf(key) as never[];
  return {
    scope: scope!,
    name: name!,
    help,
    type: type!,
    unit: unit!,
    labelNames: labelNames!,
    cells: cells!,
    merge: merge!,
    bounds: bounds!,
  };
}
