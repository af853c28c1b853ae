/**
 * The layout of a writer's file, version 1. Native byte order; everything begins at a multiple of 8.
 *
 * ```
 * header   0  magic: "METHEUS\n"                     8  version: int32
 *         12  byte order: int32, 0x01020304         16  headerLength: int32, where the records begin
 *         20  used: int32, bytes of whole records and the header (atomic; written last)
 *         24  pid: int32                            28  liveness: int32 (atomic), how to tell whether the
 *         32  start: float64, start time of the         owner lives: 0 it has closed the file; 1 by its
 *             process in clock ticks since boot;        pid and start; 2 by its lock on the file
 *             0 when not known                      40  created: float64, Unix seconds
 *         48  boot id: 36 ASCII bytes, padded to 40
 *         88  pidNamespace: float64, what the pid is valid in; 0 when not known
 *         96  records …
 *
 * record   0  length: int32, of the whole record     4  state: int32 (atomic); lowest byte: 0 gap, 1 in use,
 *          8  crc: int32, CRC-32 of bytes               2 removed; the others: number of times used
 *             12–23 and the text
 *         12  textLength: int32                     16  family: int32; -1 declares one, -2 lists ids
 *         20  cells: int32                          24  created: float64, Unix seconds
 *         32  text: UTF-8 JSON, padded to 8; a SeriesIdentity, a FamilyDescriptor, or ids
 *             cells: float64 × cells
 * ```
 *
 * A record's body is written first and `used` afterwards, so that readers see whole records only, even when the writer
 * is killed in between. Records never straddle chunks, since each chunk is mapped by itself; a gap fills the rest of a
 * chunk. Families are numbered in the order of the records that declare them.
 *
 * The place of a removed record is used again by a series whose record has the same length. The state stays "removed"
 * until the new body is complete. A reader that has missed the removal notices it by the number of uses in the state.
 */

import type { FamilyDescriptor } from '../../model/family.js';
import { crc32 } from '../../system/checksum.js';
import type { ProcessIdentity } from '../../system/process-identity.js';
import type { Writer } from '../backend.js';

export const MAGIC = Buffer.from('METHEUS\n');
export const VERSION = 1;
export const BYTE_ORDER = 0x01020304;
export const HEADER_BYTES = 96;
/** Size by which files grow. A larger record takes a multiple of it. */
export const CHUNK_BYTES = 65536;
/** Maximum bytes of a file: readers hold it in memory, and `used` is an int32. */
export const MAX_BYTES = 2 ** 30;
/** Maximum bytes of a record. */
export const MAX_RECORD_BYTES = 2 ** 24;
export const FILE_SUFFIX = '.metheus';

const RECORD_HEADER = 32;
const CRC_BEGINS = 12;
const CRC_HEADER = 12;

export const GAP = 0;
export const IN_USE = 1;
export const REMOVED = 2;
const KIND = 0xff;

/** Values of a header's liveness. */
export const CLOSED = 0;
export const LIVE_BY_PID = 1;
export const LIVE_BY_LOCK = 2;

/** Value of a record's family: the record declares a family. */
export const DECLARES = -1;

/**
 * Family number that marks a record as an exemplar. The state of such a record is always `removed`, so that versions
 * of the package that do not know exemplar records skip it.
 */
export const EXEMPLAR = -3;

/** Value of a record's family: the record lists the ids of the files that were compacted into this one. */
export const COMPACTED = -2;

/** The content of the text of a record that holds a series. */
export interface SeriesIdentity {
  readonly labels: readonly string[];
  /** A thread of the process, or an ended writer in an archive; by default the process itself. */
  readonly writer?: Pick<Writer, 'id' | 'live'> | undefined;
}

/**
 * Views of the same bytes as integers, bytes and cells. They are a mapped chunk of a file, or content that was read.
 */
export class Bytes {
  readonly ints: Int32Array;
  readonly bytes: Uint8Array;
  readonly cells: Float64Array;

