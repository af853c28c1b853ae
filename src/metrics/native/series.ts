/**
 * The native buckets of a histogram's or summary's series: blocks of cells, reserved as values appear.
 *
 * Nothing is ever moved between cells, since somebody may be reading. At a coarser resolution new blocks count
 * on from zero; the old ones stay, and readers bring all of them together.
 */
import { activeBackend, type CellOwner } from '../../backends/active.js';
import type { Cells, Move } from '../../backends/backend.js';
import { BLOCK_BITS, BLOCK_SIZE, blockName, NEGATIVE, zeroName } from '../../model/native/parts.js';
import { coarseNow } from '../../system/clock.js';
import type { Child } from '../metric-family.js';
import { PowerIndex } from './power-index.js';
import type { NativeRule, Observer, Upkept } from './rule.js';
import { limit, readSeries } from './upkeep.js';

/** All series of one family. */
export class NativeFamily implements CellOwner {
  readonly rule: NativeRule;
  readonly series = new Set<NativeSeries>();

  constructor(rule: NativeRule) {
    this.rule = rule;
    activeBackend().add(this);
  }

  migrate(move: Move): void {
    for (const { labels, blocks } of this.series) {
      for (const [name, block] of blocks) {
        Object.assign(block, move({ family: this.rule.parts, labels: [...labels, name] }, block));
      }
    }
  }
}

/** A part: cells, and which they are. */
interface Block extends Child {
  readonly key: number;
}

/** Copies: V8 looks at each import anew, to see whether it is there by now. */
const BITS = BLOCK_BITS;
const MASK = BLOCK_SIZE - 1;
const BELOW_ZERO = NEGATIVE;

/** Blocks at hand, found by the last bits of their keys. One octave takes 8 at the finest resolution. */
const AT_HAND = 32;

/** The native buckets of one series. */
export class NativeSeries implements Upkept {
  readonly family: NativeFamily;
  readonly labels: readonly string[];
  readonly owner: Observer;
  readonly blocks = new Map<string, Block>();
  populated = 0;
  since = coarseNow();
  threshold = 0;
  #index = PowerIndex.of(0);
  #atHand: (Block | undefined)[] = [];
  #zero!: Block;
  /** How wide the zero bucket was, at least, since values are counted at this resolution: if it was widened. */
  #floor = 0;
  /** The cell of a block's first bucket. The one before it is for its age. */
  readonly #first: number;
  /** The age bucket that counts now: its number in all of time, when it ends, and the end of its names. */
  #slot = 0;
  #until = 0;
  #age = '';

  constructor(family: NativeFamily, labels: readonly string[], owner: Observer) {
    this.family = family;
    this.labels = labels;
    this.owner = owner;
    const { schema, zeroThreshold, parts } = family.rule;
    this.#first = parts.cells - BLOCK_SIZE;
    family.series.add(this);
    this.use(schema, zeroThreshold);
  }

  get rule(): NativeRule {
    return this.family.rule;
  }

  get schema(): number {
    return this.#index.schema;
  }

  use(schema: number, threshold: number): void {
    const isWidened = threshold > this.rule.zeroThreshold;
    if (schema !== this.schema) this.#floor = isWidened ? threshold : 0;
    this.#index = PowerIndex.of(schema);
    this.threshold = threshold;
    this.#turn();
    if (!isWidened) return;
    const { page, offset } = this.#zero;
    page[offset + this.#first + 1] = 1;
  }

  /** The value is a number other than NaN. */
  observe(value: number): void {
    if (this.#first > 0 && coarseNow() >= this.#until) this.#turn();
    const distance = Math.abs(value);
    if (distance <= this.threshold) {
      const { page, offset } = this.#zero;
      page[offset + this.#first]! -= -1;
      return;
    }
    const index = this.#index.indexOf(distance);
    const key = (index >> BITS) + (value < 0 ? BELOW_ZERO : 0);
    let block = this.#atHand[key & (AT_HAND - 1)];
    if (block === undefined || block.key !== key) block = this.#blockOf(key);
    const { page } = block;
    const at = block.offset + this.#first + (index & MASK);
    const before = page[at]!;
    page[at] = before - -1;
    if (before === 0) this.#populate(value);
  }

  /** What `get()` shows of it. */
  read(): object {
    return readSeries(this);
  }

  /** The series was removed: from now on it counts for nobody. */
  end(): void {
    const { rule, series } = this.family;
    if (!series.delete(this)) return;
    for (const block of this.blocks.values()) {
      activeBackend().backend.release(rule.parts, block);
      Object.assign(block, this.#reserve(''));
    }
  }

  #populate(value: number): void {
    const { maxBuckets } = this.family.rule;
    this.populated += 1;
    if (maxBuckets > 0 && this.populated > maxBuckets) limit(this, value);
  }

  /** Begins anew; with an age, in the place of the age bucket that is forgotten. */
  #turn(): void {
    const { slotSeconds, slots } = this.family.rule;
    if (slotSeconds > 0) {
      this.#slot = Math.floor(coarseNow() / slotSeconds);
      this.#until = (this.#slot + 1) * slotSeconds;
      this.#age = `@${this.#slot % slots}`;
      for (const [name, block] of this.blocks) if (name.endsWith(this.#age)) this.#clear(block);
    }
    this.#atHand = new Array(AT_HAND);
    this.#zero = this.#blockNamed(zeroName(this.schema, this.threshold), Number.NaN);
  }

  /** First the numbers and then the time: who reads meanwhile finds nothing, and not the old as new. */
  #clear({ page, offset }: Cells): void {
    page.fill(0, offset, offset + this.#first + BLOCK_SIZE);
    page[offset] = this.#slot;
  }

  #blockOf(key: number): Block {
    const block = this.#blockNamed(blockName(this.schema, key, this.#floor), key);
    this.#atHand[key & (AT_HAND - 1)] = block;
    return block;
  }

  #blockNamed(name: string, key: number): Block {
    const aged = name + this.#age;
    let block = this.blocks.get(aged);
    if (block === undefined) {
      const { page, offset } = this.#reserve(aged);
      block = { page, offset, key };
      if (this.#first > 0) this.#clear(block);
      this.blocks.set(aged, block);
    }
    return block;
  }

  #reserve(name: string): Cells {
    const { rule, series } = this.family;
    const { parts: family } = rule;
    if (!series.has(this)) return { page: new Float64Array(family.cells), offset: 0 };
    return activeBackend().backend.reserve({ family, labels: [...this.labels, name] });
  }
}
