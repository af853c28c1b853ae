/**
 * The native buckets of a histogram's or summary's series: blocks of cells, reserved as values appear.
 *
 * Nothing is ever moved between cells, since somebody may be reading. At a coarser resolution new blocks count
 * on from zero; the old ones stay, and readers bring all of them together.
 */
import { activeBackend, type Tenant } from '../backends/active.js';
import type { Cells, Move } from '../backends/backend.js';
import type { FamilyDescriptor } from '../model/family.js';
import { BLOCK_BITS, BLOCK_SIZE, blockName, keyOf, zeroName } from '../model/native-parts.js';
import { coarseNow } from './coarse-clock.js';
import type { Leaf } from './metric-family.js';
import { PowerIndex } from './power-index.js';

/** How a family counts in native buckets. */
export interface NativeRule {
  /** The hidden family of the blocks. */
  readonly parts: FamilyDescriptor;
  readonly schema: number;
  readonly zeroThreshold: number;
  /** 0: no limit. */
  readonly maxBuckets: number;
  /** Seconds; 0: never. */
  readonly minResetDuration: number;
  /** Seconds of an age bucket; 0 where nothing is forgotten. */
  readonly slotSeconds: number;
  readonly slots: number;
}

/** Whose buckets they are. */
export interface Observer extends Leaf {
  readonly family: FamilyDescriptor;
  observe(value: number): void;
}

/** What is only needed now and then, and loaded when the first such family is made. */
type Upkeep = typeof import('./native-upkeep.js');

/** All series of one family. */
export class NativeFamily implements Tenant {
  readonly rule: NativeRule;
  readonly series = new Set<NativeSeries>();
  upkeep: Upkeep | undefined;

  constructor(rule: NativeRule) {
    this.rule = rule;
    activeBackend().add(this);
    // Until then no limit is kept here; readers keep it anyway.
    void import('./native-upkeep.js').then((upkeep) => {
      this.upkeep = upkeep;
    });
  }

  rehome(move: Move): void {
    for (const { labels, blocks } of this.series) {
      for (const [name, block] of blocks) {
        block.moveTo(move({ family: this.rule.parts, labels: [...labels, name] }, block));
      }
    }
  }
}

/** A part: cells, and which they are. */
export class Block implements Cells {
  page: Float64Array;
  offset: number;
  readonly key: number;
  readonly slot: number;

  /** @param slot - which of the age buckets it belongs to */
  constructor({ page, offset }: Cells, key: number, slot: number) {
    this.page = page;
    this.offset = offset;
    this.key = key;
    this.slot = slot;
  }

  moveTo({ page, offset }: Cells): void {
    this.page = page;
    this.offset = offset;
  }
}

/** Blocks by the last bits of their keys. It doubles as long as two want one place, up to this size. */
const FEWEST_PLACES = 8;
const MOST_PLACES = 256;

/** Where values go at one resolution, and in one age bucket. */
class Places {
  readonly zero: Block;
  blocks: (Block | undefined)[] = new Array(FEWEST_PLACES);

  constructor(zero: Block) {
    this.zero = zero;
  }

  put(block: Block): void {
    let { blocks } = this;
    while (blocks.length < MOST_PLACES && blocks[block.key & (blocks.length - 1)] !== undefined) {
      const wider: (Block | undefined)[] = new Array(blocks.length * 2);
      for (const one of blocks) if (one !== undefined) wider[one.key & (wider.length - 1)] = one;
      blocks = wider;
    }
    blocks[block.key & (blocks.length - 1)] = block;
    this.blocks = blocks;
  }
}

/** The native buckets of one series. */
export class NativeSeries {
  readonly family: NativeFamily;
  readonly labels: readonly string[];
  /** Who counts the sum beside it. */
  readonly owner: Observer;
  /** By the value of their label. */
  readonly blocks = new Map<string, Block>();
  /** How many buckets count something, the zero bucket aside. May be too many: the upkeep counts anew. */
  populated = 0;
  /** Unix seconds of the beginning, or of the last reset. */
  since = coarseNow();
  threshold = 0;
  #index = PowerIndex.of(0);
  /** By age. */
  #places: Places[] = [];
  #now!: Places;
  /** The age bucket that counts now: its number in all of time, and when it ends. */
  #slot = 0;
  #until = Number.POSITIVE_INFINITY;
  #isOver = false;
  /** The cell of a block's first bucket. The one before it is for its age. */
  readonly #first: number;

