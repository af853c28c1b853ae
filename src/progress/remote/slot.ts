/**
 * One bar's place on a board: a few numbers and the look of the bar, in memory that its thread writes and its drawer
 * reads, also after the thread is gone.
 *
 * ```
 * byte  0  drawn: int32, the newest serial whose end is on the screen; the only field that the drawer writes
 *       4  crc: CRC-32 of all that follows, up to the end of the look
 *       8  version: int32, grows with every write          12  serial: int32, one more for each bar of the slot
 *      16  state: int32, see SlotState                     20  lookLength: int32, bytes
 *      24  float64: begun, n, total (NaN: none), elapsed, written, rate (NaN: none), counted, page, offset
 *      96  look: UTF-8 JSON, SlotSettings
 * ```
 *
 * A reader may look while a write is half done: then the checksum is wrong, and what was read before stays.
 */

import { crc32 } from '../../system/checksum.js';
import type { Outcome } from '../bar/bar-state.js';
import { FAILED, FINISHED } from '../bar/record.js';
import { encodeSettings, type SlotSettings } from './look.js';

export const SLOT_BYTES = 2048;
/** Where the part begins that the bar's thread writes. */
export const WRITTEN = 4;

const DRAWN = 0;
const CRC = 1;
const VERSION = 2;
const SERIAL = 3;
const STATE = 4;
const LOOK_LENGTH = 5;
const CHECKED = 8;
const NUMBERS = 24;
const LOOK = 96;
const LOOK_CAPACITY = SLOT_BYTES - LOOK;

/** No bar was here yet. */
export const EMPTY = 0;
/** A bar is on the screen. */
export const OPEN = 1;
/** With an outcome, the bar is to leave its last frame, or to go. */
export type SlotState = typeof EMPTY | typeof OPEN | Outcome;

/** Has the bar ended? */
export function isClosed(state: SlotState): state is Outcome {
  return state === FINISHED || state === FAILED;
}

/** A bar's numbers when its slot was written. */
export interface BarNumbers {
  readonly n: number;
  readonly total: number | null;
  /** Seconds since the bar's start. */
  readonly elapsed: number;
  /** When that was: Unix time in seconds. */
  readonly written: number;
  /** Smoothed units per second. */
  readonly rate: number | null;
  /** What the bar's record had counted: what it has counted since is on top of `n`. */
  readonly counted: number;
  /** Which of the thread's pages that record is in; -1 when the drawer cannot read it. */
  readonly page: number;
  readonly offset: number;
}

/** A slot at one moment. */
export interface SlotContent {
  readonly version: number;
  readonly serial: number;
  /** When the bar took the slot, in seconds since some moment: bars are drawn in this order. */
  readonly begun: number;
  readonly state: SlotState;
  readonly numbers: BarNumbers;
  readonly settings: SlotSettings;
}

/** There never was a bar in the slot; or it is being written, and a later look will find it whole. */
export type NoContent = 'empty' | 'torn';

/** Views of one slot in its page. */
class SlotViews {
  readonly ints: Int32Array;
  readonly numbers: Float64Array;
  readonly bytes: Uint8Array;

  constructor(buffer: ArrayBufferLike, at: number) {
    this.ints = new Int32Array(buffer, at, NUMBERS / 4);
    this.numbers = new Float64Array(buffer, at + NUMBERS, (LOOK - NUMBERS) / 8);
    this.bytes = new Uint8Array(buffer, at, SLOT_BYTES);
  }

  checksum(): number {
    const end = LOOK + Math.min(this.ints[LOOK_LENGTH]!, LOOK_CAPACITY);
    return crc32(this.bytes.subarray(CHECKED, end)) | 0;
  }
}

/** The side of the bar's thread. */
export class SlotWriter {
  readonly #views: SlotViews;
  #settings: SlotSettings | undefined;

  constructor(buffer: ArrayBufferLike, at: number) {
    this.#views = new SlotViews(buffer, at);
  }

