/**
 * Memory mapping and file locks, from the C library by way of koffi, an optional peer dependency.
 *
 * Only the main thread comes here: a worker that is terminated inside koffi would abort the process.
 */
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { warnOnce } from '../../errors.js';
import { addExitStep } from '../../system/exit-steps.js';
import { HEADER_BYTES } from './layout.js';

/** How a file's bytes become memory, and how the death of a file's owner is told. */
export interface Mapping {
  /** Memory that is the file's bytes from `offset`: what is written there survives the process. */
  map(file: number, offset: number, length: number): ArrayBuffer;
  /** Whether there are file locks. */
  readonly hasLocks: boolean;
  /** Locks a file until this process unlocks it or dies; false when it cannot, or another holder is in the way. */
  lock(file: number, kind: 'exclusive' | 'shared'): boolean;
  unlock(file: number): void;
  /** Brings everything written so far into the files. */
  flush(): void;
  /** Leaves a file alone from now on. */
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

/** The real thing. @throws when koffi or a function of the C library is not there */
export function loadMapping(): Mapping {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
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
    // The kernel does that by itself, also after SIGKILL.
    flush() {},
    forget() {},
  };
}

/** How often {@link WrittenMapping} writes: what a `SIGKILL` can lose. */
const WRITE_MS = 100;
/** What changed is found and written in pieces of this size. */
const PAGE = 4096;

/** A part of a file, and what was written of it last. */
interface Part {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly written: Uint8Array;
}

/** The same format without mapping: memory that is written to the file on a timer and at exit. */
export class WrittenMapping implements Mapping {
  /** Locks are in the C library: without them, whether an owner lives is told by its pid and start time. */
  readonly hasLocks = false;
  readonly #parts = new Map<number, Part[]>();

  constructor() {
    addExitStep('files', () => this.flush());
    setInterval(() => this.flush(), WRITE_MS).unref();
  }

  map(file: number, offset: number, length: number): ArrayBuffer {
    const part = { offset, bytes: new Uint8Array(length), written: new Uint8Array(length) };
    const parts = this.#parts.get(file);
    if (parts === undefined) this.#parts.set(file, [part]);
    else parts.push(part);
    return part.bytes.buffer;
  }

  lock(): boolean {
    return false;
  }

  unlock(): void {}

  /** From the last part to the first, and its header at the very end: that tells readers what is there. */
  flush(): void {
    for (const [file, parts] of this.#parts) {
      try {
        for (const part of parts.toReversed()) {
          writeChanged(file, part, part.offset === 0 ? HEADER_BYTES : 0, part.bytes.length);
        }
        writeChanged(file, parts[0]!, 0, HEADER_BYTES);
      } catch (error) {
        warnOnce(`write ${file}`, `Metrics could not be written: ${(error as Error).message}`);
      }
    }
  }

  forget(file: number): void {
    this.#parts.delete(file);
  }
}

function writeChanged(file: number, { offset, bytes, written }: Part, begin: number, end: number): void {
  for (let at = begin; at < end; ) {
    const next = Math.min(end, at - (at % PAGE) + PAGE);
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

/** The mapping of this process. Without koffi it is the slower one, which is told once. */
export function sharedMapping(): Mapping {
  if (shared !== undefined) return shared;
  if (!isMainThread) {
    // For a reader in a worker thread: see above.
    shared = new WrittenMapping();
    return shared;
  }
  try {
    shared = loadMapping();
  } catch (error) {
    warnOnce(
      'koffi',
      `Metrics are written to files every ${WRITE_MS} ms, not mapped: koffi cannot be loaded ` +
        `(${(error as Error).message.split('\n')[0]}). Run 'npm install koffi', or a kill may lose the last ones.`,
    );
    shared = new WrittenMapping();
  }
  return shared;
}
