/** One hashing thread: takes batches of files, counts what it does, and tells the main thread. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { TqdmPromProxy } from 'metheus/progress';
import { bytes, duration, errorKind, errors, files, IN_BYTES } from './metrics.js';
import { PROXY } from './serve.js';
import type { FoundFile } from './walk.js';

/** What a worker tells. */
export interface Report {
  /** Bytes read since the last report. */
  readonly read: number;
  /** The file that is done, if this is the last report of it. */
  readonly done?: {
    readonly path: Uint8Array;
    readonly seconds: number;
    readonly digest?: string;
    readonly error?: string;
  };
  /** Whether the batch is done too. */
  readonly idle?: boolean;
}

/** How much is read, hashed and told at a time. */
const READ_BYTES = 1 << 20;

const buffer = Buffer.allocUnsafe(READ_BYTES);
const port = parentPort!;
const report = (message: Report) => port.postMessage(message);

// Never started: the main thread's proxy publishes what is counted here, and the main thread draws it.
const proxy = new TqdmPromProxy({ name: PROXY });
const bar = proxy.tqdm(null, { desc: workerData.desc, ...IN_BYTES });

port.on('message', (batch: readonly FoundFile[] | null) => {
  if (batch === null) {
    bar.close();
    port.close();
    return;
  }
  for (const [i, file] of batch.entries()) hashFile(file, i === batch.length - 1);
});

function hashFile({ path }: FoundFile, isLast: boolean): void {
  const hash = createHash('sha256');
  const timer = duration.startTimer();
  let read = 0;
  try {
    // Structured cloning has made a plain Uint8Array of the path.
    const file = openSync(Buffer.from(path), 'r');
    try {
      for (let got = next(file); got > 0; got = next(file)) {
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
    report({ read, done: { path, seconds, digest: hash.digest('hex') }, idle: isLast });
  } catch (error) {
    errors.labels({ kind: errorKind(error) }).inc();
    report({ read, done: { path, seconds: 0, error: String(error) }, idle: isLast });
  }
}

function next(file: number): number {
  return readSync(file, buffer, 0, buffer.length, null);
}

// Ready for files.
report({ read: 0 });
