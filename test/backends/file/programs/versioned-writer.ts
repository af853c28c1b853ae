/** A program with one version of the package, which executes commands of a test: `versioned-writer.js [module]`. */
type Package = Pick<
  typeof import('metheus') & typeof import('metheus/backends/file'),
  | 'createCounter'
  | 'createGauge'
  | 'createHistogram'
  | 'generateMetrics'
  | 'loadBackend'
  | 'MultiProcessFileBackend'
>;

export type VersionedOrder =
  | { readonly do: 'load'; readonly directory: string; readonly readOnly?: boolean }
  | { readonly do: 'count'; readonly by: number }
  | { readonly do: 'scrape' | 'compact' | 'end' | 'warnings' };

const [, , module] = process.argv;
const metheus: Package =
  module === undefined
    ? { ...(await import('metheus')), ...(await import('metheus/backends/file')) }
    : await import(module);

const warnings: string[] = [];
process.on('warning', ({ message }) => warnings.push(message));
let backend: InstanceType<Package['MultiProcessFileBackend']>;

async function obey(order: VersionedOrder): Promise<unknown> {
  switch (order.do) {
    case 'load': {
      const { directory, readOnly = false } = order;
      backend = (await metheus.loadBackend(metheus.MultiProcessFileBackend, {
        directory,
        readOnly,
      })) as typeof backend;
      return 'done';
    }
    case 'count': {
      const { by } = order;
      metheus.createCounter('plain_total', 'Counts.').inc(by, { version: 'any' });
      const labelled = metheus.createCounter('labelled_total', 'Counts.', { requiredLabels: ['a', 'b'] });
      labelled.labels({ a: 'x"\n', b: 'ü' }).inc(by);
      labelled.labels({ a: String(process.pid), b: '' }).inc(by);
      const buckets = [1, 2];
      const histogram = metheus.createHistogram('sizes', 'Sizes.', { buckets });
      for (let i = 0; i < by; i++) histogram.observe(1.5, i === 0 ? { by } : undefined);
      for (const multiprocessMode of ['sum', 'livesum', 'max', 'mostrecent'] as const) {
        metheus.createGauge(`gauge_${multiprocessMode}`, 'A gauge.', { multiprocessMode }).set(by);
      }
      metheus.createGauge('gauge_shared', 'A gauge.').inc(by);
      return 'done';
    }
    case 'scrape':
      return metheus.generateMetrics();
    case 'compact':
      await backend.compact();
      return 'done';
    case 'warnings':
      await new Promise(setImmediate);
      return warnings;
    case 'end':
      setImmediate(() => process.exit(0));
      return 'done';
  }
}

process.on('message', async (order: VersionedOrder) => {
  const answer = await obey(order).catch((error: Error) => ({ error: String(error.stack) }));
  process.send!(answer);
});
// The parent has ended.
process.on('disconnect', () => process.exit(1));
process.send!('ready');
