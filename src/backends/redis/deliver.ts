/** Bringing one batch to Redis. */
import { encodeAdditions, rowsOfBlock, uncertain } from './blocks.js';
import { type Connection, Script } from './connection.js';
import type { Additions, Batch, ProducerFamily, Series } from './producer.js';
import { SET } from './scripts.js';
import { ADD, PLACE, REMOVE } from './sum-scripts.js';

const setScript = new Script(SET);
const addScript = new Script(ADD);
const placeScript = new Script(PLACE);
const removeScript = new Script(REMOVE);

/** Series that are looked up at once. */
const MOST_PLACES = 1000;
/** Others may remove series again and again, but not for ever. */
const MOST_TRIES = 100;

export interface Way {
  readonly connection: Connection;
  readonly producer: string;
  /** The family's hash. */
  readonly key: string;
  readonly expireKeyTime: number;
}

/**
 * Has a batch applied, unless it was. Resolves with what Redis says: `ok`, `seen`, `gap n`, or, when nothing was
 * applied, `lost` or `unknown`.
 */
export function deliver(way: Way, family: ProducerFamily, batch: Batch): Promise<string> {
  const { cells } = family.family;
  switch (batch.kind) {
    case 'add':
      return add(way, family, batch);
    case 'remove':
      return run(way, family, removeScript, batch, [cells, rowsOfBlock(cells), ...batch.labels]);
    case 'set':
      return run(way, family, setScript, batch, [batch.deletions.length, ...batch.deletions, ...batch.sets]);
  }
}

async function run(
  { connection, producer, key, expireKeyTime }: Way,
  { token }: ProducerFamily,
  script: Script,
  { sequence }: Batch,
  rest: readonly (string | number | Buffer)[],
): Promise<string> {
  const reply = connection.run(script, key, [producer, token, sequence, expireKeyTime, ...rest]);
  return (await reply) as string;
}

async function add(way: Way, family: ProducerFamily, batch: Additions): Promise<string> {
  const { cells } = family.family;
  const { series, deltas } = batch;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (!(await place(way, family, batch))) return 'lost';
    const data = encodeAdditions(cells, series, deltas);
    const reply = await run(way, family, addScript, batch, [data]);
    if (!reply.startsWith('moved')) return reply;
    const moved = new Set(reply.split(' ').slice(1).map(Number));
    const rows = rowsOfBlock(cells);
    for (const one of series) if (moved.has(Math.floor(one.row / rows))) one.row = -1;
  }
  throw new Error(`The rows of the metric '${family.family.name}' move again and again`);
}

/** Finds where the series of a batch are. Resolves with whether the hash is the one that is known. */
async function place(way: Way, family: ProducerFamily, { series, create }: Additions): Promise<boolean> {
  const { cells } = family.family;
  const { connection, key, expireKeyTime } = way;
  const identity = family.token.split('/')[0]!;
  const head = [identity, expireKeyTime, cells, rowsOfBlock(cells), create ? 1 : 0];
  let unsure = uncertain(cells, series);
  while (unsure.length > 0) {
    // What finds no row at all, and shall not get one, is left out.
    const absent = new Set<Series>();
    for (let i = 0; i < unsure.length; i += MOST_PLACES) {
      const some = unsure.slice(i, i + MOST_PLACES);
      const labels = some.map((one) => one.labels);
      const reply = (await connection.run(placeScript, key, [...head, ...labels])) as string;
      if (reply === 'lost') return false;
      const found = reply.split(' ');
      for (const [j, one] of some.entries()) {
        one.row = Number(found[2 * j]);
        one.generation = Number(found[2 * j + 1]);
        if (one.row < 0) absent.add(one);
      }
    }
    unsure = uncertain(cells, series).filter((one) => !absent.has(one));
  }
  return true;
}
