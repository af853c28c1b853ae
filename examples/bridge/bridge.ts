/** A collector that asks other programs for their metrics, each time somebody asks us. */
import type { Collector, FamilySnapshot } from 'metheus';
import { createFamily } from 'metheus';
import { parseMetrics } from 'metheus/parse';
import { JoinedFamilies } from './joined-families.js';

const ACCEPT =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8,text/plain;version=0.0.4;q=0.5';
/** Less than Prometheus waits for us: one that hangs must not take the others with it. */
const TIMEOUT_MS = 2000;

export class Bridge implements Collector {
  readonly #targets: ReadonlyMap<string, string>;

  /** @param targets - by name, where their metrics are */
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
    // What we say about targets is of this scrape: it is made here, and not by metrics, which are read meanwhile.
    const about = (name: string, help: string, look: (result: (typeof results)[number]) => number) =>
      createFamily(name, help, {
        labelNames: ['target'],
        series: results.map((result) => ({ labels: result.labels, value: look(result) })),
      });
    return [
      about('bridge_target_up', 'Whether this scrape of it succeeded.', ({ isUp }) => Number(isUp)),
      about(
        'bridge_left_out_families',
        'Families that another target has with another type or other buckets.',
        ({ leftOut }) => leftOut,
      ),
      ...joined.families(),
    ];
  }
}

/** A target that is away has no families, and that is all: who asks us gets the others'. */
async function scrape(target: string, url: string): Promise<FamilySnapshot[] | undefined> {
  try {
    const response = await fetch(url, {
      headers: { accept: ACCEPT },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return parseMetrics(await response.text());
  } catch (error) {
    console.error(`${target} at ${url}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
