/** Metrics of the program. Every thread creates them, and the counts of all threads add up. */
import { createCounter, createHistogram } from 'metheus';

export const files = createCounter('hash_files_total', 'Files hashed.');

export const bytes = createCounter('hash_bytes_total', 'Bytes hashed.');

export const duration = createHistogram('hash_duration_seconds', 'Time to read and hash one file.', {
  unit: 'seconds',
  buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
});

export const errors = createCounter('hash_errors_total', 'Files and directories that could not be read.', {
  requiredLabels: ['kind'],
});

/** Returns the code of a system error, such as `EACCES`, as a label value. */
export function errorKind(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

/** Options of bars that count bytes. */
export const IN_BYTES = { unit: 'B', unitScale: true, unitDivisor: 1024 } as const;

/** Name of the proxies under which all threads publish their bars together. */
export const PROXY = 'hash-tree';