  constructor(buffer: ArrayBuffer, offset = 0, length = buffer.byteLength - offset) {
    this.ints = new Int32Array(buffer, offset, length >> 2);
    this.bytes = new Uint8Array(buffer, offset, length);
    this.cells = new Float64Array(buffer, offset, length >> 3);
  }
}

export function writeHeader({ ints, bytes, cells }: Bytes, owner: ProcessIdentity, liveness: number): void {
  const { pid, start, bootId, pidNamespace } = owner;
  bytes.set(MAGIC);
  ints.set([VERSION, BYTE_ORDER, HEADER_BYTES, HEADER_BYTES, pid, liveness], 2);
  cells.set([start, Date.now() / 1000], 4);
  bytes.set(Buffer.from(bootId.padEnd(40, '\0').slice(0, 40), 'latin1'), 48);
  cells[11] = pidNamespace;
}

/** Returns the liveness: `CLOSED`, `LIVE_BY_PID` or `LIVE_BY_LOCK`. */
export function livenessOf({ ints }: Bytes): number {
  return Atomics.load(ints, 7);
}

/** Marks the owner as ended. */
export function setClosed({ ints }: Bytes): void {
  Atomics.store(ints, 7, CLOSED);
}

/** Reasons for which a file cannot be read. */
export type FileFault = 'empty' | 'magic' | 'version' | 'byte-order' | 'record' | 'unreadable';

/** The header of a file. */
export interface FileHeader extends ProcessIdentity {
  /** Unix seconds. */
  readonly created: number;
  /** Offset of the first record. */
  readonly records: number;
}

/** Returns the header, or the fault that makes it invalid. */
export function readHeader({ ints, bytes, cells }: Bytes): FileHeader | FileFault {
  if (bytes.length < HEADER_BYTES) return 'empty';
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) return 'magic';
  if (ints[3] !== BYTE_ORDER) return 'byte-order';
  if (ints[2] !== VERSION) return 'version';
  const records = ints[4]!;
  if (records < HEADER_BYTES || records % 8 !== 0 || records > bytes.length) return 'record';
  const bootId = Buffer.from(bytes.subarray(48, 88)).toString('latin1').replace(/\0+$/, '');
  const [start, created, pidNamespace] = [cells[4]!, cells[5]!, cells[11]!];
  return { pid: ints[6]!, start, bootId, pidNamespace, created, records };
}

/** Returns the offset at which whole records end. */
export function usedBytes({ ints }: Bytes): number {
  return Atomics.load(ints, 5);
}

/** Publishes the records up to an offset. This is the last step of every append. */
export function setUsedBytes({ ints }: Bytes, used: number): void {
  Atomics.store(ints, 5, used);
}

const align = (bytes: number) => (bytes + 7) & ~7;

export function recordLength(textLength: number, cells: number): number {
  return RECORD_HEADER + align(textLength) + cells * 8;
}

/**
 * Writes a record with zeroed cells over a removed record of the same length, or over zeros. Returns the index of its
 * first cell in `cells`.
 */
export function writeRecord(
  to: Bytes,
  at: number,
  text: Uint8Array,
  family: number,
  cells: number,
  created = Date.now() / 1000,
): number {
  const length = recordLength(text.length, cells);
  const int = at / 4;
  const uses = to.ints[int + 1]! >>> 8;
  to.ints[int] = length;
  to.ints[int + 3] = text.length;
  to.ints[int + 4] = family;
  to.ints[int + 5] = cells;
  to.cells[at / 8 + 3] = created;
  to.bytes.set(text, at + RECORD_HEADER);
  to.ints[int + 2] = checksum(to, at, text.length);
  const cellIndex = (at + length) / 8 - cells;
  to.cells.fill(0, cellIndex, cellIndex + cells);
  Atomics.store(to.ints, int + 1, ((uses + 1) << 8) | IN_USE);
  return cellIndex;
}

/** Fills the rest of a chunk with a gap. */
export function writeGap(to: Bytes, at: number): void {
  to.ints[at / 4] = to.bytes.length - at;
  to.ints[at / 4 + 1] = GAP;
}

