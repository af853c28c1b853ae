/** Flushing: a heartbeat, then the changes of every family. */
import { isRefusal } from './connection.js';
import type { RedisContext } from './family-hash.js';
import type { Outbox } from './outbox.js';
import { compactEnded, recordHeartbeat, signOff } from './producers.js';

export class Flusher {
  readonly #context: RedisContext;
  readonly #outboxes: ReadonlyMap<string, Outbox>;
  #running: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  /** When the keys were last renewed, by the monotonic clock. */
  #renewed = performance.now();

  constructor(context: RedisContext, outboxes: ReadonlyMap<string, Outbox>) {
    this.#context = context;
    this.#outboxes = outboxes;
  }

  /** Starts a flush, or joins the one under way. Never rejects: the status has the reason of a failure. */
  start(): Promise<void> {
    const { status } = this.#context;
    this.#running ??= this.#flush([...this.#outboxes.values()])
      .then(() => {
        if (status.outage !== undefined) status.reportRecovery();
      })
      .catch((error: Error) => status.reportOutage(error))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /**
   * Flushes all that was counted before the call. A flush under way may have compared some cells earlier, so another
   * one follows it, shared by all callers that wait.
   */
  flushAll(): Promise<void> {
    if (this.#running === undefined) return this.start();
    this.#following ??= this.#running.then(() => {
      this.#following = undefined;
      return this.start();
    });
    return this.#following;
  }

  /** Flushes, and marks this producer as ended. The next flush of a process that goes on undoes that. */
  async signOff(): Promise<void> {
    await this.flushAll();
    const { status } = this.#context;
    if (status.outage !== undefined) return;
    await signOff(this.#context).catch((error: Error) => status.reportOutage(error));
  }

  /** Has the next flush check all keys: a reader has found that one is gone. */
  checkKeys(): void {
    this.#renewed = Number.NEGATIVE_INFINITY;
  }

  async #flush(outboxes: readonly Outbox[]): Promise<void> {
    const { settings, status } = this.#context;
    const { wasListed } = await recordHeartbeat(this.#context);
    const isDue = performance.now() - this.#renewed > (settings.expireKeyTime * 1000) / 3;
    let lost = 0;
    if (!wasListed || isDue) {
      lost = await this.#renewKeys(outboxes);
      // An unlisted producer may have been away for so long that it was compacted.
      if (!wasListed) for (const outbox of outboxes) outbox.expectGap();
      await compactEnded(this.#context);
    }
    const errors: Error[] = [];
    const flushOne = async (outbox: Outbox) => {
      try {
        if (await outbox.flush(this.#context)) lost += 1;
      } catch (error) {
        // Redis may still accept other families.
        if (isRefusal(error)) status.reportRefusal(outbox.family, error as Error);
        else errors.push(error as Error);
      }
    };
    await Promise.all(outboxes.map(flushOne));
    if (lost > 0) status.reportLoss(lost);
    if (errors.length > 0) throw errors[0];
  }

  /** Puts off the expiry of this producer's keys. Returns how many are gone; their numbers are sent again. */
  async #renewKeys(outboxes: readonly Outbox[]): Promise<number> {
    const { connection, keys, settings } = this.#context;
    const renew = (key: string) => connection.call('EXPIRE', key, settings.expireKeyTime);
    const joined = outboxes.filter(({ isJoined }) => isJoined);
    const [index, ...hashes] = await Promise.all(
      [keys.families, ...joined.map(({ id }) => keys.numbers(id))].map(renew),
    );
    this.#renewed = performance.now();
    if (index === 0) for (const outbox of outboxes) outbox.announced = false;
    const gone = joined.filter((_, i) => hashes[i] === 0);
    for (const outbox of gone) outbox.reset();
    return gone.length;
  }
}
