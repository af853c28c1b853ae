/**
 * Memory mapping and file locks of the C library, through koffi, an optional peer dependency.
 *
 * Only the main thread loads koffi: if a worker were terminated during a call of koffi, the process would abort.
 */
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { warnOnce } from '../../errors.js';
import { addExitStep } from '../../system/exit-steps.js';
import { findOrCreate } from '../../system/find-or-create.js';
import { requireOptional } from '../../system/require-optional.js';
import { HEADER_BYTES } from './layout.js';

/** Access to files as memory, and locks that end with their owner. */
export interface Mapping {
  /** Returns memory for the file's bytes from `offset` on. Numbers that are written to it get into the file. */
  map(file: number, offset: number, length: number): ArrayBuffer;
  /** Whether file locks are available. */
  readonly hasLocks: boolean;
  /** Locks a file until this process unlocks it or ends. Returns `false` at once if it cannot be locked. */
  lock(file: number, kind: 'exclusive' | 'shared'): boolean;
  unlock(file: number): void;
  /** Copies the current content of the memory to the files, unless the kernel does that by itself. */
  flush(): void;
  /** Stops copying memory to a file. */
  forget(file: number): void;
}

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const LOCKS = { shared: 1, exclusive: 2 };
const LOCK_NOT_BLOCKING = 4;
const UNLOCK = 8;

interface Koffi {
  load(library: null): { func(prototype: string): (...args: unknown[]) => unknown };
  view(pointer: unknown, length: number): ArrayBuffer;
  address(pointer: unknown): bigint;
}

/** Loads the mapping of the C library. @throws the error of koffi, or of the function that is missing */
export function loadMapping(): Mapping {
  const koffi = requireOptional('koffi') as Koffi;
  const libc = koffi.load(null);
  const mmap = libc.func('void *mmap(void *, size_t, int, int, int, int64_t)');
  const flock = libc.func('int flock(int, int)') as (file: number, operation: number) => number;
  return {
    map(file, offset, length) {
      const pointer = mmap(null, length, PROT_READ_WRITE, MAP_SHARED, file, offset);
      if (koffi.address(pointer) === 0xffffffffffffffffn) throw new Error('mmap failed');
      return koffi.view(pointer, length);
    },
    hasLocks: true,
    lock: (file, kind) => flock(file, LOCKS[kind] | LOCK_NOT_BLOCKING) === 0,
    unlock: (file) => void flock(file, UNLOCK),
    // The kernel writes mapped memory to the file by itself, even after SIGKILL.
    flush() {},
    forget() {},
  };
}

/** Interval at which {@link WrittenMapping} writes; a `SIGKILL` loses what was counted since the last write. */
const WRITE_MS = 100;
/** Size of the blocks that are compared and written. */
const BLOCK_BYTES = 4096;

/** A section of a file, and its bytes as last written. */
interface Section {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly written: Uint8Array;
}

/** Replacement where files cannot be mapped: memory that is written to the files on a timer and at exit. */
export class WrittenMapping implements Mapping {
  /** Locks need the C library. Without locks, the pid and start time of an owner show whether it lives. */
  readonly hasLocks = false;
  readonly #sections = new Map<number, Section[]>();

  constructor() {
    addExitStep('files', () => this.flush());
    setInterval(() => this.flush(), WRITE_MS).unref();
  }

  map(file: number, offset: number, length: number): ArrayBuffer {
    const section = { offset, bytes: new Uint8Array(length), written: new Uint8Array(length) };
    findOrCreate(this.#sections, file, () => []).push(section);
    return section.bytes.buffer;
  }

  lock(): boolean {
    return false;
  }

  unlock(): void {}

  /**
   * Writes sections from the last to the first, and the header at the end. Readers rely on the header for the length of
   * the records, so these must be in the file before it.
   */
  flush(): void {
    for (const [file, sections] of this.#sections) {
      try {
        for (const section of sections.toReversed()) {
          writeChanged(file, section, section.offset === 0 ? HEADER_BYTES : 0, section.bytes.length);
        }
        writeChanged(file, sections[0]!, 0, HEADER_BYTES);
      } catch (error) {
        warnOnce(`write ${file}`, `Metrics could not be written: ${(error as Error).message}`);
      }
    }
  }

  forget(file: number): void {
    this.#sections.delete(file);
  }
}

function writeChanged(file: number, { offset, bytes, written }: Section, begin: number, end: number): void {
  for (let at = begin; at < end; ) {
    const next = Math.min(end, at - (at % BLOCK_BYTES) + BLOCK_BYTES);
    const now = bytes.subarray(at, next);
    if (Buffer.compare(now, written.subarray(at, next)) !== 0) {
      for (let done = 0; done < now.length; ) {
        done += writeSync(file, now, done, now.length - done, offset + at + done);
      }
      written.set(now, at);
    }
    at = next;
  }
}

let shared: Mapping | undefined;

/** Returns the mapping of this process. Without koffi it writes on a timer, with one warning. */
export function sharedMapping(): Mapping {
  shared ??= isMainThread ? loadBestMapping() : new WrittenMapping();
  return shared;
}

function loadBestMapping(): Mapping {
  try {
    return loadMapping();
  } catch (error) {
    warnOnce(
      'koffi',
      `Metrics are written to files every ${WRITE_MS} ms, not mapped: koffi cannot be loaded ` +
        `(${(error as Error).message.split('\n')[0]}). Run 'npm install koffi', or a kill may lose the last ones.`,
    );
    return new WrittenMapping();
  }
}
