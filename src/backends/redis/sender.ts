/** Sending: a sign of life, and the changes of every family, each batch until it is acknowledged. */
import type { Settings } from './config.js';
import { type Connection, isRefusal, Script } from './connection.js';
import { deliver } from './deliver.js';
import type { Health } from './health.js';
import type { Keys } from './keys.js';
import type { ProducerFamily } from './producer.js';
import { HEARTBEAT, JOIN } from './scripts.js';
import { sweep } from './sweep.js';

const joinScript = new Script(JOIN);
export const heartbeatScript = new Script(HEARTBEAT);

export class Sender {
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #keys: Keys;
  readonly #producer: string;
  readonly #health: Health;
  /** When the keys were last looked at, on the monotonic clock. */
  #checked = performance.now();

  constructor(producer: string, connection: Connection, settings: Settings, keys: Keys, health: Health) {
    this.#connection = connection;
    this.#settings = settings;
    this.#keys = keys;
    this.#producer = producer;
    this.#health = health;
  }

  /**
   * Sends all that was written before the call, and resolves when nothing of it is on its way any more.
   *
   * @throws what keeps Redis from taking it: then it is sent the next time
   */
  async send(families: readonly ProducerFamily[]): Promise<void> {
    const { heartbeat, expireKeyTime } = this.#settings;
    const beat = [this.#producer, String(heartbeat), String(expireKeyTime)];
    const [known] = (await this.#connection.run(heartbeatScript, this.#keys.producers, beat)) as string[];
    const isDue = performance.now() - this.#checked > (expireKeyTime * 1000) / 3;
    let lost = 0;
    if (known === '0' || isDue) {
      lost = await this.#check(families);
      // It may have been away for so long that others have swept up behind it.
      if (known === '0') for (const family of families) family.returned();
      await sweep(this.#connection, this.#settings, this.#keys);
    }
    const troubles: Error[] = [];
    const sendOne = async (family: ProducerFamily) => {
      try {
        if (await this.#sendFamily(family)) lost += 1;
      } catch (error) {
        // What Redis refuses for one family, it may take for the others.
        if (isRefusal(error)) this.#health.refused(family.family, error as Error);
        else troubles.push(error as Error);
      }
    };
    await Promise.all(families.map(sendOne));
    if (lost > 0) this.#health.forgot(lost);
    if (troubles.length > 0) throw troubles[0];
  }

  /** Has the next flush look at all keys: somebody has seen that one is gone. */
  suspect(): void {
    this.#checked = Number.NEGATIVE_INFINITY;
  }

  /** Keeps this producer's keys, and notices those that are gone: they are sent anew. */
  async #check(families: readonly ProducerFamily[]): Promise<number> {
    const { expireKeyTime } = this.#settings;
    const keep = (key: string) => this.#connection.call('EXPIRE', key, expireKeyTime);
    const sent = families.filter(({ isSent }) => isSent);
    const [index, ...hashes] = await Promise.all(
      [this.#keys.families, ...sent.map(({ id }) => this.#keys.numbers(id))].map(keep),
    );
    this.#checked = performance.now();
    if (index === 0) for (const family of families) family.announced = false;
    const gone = sent.filter((_, i) => hashes[i] === 0);
    for (const family of gone) family.lost();
    return gone.length;
  }

  /** Resolves with whether what was sent before is lost. */
  async #sendFamily(family: ProducerFamily): Promise<boolean> {
    const { expireKeyTime } = this.#settings;
    const key = this.#keys.numbers(family.id);
    const way = { connection: this.#connection, producer: this.#producer, key, expireKeyTime };
    let isLost = false;
    let isUnknown = false;
    family.begin();
    if (!family.announced && family.isSent) await this.#announce(family);
    for (let batch = family.next(); batch !== undefined; batch = family.next()) {
      if (!family.announced) await this.#announce(family);
      if (family.token === '') await this.#join(family, key);
      const reply = await deliver(way, family, batch);
      if (reply === 'lost') {
        if (isLost) throw new Error(`Redis loses the metric '${family.family.name}' again and again`);
        isLost = true;
        family.lost();
        family.begin();
      } else if (reply === 'unknown') {
        if (isUnknown) throw new Error(`Redis forgets this program again and again`);
        isUnknown = true;
        family.token = '';
      } else {
        const isGap = reply.startsWith('gap') && !family.hasReturned;
        family.acknowledge(batch);
        if (!isGap) continue;
        this.#health.wentBack(family.family, Number(reply.slice(4)));
        family.forgotten();
        family.begin();
      }
    }
    return isLost;
  }

  async #join(family: ProducerFamily, key: string): Promise<void> {
    const joining = [this.#producer, this.#settings.expireKeyTime];
    family.token = (await this.#connection.run(joinScript, key, joining)) as string;
    family.arrivals += 1;
  }

  async #announce(family: ProducerFamily): Promise<void> {
    const { expireKeyTime } = this.#settings;
    const key = this.#keys.families;
    await this.#connection.call('HSET', key, family.id, JSON.stringify(family.family));
    await this.#connection.call('EXPIRE', key, expireKeyTime);
    family.announced = true;
  }
}
