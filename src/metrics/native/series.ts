/**
 * The native buckets of one series of a histogram or summary: blocks of cells, reserved as values appear.
 *
 * Counts are never moved between cells, since a reader may be reading them. At a coarser schema, new blocks count from
 * zero; the old blocks stay, and readers add all of them up.
 */
import { activeBackend, type CellOwner } from '../../backends/active-backend.js';
import type { Cells, Move } from '../../backends/backend.js';
import { isPrivateScope } from '../../model/collector.js';
import type { Exemplar, FamilyDescriptor, NativeBuckets } from '../../model/family.js';
import type { Labels } from '../../model/labels.js';
import { BLOCK_BITS, BLOCK_SIZE, type BlockAddress, blockLabel } from '../../model/native/blocks.js';
import { quantilesOf } from '../../model/native/buckets.js';
import { addBlock, NativeSum, NO_LIMIT } from '../../model/native/sum.js';
import { coarseNow } from '../../system/clock.js';
import { KeptExemplars } from './kept-exemplars.js';
import type { NativeRule } from './options.js';
import { PowerIndex } from './power-index.js';

/** The metric of the series, which counts the sum and the classic buckets. */
export interface NativeOwner extends Cells {
  readonly descriptor: FamilyDescriptor;
  observe(value: number, exemplar?: Labels): void;
}

/** All series of one family. */
export class NativeFamily implements CellOwner {
  rule: NativeRule;
  readonly series = new Set<NativeSeries>();

  constructor(rule: NativeRule) {
    this.rule = rule;
    activeBackend().add(this);
  }

  migrate(move: Move): void {
    if (!isPrivateScope(this.rule.blockFamily.scope)) this.#move(move);
  }

  /** Moves the blocks to another scope, together with their metric. */
  moveTo(scope: string): void {
    const before = this.rule.blockFamily;
    const blockFamily = Object.freeze({ ...before, scope });
    this.rule = { ...this.rule, blockFamily };
    this.#move(activeBackend().movingTo(before, blockFamily));
  }

  #move(move: Move): void {
    const { blockFamily: family } = this.rule;
    for (const { labels, blocks } of this.series) {
      for (const block of blocks) {
        const request = { family, labels: [...labels, blockLabel(block.address, block.age)] };
        Object.assign(block, move(request, block));
      }
    }
  }
}

/** A block of the series: its cells, and the buckets that they count. */
interface Block {
  page: Float64Array;
  offset: number;
  /** The address among blocks of one schema: {@link BlockAddress.index}, plus {@link NEGATIVE} for negative values. */
  readonly key: number;
  readonly address: BlockAddress;
  /** The number of its age bucket; -1 if values do not age. */
  readonly age: number;
}

// Local copies of imported constants. See docs/v8.md: imported constants.
const BITS = BLOCK_BITS;
const MASK = BLOCK_SIZE - 1;

/**
 * Offset added to the block index of negative values, so that both signs share one table. It is above every index,
 * which is below 2 ** 15. The 16 puts equal indices of both signs into different slots of the cache.
 */
const NEGATIVE = (1 << 16) + 16;
/** Key of the zero bucket: NaN equals no number, so no lookup by value finds it. */
const ZERO = Number.NaN;

/**
 * Size of the cache of blocks, which are found by the last bits of their keys. 4 octaves fit: each has at most 8
 * blocks.
 */
const CACHED_BLOCKS = 32;

export class NativeSeries {
  readonly family: NativeFamily;
  readonly labels: readonly string[];
  readonly owner: NativeOwner;
  readonly blocks: Block[] = [];
  /** Number of buckets with a count, without the zero bucket. May be too high between recounts by {@link #populate}. */
  #populated = 0;
  /** Unix seconds of the last reset, or of the beginning of the series if there was none. */
  #since = coarseNow();
  #index = PowerIndex.of(0);
  #threshold = 0;
  /** The bound of new blocks: see {@link BlockAddress.bound}. */
  #bound = 0;
  #cache: (Block | undefined)[] = [];
  /** The blocks of the current schema, bound and age, by key. */
  #current = new Map<number, Block>();
  #zero!: Block;
  /** Undefined until the first exemplar is kept. */
  #exemplars: KeptExemplars | undefined;
  /** Index of the first count among the cells of a block: 1 if the first cell is the age, else 0. */
  readonly #first: number;
  /** The current age bucket: its index, the number of its period since 1970, and the Unix seconds at which it ends. */
  #age = -1;
  #period = 0;
  #until = 0;

