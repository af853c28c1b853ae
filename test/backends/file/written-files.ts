/** Writing files as an ended process leaves them. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { FamilyDescriptor } from 'metheus';
import { WrittenMapping } from '#metheus/backends/file/mapping.js';
import { FileWriter } from '#metheus/backends/file/writer.js';

export const COUNTED: FamilyDescriptor = {
  scope: '',
  name: 'counted_total',
  help: 'Counts.',
  type: 'counter',
  unit: '',
  labelNames: [],
  cells: 1,
  merge: 'add',
  bounds: [],
};

export const EACH: FamilyDescriptor = { ...COUNTED, name: 'each_total', labelNames: ['i'] };

const mapping = new WrittenMapping();

/** Writes the file of an ended writer. Returns its path. */
export function leaveFile(directory: string, counted: number, series = 0): string {
  const writer = new FileWriter(directory, mapping);
  const { page, offset } = writer.reserve({ family: COUNTED, labels: [] });
  page[offset] = counted;
  for (let i = 0; i < series; i++) {
    const each = writer.reserve({ family: EACH, labels: [String(i)] });
    each.page[each.offset] = 1;
  }
  writer.close();
  return writer.path;
}

/** Overwrites bytes of a file. */
export function patch(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** Returns the bytes of an int32. */
export const int32 = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);
