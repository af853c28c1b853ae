/** A hashing thread: hashes its share of the files, counts them, and reports to the main thread. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { TqdmPromProxy } from 'metheus/progress';
import { bytes, duration, errorKind, errors, files, IN_BYTES, PROXY } from './metrics.js';
import type { FoundFile } from './walk.js';

/** A message from a worker. */
export interface Report {
  /** Bytes read since the last report. */
  readonly read: number;
  /** The finished file, in its last report. */
  readonly done?: {
    readonly path: Uint8Array;
    readonly seconds: number;
    readonly digest?: string;
    readonly error?: string;
  };
  /** Whether this was the last file of the thread. */
  readonly isLast?: boolean;
}

/** Bytes read and hashed at a time, and between two reports. */
const READ_BYTES = 1 << 20;

const buffer = Buffer.allocUnsafe(READ_BYTES);
const port = parentPort!;
const report = (message: Report) => port.postMessage(message);

// This proxy is not started: the main thread's proxy publishes its bars, and the main thread draws them.
const proxy = new TqdmPromProxy({ name: PROXY });
const bar = proxy.tqdm({ ...(workerData as { desc: string; total: number }), ...IN_BYTES });

port.on('message', (share: readonly FoundFile[] | null) => {
  if (share === null) {
    bar.close();
    port.close();
    return;
  }
  for (const [i, file] of share.entries()) hashFile(file, i === share.length - 1);
});

function hashFile({ path }: FoundFile, isLast: boolean): void {
  const hash = createHash('sha256');
  const timer = duration.startTimer();
  let read = 0;
  try {
    // Structured cloning turned the path into a plain Uint8Array.
    const file = openSync(Buffer.from(path), 'r');
    try {
      for (let got = readChunk(file); got > 0; got = readChunk(file)) {
        hash.update(buffer.subarray(0, got));
        bytes.inc(got);
        bar.update(got);
        read += got;
        if (read >= READ_BYTES) {
          report({ read });
          read = 0;
        }
      }
    } finally {
      closeSync(file);
    }
    const seconds = timer.stop();
    files.inc();
    report({ read, done: { path, seconds, digest: hash.digest('hex') }, isLast });
  } catch (error) {
    errors.labels({ kind: errorKind(error) }).inc();
    report({ read, done: { path, seconds: 0, error: String(error) }, isLast });
  }
}

/** Reads the next bytes into the buffer, and returns their number. */
function readChunk(file: number): number {
  return readSync(file, buffer, 0, buffer.length, null);
}

// Reports that the thread waits for files.
report({ read: 0 });
