/** Fakes of the environment of a bar: its clock, its file and its record. */

import type { Clock } from '#metheus/progress/bar/clock.js';
import {
  type BarEnvironment,
  type BarSnapshot,
  createEnvironment,
} from '#metheus/progress/bar/environment.js';
import { type BarRecord, RECORD_CELLS } from '#metheus/progress/bar/record.js';
import { LiveBars } from '#metheus/progress/screen/live-bars.js';
import type { OutputFile } from '#metheus/progress/screen/terminal.js';
import { createTqdm, createTrange } from '#metheus/progress/tqdm.js';

/** A clock that moves only by `tick`. */
export class FakeClock implements Clock {
  seconds = 1000;
  /** Number of readings. */
  readings = 0;

  now(): number {
    this.readings += 1;
    return this.seconds;
  }

  unix(): number {
    return 1_700_000_000 + this.seconds;
  }

  tick(seconds: number): void {
    this.seconds += seconds;
  }
}

/** A file that keeps what is written. */
export class FakeFile implements OutputFile {
  isTTY: boolean;
  columns: number | undefined;
  rows: number | undefined;
  destroyed = false;
  #writes: string[] = [];

  constructor(isTTY = true) {
    this.isTTY = isTTY;
  }

  write(text: string): boolean {
    this.#writes.push(text);
    return true;
  }

  /** Returns the text written since the last call. */
  take(): string {
    return this.#writes.splice(0).join('');
  }
}

/** A record whose cells a test can read. */
export class FakeRecord implements BarRecord {
  page: Float64Array = new Float64Array(RECORD_CELLS);
  offset = 0;
  released = 0;

  release(): void {
    this.released += 1;
  }

  cell(cell: number): number {
    return this.page[this.offset + cell]!;
  }
}

/** Returns a `tqdm` with a fake environment, and the fakes. */
export function fakeTqdm(replaced: Partial<BarEnvironment> = {}) {
  const clock = new FakeClock();
  const stderr = new FakeFile();
  const stdout = new FakeFile();
  const records: FakeRecord[] = [];
  const opened: [string, string][] = [];
  const snapshots: BarSnapshot[] = [];
  const openRecord = (bucket: string, unit: string) => {
    const record = new FakeRecord();
    records.push(record);
    opened.push([bucket, unit]);
    return record;
  };
  const bucketOf = (bar: BarSnapshot) => {
    snapshots.push(bar);
    return bar.desc;
  };
  const live = new LiveBars();
  const given = { clock, stderr, stdout, env: {}, live, openRecord, bucketOf, ...replaced };
  const environment = createEnvironment(given);
  const tqdm = createTqdm(environment);
  const trange = createTrange(environment);
  return { tqdm, trange, clock, stderr, stdout, live, records, opened, snapshots, environment };
}