  constructor(family: NativeFamily, labels: readonly string[], owner: NativeOwner) {
    this.family = family;
    this.labels = labels;
    this.owner = owner;
    const { schema, zeroThreshold, blockFamily } = family.rule;
    this.#first = blockFamily.cells - BLOCK_SIZE;
    family.series.add(this);
    this.#use(schema, zeroThreshold);
  }

  /** Counts a value, which is a number other than NaN. */
  observe(value: number): void {
    if (this.#first > 0 && this.#isOtherPeriod(coarseNow())) this.#restart();
    const distance = Math.abs(value);
    if (distance <= this.#threshold) {
      const { page, offset } = this.#zero;
      page[offset + this.#first]! -= -1;
      return;
    }
    const index = this.#index.indexOf(distance);
    const key = (index >> BITS) + (value < 0 ? NEGATIVE : 0);
    let block = this.#cache[key & (CACHED_BLOCKS - 1)];
    if (block === undefined || block.key !== key) block = this.#blockOf(key);
    const { page } = block;
    const at = block.offset + this.#first + (index & MASK);
    const before = page[at]!;
    page[at] = before - -1;
    if (before === 0) this.#populate(value);
  }

  /**
   * Reports whether new values belong to another age bucket than the current one. As in readers, a clock that was set
   * back by less than one period makes no difference.
   */
  #isOtherPeriod(now: number): boolean {
    return now >= this.#until || now < this.#until - 2 * this.family.rule.ageSeconds;
  }

  /** Keeps an exemplar of the series. The backend stores the exemplar in a cell of the first block. */
  keepExemplar(exemplar: Exemplar): void {
    const { blockFamily, maxExemplars, maxExemplarAge } = this.family.rule;
    if (maxExemplars === 0) return;
    this.#exemplars ??= new KeptExemplars(maxExemplars, maxExemplarAge);
    const cell = this.#exemplars.add(exemplar);
    activeBackend().of(blockFamily).putExemplar?.(blockFamily, this.blocks[0]!, cell, exemplar);
  }

  /** Returns what this thread has counted, as the metric's `get()` shows it. */
  read(): { native: NativeBuckets } | { quantiles: [number, number][] } {
    const native = this.#sum().result(NO_LIMIT);
    const { type, bounds } = this.owner.descriptor;
    if (type === 'histogram') return { native };
    const values = quantilesOf(native, bounds);
    return { quantiles: bounds.map((quantile, i) => [quantile, values[i]!]) };
  }

  /** Releases the cells of a removed series. Later observations count in private memory. */
  end(): void {
    const { rule, series } = this.family;
    if (!series.delete(this)) return;
    for (const block of this.blocks) {
      activeBackend().of(rule.blockFamily).release(rule.blockFamily, block);
      Object.assign(block, this.#reserve(block.address, block.age));
    }
  }

  /**
   * Handles the first value in a bucket. Keeps the limit of buckets as Prometheus' Go client does: resets the series if
   * that is allowed and the last reset is long enough ago; else widens the zero bucket by the bucket next to it, up to
   * its maximum; else doubles the width of all buckets.
   *
   * @param value - the value, which a reset keeps
   */
  #populate(value: number): void {
    const { minResetDuration, maxBuckets, blockFamily } = this.family.rule;
    this.#populated += 1;
    if (maxBuckets === 0 || this.#populated <= maxBuckets) return;
    const [, maxZeroThreshold] = blockFamily.bounds as readonly [number, number];
    const limited = this.#sum().result({ maxBuckets, maxZeroThreshold });
    this.#populated = limited.positive.index.length + limited.negative.index.length;
    const schema = Math.min(limited.schema, this.#index.schema);
    const threshold = Math.max(limited.zeroThreshold, this.#threshold);
    if (schema === this.#index.schema && threshold === this.#threshold) return;
    if (minResetDuration > 0 && coarseNow() - this.#since >= minResetDuration) this.#reset(value);
    else this.#use(schema, threshold);
  }

  /**
   * Clears everything that this thread has counted in the series, including sum and count, then counts the last value
   * again.
   */
  #reset(value: number): void {
    const { owner } = this;
    const { schema, zeroThreshold, blockFamily } = this.family.rule;
    for (const { page, offset } of this.blocks) page.fill(0, offset, offset + blockFamily.cells);
    owner.page.fill(0, owner.offset, owner.offset + owner.descriptor.cells);
    this.#populated = 0;
    this.#since = coarseNow();
    this.#use(schema, zeroThreshold);
    owner.observe(value);
  }

  #sum(): NativeSum {
    const { blockFamily } = this.family.rule;
    const sum = new NativeSum();
    const now = coarseNow();
    for (const { address, page, offset } of this.blocks)
      addBlock(sum, blockFamily, address, page, offset, now);
    return sum;
  }

  /** Counts at this schema and threshold from now on. */
  #use(schema: number, threshold: number): void {
    const isWidened = threshold > this.family.rule.zeroThreshold;
    if (schema !== this.#index.schema) this.#bound = isWidened ? threshold : 0;
    this.#index = PowerIndex.of(schema);
    this.#threshold = threshold;
    this.#restart();
    if (!isWidened) return;
    const { page, offset } = this.#zero;
    page[offset + this.#first + 1] = 1;
  }

  /** Selects the blocks to count in. A new age bucket reuses the cells of the oldest one, whose counts are dropped. */
  #restart(): void {
    const { ageSeconds, ageBuckets } = this.family.rule;
    if (ageSeconds > 0) {
      this.#period = Math.floor(coarseNow() / ageSeconds);
      this.#until = (this.#period + 1) * ageSeconds;
      this.#age = this.#period % ageBuckets;
      for (const block of this.blocks) if (block.age === this.#age) this.#clear(block);
    }
    const { schema } = this.#index;
    this.#cache = new Array(CACHED_BLOCKS);
    this.#current.clear();
    let zero: Block | undefined;
    for (const block of this.blocks) {
      const { address, age, key } = block;
      if (address.schema !== schema || age !== this.#age) continue;
      if (address.sign !== 0 && address.bound === this.#bound) this.#current.set(key, block);
      else if (address.sign === 0 && address.bound === this.#threshold) zero = block;
    }
    this.#zero = zero ?? this.#add({ schema, sign: 0, index: 0, bound: this.#threshold }, ZERO);
  }

  /** Clears the counts before it sets the age, so that a reader never takes old counts for new ones. */
  #clear({ page, offset }: Cells): void {
    page.fill(0, offset, offset + this.#first + BLOCK_SIZE);
    page[offset] = this.#period;
  }

  #blockOf(key: number): Block {
    let block = this.#current.get(key);
    if (block === undefined) {
      const isNegative = key >= 1 << 15;
      const index = isNegative ? key - NEGATIVE : key;
      const sign = isNegative ? -1 : 1;
      block = this.#add({ schema: this.#index.schema, sign, index, bound: this.#bound }, key);
      this.#current.set(key, block);
    }
    this.#cache[key & (CACHED_BLOCKS - 1)] = block;
    return block;
  }

  #add(address: BlockAddress, key: number): Block {
    const { page, offset } = this.#reserve(address, this.#age);
    const block = { page, offset, key, address, age: this.#age };
    if (this.#first > 0) this.#clear(block);
    this.blocks.push(block);
    return block;
  }

  #reserve(address: BlockAddress, age: number): Cells {
    const { rule, series } = this.family;
    const { blockFamily: family } = rule;
    if (!series.has(this)) return { page: new Float64Array(family.cells), offset: 0 };
    return activeBackend()
      .of(family)
      .reserve({ family, labels: [...this.labels, blockLabel(address, age)] });
  }
}