  /** What the drawer has to be given: from {@link WRITTEN} to the end of the look. */
  get written(): Uint8Array {
    const { bytes, ints } = this.#views;
    return bytes.subarray(WRITTEN, LOOK + ints[LOOK_LENGTH]!);
  }

  get serial(): number {
    return this.#views.ints[SERIAL]!;
  }

  get state(): SlotState {
    return this.#views.ints[STATE] as SlotState;
  }

  /** Another bar takes the slot. */
  begin(): void {
    this.#settings = undefined;
    this.#views.ints[SERIAL]! += 1;
    this.#views.ints[STATE] = EMPTY;
    // The same moment for all threads and processes, and finer than the clock of the bars.
    this.#views.numbers[0] = (performance.timeOrigin + performance.now()) / 1000;
  }

  write(state: SlotState, numbers: BarNumbers, settings: SlotSettings): void {
    const { ints, bytes, numbers: cells } = this.#views;
    const { n, total, elapsed, written, rate, counted, page, offset } = numbers;
    // Wrong until the end, for those who read meanwhile.
    Atomics.store(ints, VERSION, ints[VERSION]! + 1);
    ints[STATE] = state;
    const none = Number.NaN;
    cells.set([n, total ?? none, elapsed, written, rate ?? none, counted, page, offset], 1);
    // An object may have changed inside.
    if (settings !== this.#settings || typeof settings.postfix === 'object') {
      const encoded = encodeSettings(settings, LOOK_CAPACITY);
      bytes.set(encoded, LOOK);
      ints[LOOK_LENGTH] = encoded.length;
      this.#settings = settings;
    }
    Atomics.store(ints, CRC, this.#views.checksum());
  }

  /** The newest serial whose end was drawn. */
  get drawn(): number {
    return Atomics.load(this.#views.ints, DRAWN);
  }

  /** Takes over what the drawer wrote elsewhere. */
  set drawn(serial: number) {
    this.#views.ints[DRAWN] = serial;
  }
}

const decoder = new TextDecoder();

/** Writes are rare and short, so that a second look mostly finds the slot whole. */
const LOOKS = 4;

/** The drawer's side. */
export class SlotReader {
  readonly #source: SlotViews;
  readonly #copy = new SlotViews(new ArrayBuffer(SLOT_BYTES), 0);
  #newest: SlotContent | undefined;

  constructor(buffer: ArrayBufferLike, at: number) {
    this.#source = new SlotViews(buffer, at);
  }

  /** The slot as it is now. */
  read(): SlotContent | NoContent {
    for (let look = 0; look < LOOKS; look++) {
      const version = Atomics.load(this.#source.ints, VERSION);
      if (version === (this.#newest?.version ?? 0)) return this.#newest ?? 'empty';
      this.#copy.bytes.set(this.#source.bytes);
      if (this.#copy.ints[CRC] === this.#copy.checksum()) return this.#decode();
    }
    return 'torn';
  }

  #decode(): SlotContent {
    const { ints, numbers, bytes } = this.#copy;
    const cell = (at: number) => numbers[at]!;
    const known = (value: number) => (Number.isNaN(value) ? null : value);
    this.#newest = {
      version: ints[VERSION]!,
      serial: ints[SERIAL]!,
      begun: cell(0),
      state: ints[STATE] as SlotState,
      numbers: {
        n: cell(1),
        total: known(cell(2)),
        elapsed: cell(3),
        written: cell(4),
        rate: known(cell(5)),
        counted: cell(6),
        page: cell(7),
        offset: cell(8),
      },
      settings: JSON.parse(decoder.decode(bytes.subarray(LOOK, LOOK + ints[LOOK_LENGTH]!))) as SlotSettings,
    };
    return this.#newest;
  }

  /** Tells the bar's thread that the end of this bar is on the screen: it may use the slot again. */
  setDrawn(serial: number): void {
    Atomics.store(this.#source.ints, DRAWN, serial);
  }
}