  constructor(family: NativeFamily, labels: readonly string[], owner: Observer) {
    this.family = family;
    this.labels = labels;
    this.owner = owner;
    const { schema, zeroThreshold, parts } = family.rule;
    this.#first = parts.cells - BLOCK_SIZE;
    family.series.add(this);
    this.use(schema, zeroThreshold);
  }

  get schema(): number {
    return this.#index.schema;
  }

  /** Counts from now on at this resolution. */
  use(schema: number, threshold: number): void {
    this.#index = PowerIndex.of(schema);
    this.threshold = threshold;
    this.#places = [];
    this.#turn();
  }

  /** The value is a number other than NaN. */
  observe(value: number): void {
    if (this.#until < Number.POSITIVE_INFINITY && coarseNow() >= this.#until) this.#turn();
    const { zero, blocks } = this.#now;
    const distance = Math.abs(value);
    if (distance <= this.threshold) {
      zero.page[zero.offset + this.#first]! += 1;
      return;
    }
    const index = this.#index.indexOf(distance);
    const key = keyOf(index >> BLOCK_BITS, value < 0);
    let block = blocks[key & (blocks.length - 1)];
    if (block === undefined || block.key !== key) block = this.#blockOf(key);
    const { page } = block;
    const at = block.offset + this.#first + (index & (BLOCK_SIZE - 1));
    const before = page[at]!;
    page[at] = before + 1;
    if (before === 0) this.#populate(value);
  }

  /** Its own buckets, once the code that reads them is there. */
  read(): object | undefined {
    return this.family.upkeep?.readSeries(this);
  }

  /** The series was removed: from now on it counts for nobody. */
  end(): void {
    const { family, blocks } = this;
    const { parts } = family.rule;
    if (!family.series.delete(this)) return;
    this.#isOver = true;
    for (const block of blocks.values()) {
      activeBackend().backend.release(parts, block);
      block.moveTo(this.#reserve(''));
    }
  }

  #populate(value: number): void {
    const { rule, upkeep } = this.family;
    this.populated += 1;
    if (rule.maxBuckets > 0 && this.populated > rule.maxBuckets) upkeep?.limit(this, value);
  }

  /** Begins an age bucket, in the place of the one that was as many ago as there are. */
  #turn(): void {
    const { slotSeconds, slots } = this.family.rule;
    if (slotSeconds > 0) {
      this.#slot = Math.floor(coarseNow() / slotSeconds);
      this.#until = (this.#slot + 1) * slotSeconds;
    }
    const slot = this.#slot % slots;
    for (const block of this.blocks.values()) if (slotSeconds > 0 && block.slot === slot) this.#clear(block);
    this.#places[slot] ??= new Places(this.#blockNamed(zeroName(this.schema, this.threshold), 0));
    this.#now = this.#places[slot]!;
  }

  /** First the numbers and then the time: who reads meanwhile finds nothing, and not the old as new. */
  #clear({ page, offset }: Block): void {
    page.fill(0, offset, offset + this.#first + BLOCK_SIZE);
    page[offset] = this.#slot;
  }

  #blockOf(key: number): Block {
    const block = this.#blockNamed(blockName(this.schema, key), key);
    this.#now.put(block);
    return block;
  }

  #blockNamed(name: string, key: number): Block {
    const { slotSeconds, slots } = this.family.rule;
    const slot = this.#slot % slots;
    const aged = slotSeconds > 0 ? `${name}@${slot}` : name;
    let block = this.blocks.get(aged);
    if (block === undefined) {
      block = new Block(this.#reserve(aged), key, slot);
      this.blocks.set(aged, block);
      if (slotSeconds > 0) this.#clear(block);
    }
    return block;
  }

  #reserve(name: string): Cells {
    const { parts } = this.family.rule;
    if (this.#isOver) return { page: new Float64Array(parts.cells), offset: 0 };
    return activeBackend().backend.reserve({ family: parts, labels: [...this.labels, name] });
  }
}