export interface RecordView {
  readonly length: number;
  readonly state: number;
  readonly kind: number;
  readonly family: number;
  /** JSON; empty for a gap and a removed record. */
  readonly text: string;
  readonly cells: number;
  /** Unix seconds. */
  readonly created: number;
  /** Index of the record's first cell in {@link Bytes.cells}. */
  readonly cellIndex: number;
}

/** Returns the record at an offset; undefined unless there is a valid record that does not go beyond `end`. */
export function readRecord(from: Bytes, at: number, end: number): RecordView | undefined {
  const int = at / 4;
  const length = from.ints[int]!;
  const state = from.ints[int + 1]!;
  if (length < 8 || length % 8 !== 0 || at + length > end || length > MAX_RECORD_BYTES) return undefined;
  const kind = state & KIND;
  const nothing = { length, state, kind, family: 0, text: '', cells: 0, created: 0, cellIndex: 0 };
  if (state === GAP) return (at + length) % CHUNK_BYTES === 0 ? nothing : undefined;
  if (length < RECORD_HEADER) return undefined;
  // The writer may be overwriting the body, or may have been killed while doing so. Only the length and the exemplar
  // mark are reliable.
  if (kind === REMOVED) return from.ints[int + 4] === EXEMPLAR ? { ...nothing, family: EXEMPLAR } : nothing;
  if (kind !== IN_USE) return undefined;
  const [textLength, family, cells] = [from.ints[int + 3]!, from.ints[int + 4]!, from.ints[int + 5]!];
  if (textLength < 0 || cells < 0 || textLength > length || cells > length) return undefined;
  if (recordLength(textLength, cells) !== length) return undefined;
  if (from.ints[int + 2] !== checksum(from, at, textLength)) return undefined;
  const start = at + RECORD_HEADER;
  const text = Buffer.from(from.bytes.subarray(start, start + textLength)).toString();
  const created = createdAt(from, at);
  return { length, state, kind, family, text, cells, created, cellIndex: (at + length) / 8 - cells };
}

/** Returns the Unix seconds at which a record's series began to count. */
export function createdAt({ cells }: Bytes, at: number): number {
  return cells[at / 8 + 3]!;
}

/** Marks a record as removed. */
export function setRemoved({ ints }: Bytes, at: number): void {
  const int = at / 4 + 1;
  Atomics.store(ints, int, (ints[int]! & ~KIND) | REMOVED);
}

/** Returns the state of a record. It differs whenever the record was removed or used again. */
export function stateOf({ ints }: Bytes, at: number): number {
  return ints[at / 4 + 1]!;
}

/** Reports whether a record holds a series that is not removed. */
export function isSeriesInUse(from: Bytes, at: number): boolean {
  return isInUse(stateOf(from, at)) && from.ints[at / 4 + 4]! >= 0;
}

export function isInUse(state: number): boolean {
  return (state & KIND) === IN_USE;
}

function checksum({ bytes }: Bytes, at: number, textLength: number): number {
  const fixed = crc32(bytes.subarray(at + CRC_BEGINS, at + CRC_BEGINS + CRC_HEADER));
  return crc32(bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + textLength), fixed) | 0;
}

/** Parses the text of a record. Returns undefined if it is not JSON. */
export function parseContent(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reports whether the content of a record is a series of a family. */
export function isSeries(content: unknown, { labelNames }: FamilyDescriptor): content is SeriesIdentity {
  const { labels, writer } = Object(content) as SeriesIdentity;
  if (!isStrings(labels) || labels.length !== labelNames.length) return false;
  if (!labels.every((label) => label.isWellFormed())) return false;
  return writer === undefined || (isWriterId(writer?.id) && typeof writer.live === 'boolean');
}

/** Maximum length of the id of a writer, which can become a label value. */
const MAX_ID_LENGTH = 256;

function isWriterId(id: unknown): boolean {
  return typeof id === 'string' && id.length <= MAX_ID_LENGTH && id.isWellFormed();
}

export function isStrings(content: unknown): content is string[] {
  return Array.isArray(content) && content.every((text) => typeof text === 'string');
}
