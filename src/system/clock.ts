/** Clocks: a coarse clock for the hot path of metrics, and the clock of a server. */

import { setTimeout as timersTimeout } from 'node:timers';

/** Node's `setTimeout`, saved when this module is loaded, since the fake timers of a test may never fire. */
const nodeTimeout = timersTimeout;

/**
 * Milliseconds for which the coarse time stays the same. Two threads that set a gauge within this time may record equal
 * times.
 */
const RESOLUTION_MS = 50;

/** Coarse Unix time in seconds; 0 when the clock has to be read again. See docs/v8.md: boxed doubles. */
const now = new Float64Array(new ArrayBuffer(8));

/**
 * Returns coarse Unix time in seconds, mostly at the cost of one comparison. The clock is read only when the time is
 * needed and the last reading has expired, so an idle program has no timer. The time stands still while the event loop
 * is blocked.
 */
export function coarseNow(): number {
  // The time is loaded from the array even after a reading of the clock. See docs/v8.md: boxed doubles.
  if (now[0] === 0) readClock();
  return now[0]!;
}

function readClock(): void {
  nodeTimeout(expire, RESOLUTION_MS).unref();
  // A reading of a fake clock also expires when that clock advances. Fake browser timers are numbers, without `unref`.
  const { setTimeout } = globalThis;
  if (setTimeout !== nodeTimeout) setTimeout(expire, RESOLUTION_MS).unref?.();
  // 0 is avoided, since it marks an expired reading.
  now[0] = Date.now() / 1000 || Number.MIN_VALUE;
}

function expire(): void {
  now[0] = 0;
}

/** Seconds by which a reading of the local clock may be too early, since it is cut to whole milliseconds. */
const RESOLUTION = 0.001;

/**
 * The clock of a server. Programs on several machines order their values by it, since the clocks of the machines may
 * differ by any amount.
 */
export class ServerClock {
  /** Seconds by which the server's clock is ahead of the clock of this machine. */
  #offset = 0;
  readonly #now: () => number;

  /** @param now - returns Unix seconds by the clock of this machine */
  constructor(now: () => number = () => Date.now() / 1000) {
    this.#now = now;
  }

  /** Returns Unix seconds by the clock of this machine. */
  local(): number {
    return this.#now();
  }

  /** Returns Unix seconds by the clock of the server. */
  now(): number {
    return this.#now() + this.#offset;
  }

  /**
   * Corrects the offset by a reading of the server's clock. The server took the reading after the command was sent and
   * before now, which bounds the offset. The offset changes only as far as these bounds require. So it stays 0 if the
   * clocks agree, and a slow reply does not disturb it.
   *
   * @param server - the reading, in Unix seconds
   * @param sent - when the command was sent, by the clock of this machine
   */
  adjust(server: number, sent: number): void {
    if (!Number.isFinite(server)) return;
    this.#offset = Math.min(Math.max(this.#offset, server - this.#now() - RESOLUTION), server - sent);
  }

  /** Converts a past time of this machine to server time. The result is never in the future. */
  timeOf(time: number): number {
    return Math.min(time + this.#offset, this.now());
  }
}
