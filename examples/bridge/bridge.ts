/** A collector that scrapes other programs each time it is scraped itself. */
import type { Collector, FamilySnapshot } from 'metheus';
import { createFamily } from 'metheus';
import { parseMetrics } from 'metheus/parse';
import { JoinedFamilies } from './joined-families.js';

const ACCEPT =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8,text/plain;version=0.0.4;q=0.5';
/** Shorter than the scrape timeout of Prometheus, so that one hanging target does not fail the whole scrape. */
const TIMEOUT_MS = 2000;

export class Bridge implements Collector {
  readonly #targets: ReadonlyMap<string, string>;

  /** @param targets - URLs of metrics, by name of the target */
  constructor(targets: ReadonlyMap<string, string>) {
    this.#targets = targets;
  }

  async collect(): Promise<FamilySnapshot[]> {
    const scraped = await Promise.all(
      Array.from(this.#targets, async ([target, url]) => ({ target, families: await scrape(target, url) })),
    );
    const joined = new JoinedFamilies();
    const results = scraped.map(({ target, families }) => ({
      labels: { target },
      isUp: families !== undefined,
      leftOut: (families ?? []).filter((family) => !joined.add(target, family)).length,
    }));
    // These describe the current scrape, also when several run at the same time.
    const familyOfTargets = (
      name: string,
      help: string,
      read: (result: (typeof results)[number]) => number,
    ) =>
      createFamily(name, help, {
        labelNames: ['target'],
        series: results.map((result) => ({ labels: result.labels, value: read(result) })),
      });
    return [
      familyOfTargets('bridge_target_up', 'Whether this scrape of the target succeeded.', ({ isUp }) =>
        Number(isUp),
      ),
      familyOfTargets(
        'bridge_left_out_families',
        'Families left out, since another target has them with another type or other buckets.',
        ({ leftOut }) => leftOut,
      ),
      ...joined.families(),
    ];
  }
}

/** Returns the families of a target, or `undefined` when it cannot be scraped, so that the others are still served. */
async function scrape(target: string, url: string): Promise<FamilySnapshot[] | undefined> {
  try {
    const response = await fetch(url, {
      headers: { accept: ACCEPT },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return parseMetrics(await response.text(), { contentType: response.headers.get('content-type') });
  } catch (error) {
    console.error(`${target} at ${url}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
