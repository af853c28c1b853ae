/**
 * One bar's slot on a board: the newest frame of the bar, in memory that its thread or process writes. The parent reads
 * it, also after the writer has ended.
 *
 * ```
 * byte  0  drawn: int32, serial of the newest bar whose last frame was drawn; the only field that the parent writes
 *       4  crc: CRC-32 of all that follows, up to the end of the settings
 *       8  version: int32, grows with every write          12  serial: int32, counts the bars of the slot
 *      16  state: int32, a SlotState                       20  settingsLength: int32, bytes
 *      24  float64: begun, n, total (NaN: none), elapsed, written, rate (NaN: none), counted, page, offset
 *      96  settings: UTF-8 JSON, SlotSettings
 * ```
 *
 * A read during a write finds a wrong checksum. The parent then keeps the frame that it read before.
 */

import { crc32 } from '../../system/checksum.js';
import type { BarSettings } from '../bar/frame.js';
import { FAILED, FINISHED, INCOMPLETE, type Outcome } from '../bar/record.js';
import { plainPostfix } from '../meter/postfix.js';

export const SLOT_BYTES = 2048;
/** Offset of the first field that the bar's thread writes. */
export const WRITTEN = 4;

const DRAWN = 0;
const CRC = 1;
const VERSION = 2;
const SERIAL = 3;
const STATE = 4;
const SETTINGS_LENGTH = 5;
const CHECKED = 8;
const NUMBERS = 24;
const SETTINGS = 96;
const MAX_SETTINGS_BYTES = SLOT_BYTES - SETTINGS;

/** State of a slot that no bar has used. */
export const EMPTY = 0;
/** State of a slot whose bar is running. */
export const OPEN = 1;
/** An outcome is the state of a bar that has ended. */
export type SlotState = typeof EMPTY | typeof OPEN | Outcome;

/** Reports whether the bar has ended. */
export function isClosed(state: SlotState): state is Outcome {
  return state === FINISHED || state === FAILED || state === INCOMPLETE;
}

/** Cells of a bar that its parent can read. */
export interface CellLocation {
  /** Number of the page; -1 when the parent cannot read it. */
  readonly page: number;
  readonly offset: number;
}

/** Numbers of a bar at the time of a frame. */
export interface SlotNumbers extends CellLocation {
  readonly n: number;
  readonly total: number | null;
  /** Seconds since the bar's start. */
  readonly elapsed: number;
  /** Time of the frame: Unix time in seconds. */
  readonly written: number;
  /** Smoothed units per second. */
  readonly rate: number | null;
  /** Count in the bar's cells at that time. The parent adds to `n` what the cells have counted since then. */
  readonly counted: number;
}

/** The order of the numbers in a slot, after `begun`. */
const NUMBER_FIELDS = ['n', 'total', 'elapsed', 'written', 'rate', 'counted', 'page', 'offset'] as const;

/** Settings of a bar without those that only its own thread needs, and the name of the error that failed it. */
export type SlotSettings = Omit<BarSettings, 'maxinterval' | 'miniters' | 'smoothing' | 'delay'> & {
  readonly error?: string | undefined;
};

/** A slot at one moment. */
export interface SlotContent {
  readonly version: number;
  readonly serial: number;
  /** Time at which the bar took the slot, in seconds. Bars get their rows in this order. */
  readonly begun: number;
  readonly state: SlotState;
  readonly numbers: SlotNumbers;
  readonly settings: SlotSettings;
}

/** `empty`: no bar has used the slot. `torn`: it is being written. */
export type NoContent = 'empty' | 'torn';

/** Views of one slot. */
class SlotViews {
  readonly ints: Int32Array;
  readonly numbers: Float64Array;
  readonly bytes: Uint8Array;

  constructor(buffer: ArrayBufferLike, at: number) {
    this.ints = new Int32Array(buffer, at, NUMBERS / 4);
    this.numbers = new Float64Array(buffer, at + NUMBERS, (SETTINGS - NUMBERS) / 8);
    this.bytes = new Uint8Array(buffer, at, SLOT_BYTES);
  }

  checksum(): number {
    const end = SETTINGS + Math.min(this.ints[SETTINGS_LENGTH]!, MAX_SETTINGS_BYTES);
    return crc32(this.bytes.subarray(CHECKED, end)) | 0;
  }
}

/** Writes a slot, in the thread or process of its bars. */
export class SlotWriter {
  readonly #views: SlotViews;
  #settings: SlotSettings | undefined;

  constructor(buffer: ArrayBufferLike, at: number) {
    this.#views = new SlotViews(buffer, at);
  }

  /** The bytes from {@link WRITTEN} to the end of the settings. */
  get written(): Uint8Array {
    const { bytes, ints } = this.#views;
    return bytes.subarray(WRITTEN, SETTINGS + ints[SETTINGS_LENGTH]!);
  }

  get serial(): number {
    return this.#views.ints[SERIAL]!;
  }

