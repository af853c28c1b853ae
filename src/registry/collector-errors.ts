/** The metric that counts failures of collectors. */
import { activeBackend, type CellOwner } from '../backends/active-backend.js';
import type { Cells, Move } from '../backends/backend.js';
import { isPrivateScope } from '../model/collector.js';
import type { FamilyDescriptor } from '../model/family.js';
import type { FailureCause } from './run-collectors.js';

interface Series extends Cells {
  readonly labels: readonly string[];
}

/**
 * Counts the failures of a registry's collectors. Its cells belong to the backend, so the failures of several threads
 * and processes add up.
 */
export class CollectorErrors implements CellOwner {
  readonly family: FamilyDescriptor;
  /** The series by labels. */
  readonly #series = new Map<string, Series>();

  constructor(scope: string) {
    this.family = {
      scope,
      name: 'metheus_collector_errors_total',
      help: 'Failures of collectors.',
      type: 'counter',
      unit: '',
      labelNames: ['collector', 'cause'],
      cells: 1,
      merge: 'add',
      bounds: [],
    };
    // Cells of private families never move to another backend, so they need no registration.
    if (!isPrivateScope(scope)) activeBackend().add(this);
  }

  count(collector: string, cause: FailureCause): void {
    const labels = [collector, cause];
    const key = labels.join();
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { labels, ...activeBackend().of(this.family).reserve({ family: this.family, labels }) };
      this.#series.set(key, series);
    }
    series.page[series.offset]! += 1;
  }

  migrate(move: Move): void {
    const { family } = this;
    for (const [key, series] of this.#series) {
      const { labels } = series;
      this.#series.set(key, { labels, ...move({ family, labels }, series) });
    }
  }
}
