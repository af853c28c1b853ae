/** The metrics that are delivered: of which registry, and of which processes. */

import type { FamilySnapshot } from '../model/family.js';
import { invalidValue } from '../model/options.js';
import { REGISTRY } from '../registry/default-registry.js';
import type { Collectable } from '../registry/encode.js';

/** Options of everything that delivers metrics. */
export interface PushedMetrics {
  /** The registry whose metrics are delivered. @defaultValue the default registry */
  readonly registry?: Collectable;
  /**
   * Whether to deliver the numbers of all processes that share the backend, also of ended ones. At most one process
   * should do that, and the others should deliver nothing. Otherwise each process delivers its own numbers.
   *
   * @defaultValue `false`
   */
  readonly shared?: boolean;
}

/** Names of the options in {@link PushedMetrics}. */
export const PUSHED_OPTIONS = ['registry', 'shared'];

/**
 * Returns a function that collects the metrics.
 *
 * @throws `METHEUS_INVALID_OPTIONS`
 */
export function collectorOf(options: PushedMetrics): () => Promise<readonly FamilySnapshot[]> {
  const { registry = REGISTRY, shared = false } = options;
  if (typeof (registry as Collectable | null)?.collect !== 'function') {
    throw invalidValue('registry', registry, 'a registry, or an object with a collect() method');
  }
  if (typeof shared !== 'boolean') throw invalidValue('shared', shared, 'true or false');
  return () => registry.collect({ own: !shared });
}

/** Returns a family without the timestamps of its series. */
export function withoutTimestamps({ timestamps: _, ...snapshot }: FamilySnapshot): FamilySnapshot {
  return snapshot;
}