  /** Begins a new bar in this slot. */
  begin(): void {
    this.#settings = undefined;
    this.#views.ints[SERIAL]! += 1;
    this.#views.ints[STATE] = EMPTY;
    // This time is comparable between threads and processes, and finer than that of the bars' clock.
    this.#views.numbers[0] = (performance.timeOrigin + performance.now()) / 1000;
  }

  write(state: SlotState, numbers: SlotNumbers, settings: SlotSettings): void {
    const { ints, bytes, numbers: cells } = this.#views;
    // From here to the end of the write, the checksum is wrong, so that no reader uses the content.
    Atomics.store(ints, VERSION, ints[VERSION]! + 1);
    ints[STATE] = state;
    cells.set(
      NUMBER_FIELDS.map((field) => numbers[field] ?? Number.NaN),
      1,
    );
    // Changed settings are another object. Only a postfix that is an object may change in place.
    if (settings !== this.#settings || (settings.postfix !== null && typeof settings.postfix === 'object')) {
      const encoded = encodeSettings(settings);
      bytes.set(encoded, SETTINGS);
      ints[SETTINGS_LENGTH] = encoded.length;
      this.#settings = settings;
    }
    Atomics.store(ints, CRC, this.#views.checksum());
  }

  /** Serial of the newest bar whose last frame was drawn. */
  get drawn(): number {
    return Atomics.load(this.#views.ints, DRAWN);
  }

  /** Sets the serial that was read from the file, if the board is a file. In shared memory, the parent sets it. */
  set drawn(serial: number) {
    this.#views.ints[DRAWN] = serial;
  }
}

const decoder = new TextDecoder();

/** Maximum attempts to read a slot that is being written. A few suffice, since writes are rare and short. */
const MAX_ATTEMPTS = 4;

/** Reads a slot, in the parent. */
export class SlotReader {
  readonly #source: SlotViews;
  readonly #copy = new SlotViews(new ArrayBuffer(SLOT_BYTES), 0);
  #newest: SlotContent | undefined;
  /** The parsed settings. They stay the same object until their text changes, so that `===` shows a change. */
  #settings: SlotSettings | undefined;
  #settingsText = '';

  constructor(buffer: ArrayBufferLike, at: number) {
    this.#source = new SlotViews(buffer, at);
  }

  /** Returns the newest content. */
  read(): SlotContent | NoContent {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const version = Atomics.load(this.#source.ints, VERSION);
      if (version === (this.#newest?.version ?? 0)) return this.#newest ?? 'empty';
      this.#copy.bytes.set(this.#source.bytes);
      if (this.#copy.ints[CRC] === this.#copy.checksum()) return this.#decode();
    }
    return 'torn';
  }

  #decode(): SlotContent {
    const { ints, numbers, bytes } = this.#copy;
    const fields = Object.fromEntries(NUMBER_FIELDS.map((field, i) => [field, numbers[i + 1]!]));
    const { total, rate } = fields as Record<keyof SlotNumbers, number>;
    const known = (value: number) => (Number.isNaN(value) ? null : value);
    const text = decoder.decode(bytes.subarray(SETTINGS, SETTINGS + ints[SETTINGS_LENGTH]!));
    if (text !== this.#settingsText) {
      this.#settings = JSON.parse(text) as SlotSettings;
      this.#settingsText = text;
    }
    this.#newest = {
      version: ints[VERSION]!,
      serial: ints[SERIAL]!,
      begun: numbers[0]!,
      state: ints[STATE] as SlotState,
      numbers: { ...fields, total: known(total), rate: known(rate) } as SlotNumbers,
      settings: this.#settings!,
    };
    return this.#newest;
  }

  /** Records that the last frame of this bar was drawn, so that the writer can use the slot again. */
  setDrawn(serial: number): void {
    Atomics.store(this.#source.ints, DRAWN, serial);
  }
}

const encoder = new TextEncoder();

/** Maximum lengths of texts. One after the other is tried until the settings fit into the slot. */
const TEXT_LIMITS = [400, 100, 20, 0];

/** Returns settings as JSON that fits into a slot. Texts wider than any screen are cut; a format is left out whole. */
function encodeSettings(given: SlotSettings): Uint8Array {
  const { maxinterval, miniters, smoothing, delay, ...settings } = {
    ...(given as BarSettings),
    postfix: plainPostfix(given.postfix),
  };
  let bytes = encoder.encode(JSON.stringify(settings));
  for (const limit of TEXT_LIMITS) {
    if (bytes.length <= MAX_SETTINGS_BYTES) break;
    bytes = encoder.encode(JSON.stringify(cut(settings, limit)));
  }
  return bytes;
}

function cut(settings: SlotSettings, limit: number): SlotSettings {
  const { desc, unit, postfix, ascii, barFormat, colour } = settings;
  const short = (text: string) => text.slice(0, limit);
  return {
    ...settings,
    desc: short(desc),
    unit: short(unit),
    postfix: typeof postfix === 'number' ? postfix : short(String(postfix ?? '')),
    ascii: typeof ascii === 'string' && ascii.length > limit ? false : ascii,
    barFormat: barFormat !== null && barFormat.length > limit ? null : barFormat,
    colour: colour === null ? null : short(colour),
  };
}
