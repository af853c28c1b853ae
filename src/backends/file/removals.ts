/** Removed series that are still to be deleted from the files of ended processes. */
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import { matchesLabels } from '../../model/labels.js';
import { findOrCreate } from '../../system/find-or-create.js';
import type { LabelPattern } from '../backend.js';
import type { MetricsFile } from './metrics-file.js';

export interface Removal {
  readonly family: FamilyDescriptor;
  readonly labels: LabelPattern;
}

interface Patterns {
  /** Patterns with a value for every label, as JSON. */
  readonly complete: Set<string>;
  readonly partial: LabelPattern[];
}

export class Removals {
  /** By family key. */
  readonly #families = new Map<string, Patterns>();

  constructor(removals: readonly Removal[] = []) {
    const create = (): Patterns => ({ complete: new Set(), partial: [] });
    for (const { family, labels } of removals) {
      const { complete, partial } = findOrCreate(this.#families, familyKey(family), create);
      if (labels.includes(undefined)) partial.push(labels);
      else complete.add(JSON.stringify(labels));
    }
  }

  /** Reports whether a series is to be deleted. */
  has(key: string, labels: readonly string[]): boolean {
    const patterns = this.#families.get(key);
    if (patterns === undefined) return false;
    const { complete, partial } = patterns;
    if (complete.size > 0 && complete.has(JSON.stringify(labels))) return true;
    return partial.some((pattern) => matchesLabels(labels, pattern));
  }

  /** Reports whether a file has a series that is to be deleted. */
  isIn({ tables }: MetricsFile): boolean {
    for (const table of tables.values()) {
      if (!this.#families.has(table.key)) continue;
      for (const { labels } of table.series()) if (this.has(table.key, labels)) return true;
    }
    return false;
  }
}
