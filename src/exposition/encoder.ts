/** What an encoder is: families to bytes. */
import type { FamilySnapshot } from '../model/family.js';

/**
 * What becomes of names that not every reader knows, such as `http.requests`. `allow-utf-8` leaves them as they
 * are; the others replace what is not a letter, digit or underscore: `underscores` by `_`, `dots` by `_dot_` and
 * `__`, `values` by the number of the character.
 *
 * @see https://prometheus.io/docs/instrumenting/escaping_schemes/
 */
export type Escaping = 'underscores' | 'dots' | 'values' | 'allow-utf-8';

/** What an encoder is told besides the families. */
export interface EncodeOptions {
  /** @defaultValue `'underscores'` */
  readonly escaping: Escaping;
  /**
   * Whether to write when each series began to count, where the format has a place for it and that is known.
   *
   * @defaultValue `false`
   */
  readonly created: boolean;
  /**
   * Whether a chunk may be written over when the one after the next is asked for. Large scrapes make no garbage
   * then; whoever keeps chunks, or sends them without waiting, must not ask for it.
   *
   * @defaultValue `false`
   */
  readonly reuse?: boolean;
}

/** Writes families as chunks of bytes. Nothing is kept: a chunk can be sent while the next is written. */
export type Encoder = (families: Iterable<FamilySnapshot>, options: EncodeOptions) => Iterable<Uint8Array>;
