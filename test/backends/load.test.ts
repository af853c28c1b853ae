/** Loading a backend in code and by the environment, and the migration of existing numbers. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  createSummary,
  generateMetrics,
  loadBackend,
  SingleProcessBackend,
} from 'metheus';
import type { Backend } from 'metheus/backends';

/** Records its configuration and the calls to it. */
class Recording extends SingleProcessBackend {
  override readonly config: Readonly<Record<string, unknown>>;
  readonly calls: string[] = [];

  constructor(config: Record<string, unknown> = { default: true }) {
    super();
    this.config = Object.freeze({ ...config });
  }

  async open(): Promise<void> {
    this.calls.push('open');
  }

  override async flush(): Promise<void> {
    this.calls.push('flush');
  }

  override async close(): Promise<void> {
    this.calls.push('close');
  }
}

describe('loadBackend', () => {
  it('creates and opens the backend, and closes the previous one', async () => {
    const metric = createCounter('c_total', 'C.', { registry: null });
    assert.ok(metric.backend instanceof SingleProcessBackend);
    assert.deepEqual(metric.backend.config, {});
    const first = (await loadBackend(Recording, { color: 'red' })) as Recording;
    assert.ok(first instanceof Recording);
    assert.equal(metric.backend, first);
    assert.deepEqual(metric.backend.config, { color: 'red' });
    assert.deepEqual(first.calls, ['open']);
    const second = (await loadBackend(Recording)) as Recording;
    assert.deepEqual(first.calls, ['open', 'close']);
    assert.deepEqual(second.calls, ['open']);
    assert.deepEqual(metric.backend.config, { default: true });
  });

  it('takes the class and the configuration in one object', async () => {
    const given = { backendClass: Recording, backendConfig: { color: 'blue' } };
    const backend = (await loadBackend(given)) as Recording;
    assert.deepEqual([backend.constructor, backend.config], [Recording, { color: 'blue' }]);
    await assert.rejects(loadBackend(given, { color: 'red' }), {
      code: 'METHEUS_INVALID_OPTIONS',
      message: /a second argument after an object with options, expected the configuration as backendConfig/,
    });
  });

  it('loads several in the order of the calls', async () => {
    const order: string[] = [];
    const slow = Promise.resolve().then(() => new Promise<void>(setImmediate));
    class Slow extends Recording {
      override async open() {
        await slow;
        order.push('slow');
      }
    }
    class Fast extends Recording {
      override async open() {
        order.push('fast');
      }
    }
    const metric = createCounter('c_total', 'C.', { registry: null });
    const [first, second] = await Promise.all([loadBackend(Slow), loadBackend(Fast)]);
    assert.deepEqual(order, ['slow', 'fast']);
    assert.ok(first instanceof Slow);
    assert.equal(metric.backend, second);
  });

  it('makes a scrape wait', async () => {
    const registry = new CollectorRegistry({ scope: 'waits' });
    const metric = createCounter('c_total', 'C.', { registry });
    let open = () => {};
    class Slow extends Recording {
      override open() {
        return new Promise<void>((resolve) => {
          open = resolve;
        });
      }
      override snapshot(request: Parameters<Backend['snapshot']>[0]) {
        this.calls.push('snapshot');
        return super.snapshot(request);
      }
    }
    const loading = loadBackend(Slow);
    await new Promise(setImmediate);
    const scrape = generateMetrics(registry);
    metric.inc();
    open();
    assert.equal(await scrape, '# HELP c_total C.\n# TYPE c_total counter\nc_total 1\n');
    assert.deepEqual(((await loading) as Slow).calls, ['snapshot']);
  });

  for (const [what, Class, message] of [
    ['no class', 5, 'Invalid backend: given 5, expected a backend class.'],
    ['an object', {}, 'Invalid backend: given {}, expected a backend class.'],
    [
      'a class that is no backend',
      class Thing {},
      "Invalid backend: given class 'Thing' without reserve(), release(), snapshot(), flush(), close(), " +
        'expected a class that implements Backend.',
    ],
    [
      'half of a backend',
      class Half {
        reserve() {}
        snapshot() {}
        flush() {}
      },
      "Invalid backend: given class 'Half' without release(), close(), expected a class that implements Backend.",
    ],
    [
      'a function that is no class',
      async function load() {},
      'Invalid backend: given function load, expected a backend class.',
    ],
  ] as const) {
    it(`rejects for ${what}, and keeps the previous backend`, async () => {
      const metric = createCounter('c_total', 'C.', { registry: null });
      const before = metric.backend;
      metric.inc();
      await assert.rejects(loadBackend(Class as never), { code: 'METHEUS_INVALID_BACKEND', message });
      assert.equal(metric.backend, before);
      assert.equal(metric.get(), 1);
    });
  }

  it('rejects when the backend does not open, and keeps the previous one in force and open', async () => {
    const before = (await loadBackend(Recording)) as Recording;
    const registry = new CollectorRegistry({ scope: 'loaded' });
    const metric = createCounter('c_total', 'C.', { registry });
    metric.inc();
    const error = new Error('no connection');
    class Broken extends Recording {
      override open() {
        return Promise.reject(error);
      }
    }
    class Worse extends Recording {
      constructor() {
        super();
        throw error;
      }
    }
    for (const Class of [Broken, Worse]) {
      await assert.rejects(loadBackend(Class), (rejected) => rejected === error);
      metric.inc();
      assert.equal(metric.backend, before);
      assert.deepEqual(before.calls, ['open']);
    }
    assert.equal(await generateMetrics(registry), '# HELP c_total C.\n# TYPE c_total counter\nc_total 3\n');
    await loadBackend(Recording);
    assert.equal(metric.get(), 3);
  });

  it('resolves with a warning when the previous backend does not close', async (t) => {
    const warnings = t.mock.method(process, 'emitWarning', () => {});
    class Stuck extends Recording {
      override close() {
        return Promise.reject(new Error('disk full'));
      }
    }
    const metric = createCounter('c_total', 'C.', { registry: null });
    await loadBackend(Stuck);
    const second = await loadBackend(Recording);
    assert.equal(metric.backend, second);
    assert.equal(warnings.mock.callCount(), 1);
    assert.match(String(warnings.mock.calls[0]!.arguments[0]), /disk full/);
  });
});

describe('a backend that is loaded late', () => {
  it('takes over the numbers of every metric type, and every kind of metric continues', async (t) => {
    t.mock.method(Date, 'now', () => 1_700_000_000_000);
    const registry = new CollectorRegistry({ scope: 'late' });
    const options = { registry, requiredLabels: ['a', 'b'], defaultLabels: { b: 1 } } as const;
    const plain = createCounter('plain_total', 'Plain.', { registry });
    const whole = createGauge('whole', 'Whole.', {
      registry,
      requiredLabels: ['a'],
      defaultLabels: { a: 1 },
    });
    const counter = createCounter('c_total', 'C.', options);
    const gauge = createGauge('g', 'G.', options);
    const most = createGauge('most', 'Most.', { ...options, multiprocessMode: 'max' });
    const untouched = createGauge('untouched', 'U.', { ...options, multiprocessMode: 'all' });
    const histogram = createHistogram('h', 'H.', { ...options, buckets: [1, 2] });
    const summary = createSummary('s', 'S.', options);
    const nowhere = createCounter('nowhere_total', 'N.', { registry: null });

    const partial = counter.labels({ b: 2 });
    const alias = counter.labels({ a: 'x' });
    const child = counter.labels({ a: 'x', b: 1 });
    const timer = histogram.labels({ a: 'x' }).startTimer();
    plain.inc(0.1);
    plain.inc(0.2);
    whole.set(-0);
    whole.labels({ a: 2 }).set(Number.NaN);
    alias.inc(1);
    child.inc(2);
    partial.labels({ a: 'y' }).inc(3);
    gauge.labels({ a: 'x' }).inc(4);
    gauge.labels({ a: 'x' }).dec(1);
    gauge.labels({ a: 'y' }).set(Number.NEGATIVE_INFINITY);
    most.labels({ a: 'x' }).set(5e-324);
    untouched.labels({ a: 'x' });
    for (const value of [0.5, 1.5, 99]) histogram.labels({ a: 'x' }).observe(value);
    summary.labels({ a: 'x' }).observe(-7.5);
    nowhere.inc(2 ** 53);
    counter.labels({ a: 'gone' }).inc();
    counter.remove({ a: 'gone' });

    const lines = async () => (await generateMetrics(registry)).split('\n').toSorted();
    const before = await lines();
    for (const Class of [Recording, SingleProcessBackend, Recording]) {
      const backend = await loadBackend(Class);
      assert.deepEqual(await lines(), before);
      assert.equal(whole.backend, backend);
    }
    assert.ok(Object.is(whole.get(), -0));
    assert.equal(nowhere.get(), 2 ** 53);
    assert.equal(counter.labels({ a: 'x' }), alias);
    assert.equal(counter.labels({ b: 1, a: 'x' }), child);
    assert.equal(counter.labels({ b: 2 }), partial);

    plain.inc(1);
    whole.inc(1);
    alias.inc(10);
    child.inc(20);
    partial.labels({ a: 'y' }).inc(30);
    partial.labels({ a: 'z' }).inc(5);
    gauge.labels({ a: 'x' }).inc();
    timer.stop();
    assert.equal(plain.get(), 0.1 + 0.2 + 1);
    assert.equal(whole.labels({ a: 1 }).get(), 1);
    assert.equal(child.get(), 33);
    assert.equal(alias.get(), 33);
    assert.equal(gauge.labels({ a: 'x' }).get(), 4);
    assert.equal(histogram.labels({ a: 'x' }).get().count, 4);
    assert.equal(counter.remove({ a: 'x' }), 1);
    const after = await lines();
    assert.deepEqual(
      after.filter((line) => line.startsWith('c_total')),
      ['c_total{a="y",b="2"} 33', 'c_total{a="z",b="2"} 5'],
    );
    assert.ok(after.includes('most{a="x",b="1"} 5e-324'));
    assert.ok(after.includes('whole{a="1"} 1'));
    assert.equal(
      after.some((line) => line.startsWith('untouched{')),
      false,
    );
  });

  it('does not restore removed metrics', async () => {
    const registry = new CollectorRegistry({ scope: 'loaded' });
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['a'], defaultLabels: {} });
    const kept = counter.labels({ a: 1 });
    kept.inc();
    counter.clear();
    kept.inc();
    await loadBackend(Recording);
    kept.inc();
    assert.equal(await generateMetrics(registry), '# HELP c_total C.\n# TYPE c_total counter\n');
  });

  it('takes over metrics that are not registered', async () => {
    const registry = new CollectorRegistry({ scope: 'loaded' });
    const gauge = createGauge('g', 'G.', { registry });
    gauge.set(3);
    registry.unregister(gauge);
    await loadBackend(Recording);
    gauge.inc();
    registry.register(gauge);
    assert.equal(await generateMetrics(registry), '# HELP g G.\n# TYPE g gauge\ng 4\n');
  });
});

describe('the environment', () => {
  mkdirSync('build', { recursive: true });
  const directory = mkdtempSync(join(process.cwd(), 'build', 'load-'));
  after(() => rmSync(directory, { recursive: true }));

  // The directory of a program with this package installed.
  const metheus = join(directory, 'node_modules', 'metheus');
  cpSync('dist', join(metheus, 'dist'), { recursive: true });
  cpSync('package.json', join(metheus, 'package.json'));
  writeFileSync(join(directory, 'package.json'), '{ "name": "program" }');

  writeFileSync(
    join(directory, 'mine.mjs'),
    `import { SingleProcessBackend } from 'metheus';
     export class Mine extends SingleProcessBackend {
       constructor(config = { none: true }) { super(); this.config = config; }
     }
     export class Thing {}
     export class Closed extends SingleProcessBackend {
       async open() { throw new Error('no connection'); }
     }
     export const text = 'text';`,
  );
  writeFileSync(join(directory, 'broken.mjs'), 'throw new Error("broken module");');
  writeFileSync(join(directory, 'config.json'), '{ "from": "file" }');
  writeFileSync(join(directory, 'broken.json'), '{ "from": ');
  writeFileSync(join(directory, 'list.json'), '[1]');
  const installed = join(directory, 'node_modules', 'installed');
  mkdirSync(installed, { recursive: true });
  writeFileSync(
    join(installed, 'package.json'),
    JSON.stringify({
      name: 'installed',
      type: 'module',
      exports: { './backend': { import: './backend.js' } },
    }),
  );
  writeFileSync(join(installed, 'backend.js'), `export { Mine } from '../../mine.mjs';`);

  const PROGRAM = `
    import { createCounter, loadBackend, generateMetrics } from 'metheus';
    const counter = createCounter('c_total', 'C.');
    counter.inc();
    const result = {};
    try {
      await EXPRESSION;
    } catch (error) {
      result.error = { code: error.code, message: error.message };
    }
    result.text = await generateMetrics();
    result.backend = counter.backend.constructor.name;
    result.config = counter.backend.config;
    console.log(JSON.stringify(result));
  `;

  interface Result {
    readonly error?: { readonly code?: string; readonly message: string };
    readonly backend: string;
    readonly config: object;
    readonly warnings: string;
  }

  /** Runs a program with these variables, and returns what it prints. */
  function run(env: Record<string, string>, expression = 'loadBackend()'): Result {
    const { METHEUS_BACKEND_CLASS: _, METHEUS_BACKEND_CONFIG: __, ...rest } = process.env;
    const program = PROGRAM.replace('EXPRESSION', expression);
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: directory,
      env: { ...rest, ...env },
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    const { text, ...result } = JSON.parse(stdout) as Result & { text: string };
    const [own, metrics] = text.split(/(?=# HELP metheus_)/);
    assert.equal(own, '# HELP c_total C.\n# TYPE c_total counter\nc_total 1\n', 'counting went on');
    assert.equal(metrics !== undefined, result.backend === 'MultiProcessFileBackend');
    return { ...result, warnings: stderr };
  }

  const byEnvironment = 'null';
  const warning = (message: string) =>
    `MetheusWarning: The backend of the environment was not loaded. ${message}`;

  it('keeps the default without variables', () => {
    for (const expression of [byEnvironment, 'loadBackend()']) {
      const { backend, config, warnings, error } = run({}, expression);
      assert.deepEqual([backend, config, warnings, error], ['SingleProcessBackend', {}, '', undefined]);
    }
  });

  it('can name `single`', () => {
    const { backend, warnings } = run({ METHEUS_BACKEND_CLASS: 'single' }, byEnvironment);
    assert.deepEqual([backend, warnings], ['SingleProcessBackend', '']);
  });

  for (const [what, name] of [
    ['a relative path', './mine.mjs#Mine'],
    ['an absolute path', `${join(directory, 'mine.mjs')}#Mine`],
    ['a package that is for import only', 'installed/backend#Mine'],
  ] as const) {
    it(`can name a class by ${what}, which is loaded at import`, () => {
      const { backend, config, warnings } = run({ METHEUS_BACKEND_CLASS: name }, byEnvironment);
      assert.deepEqual([backend, config, warnings], ['Mine', { none: true }, '']);
    });
  }

  it('can name a class of this package', () => {
    const METHEUS_BACKEND_CONFIG = JSON.stringify({ directory: join(directory, 'metrics') });
    for (const [METHEUS_BACKEND_CLASS, expected] of [
      ['SingleProcessBackend', 'SingleProcessBackend'],
      ['metheus/backends/file#MultiProcessFileBackend', 'MultiProcessFileBackend'],
    ] as const) {
      const { backend, warnings } = run({ METHEUS_BACKEND_CLASS, METHEUS_BACKEND_CONFIG }, byEnvironment);
      assert.deepEqual([backend, warnings], [expected, '']);
    }
  });

  it('can contain the configuration or the path of a file with it', () => {
    for (const [given, from] of [
      ['{ "from": "variable" }', 'variable'],
      ['\n {"from":"variable"}', 'variable'],
      ['config.json', 'file'],
      [join(directory, 'config.json'), 'file'],
    ] as const) {
      const env = { METHEUS_BACKEND_CLASS: './mine.mjs#Mine', METHEUS_BACKEND_CONFIG: given };
      assert.deepEqual(run(env, byEnvironment).config, { from });
      assert.deepEqual(run(env).config, { from });
    }
  });

  it('is overridden by arguments', () => {
    const env = { METHEUS_BACKEND_CLASS: './mine.mjs#Mine', METHEUS_BACKEND_CONFIG: 'config.json' };
    const imported = `const { Mine } = await import('./mine.mjs'); class Other extends Mine {}`;
    const call = (args: string) => `(async () => { ${imported} await loadBackend(${args}); })()`;
    const both = run(env, call('Other, { from: "argument" }'));
    assert.deepEqual([both.backend, both.config], ['Other', { from: 'argument' }]);
    const config = run(env, call('undefined, { from: "argument" }'));
    assert.deepEqual([config.backend, config.config], ['Mine', { from: 'argument' }]);
    const wrong = { METHEUS_BACKEND_CLASS: 'nonsense', METHEUS_BACKEND_CONFIG: '{' };
    const right = run(wrong, call('Other, { from: "argument" }'));
    assert.deepEqual([right.backend, right.error], ['Other', undefined]);
  });

  const troubles: [string, Record<string, string>, string, RegExp][] = [
    [
      'no backend',
      { METHEUS_BACKEND_CLASS: 'nonsense' },
      'METHEUS_UNKNOWN_BACKEND',
      /^Unknown backend: given METHEUS_BACKEND_CLASS='nonsense', expected 'single', .*or 'module#ExportedClass'\.$/,
    ],
    [
      'the name of a property that every object has',
      { METHEUS_BACKEND_CLASS: 'toString' },
      'METHEUS_UNKNOWN_BACKEND',
      /given METHEUS_BACKEND_CLASS='toString'/,
    ],
    [
      'a class without a module',
      { METHEUS_BACKEND_CLASS: '#Mine' },
      'METHEUS_UNKNOWN_BACKEND',
      /given METHEUS_BACKEND_CLASS='#Mine'/,
    ],
    [
      'a module that is not there',
      { METHEUS_BACKEND_CLASS: './absent.mjs#Mine' },
      'METHEUS_UNKNOWN_BACKEND',
      /given METHEUS_BACKEND_CLASS='\.\/absent\.mjs#Mine' \(.*absent\.mjs/s,
    ],
    [
      'a package that is not there',
      { METHEUS_BACKEND_CLASS: 'absent#Mine' },
      'METHEUS_UNKNOWN_BACKEND',
      /given METHEUS_BACKEND_CLASS='absent#Mine' \(.*'absent'/s,
    ],
    [
      'a module that throws',
      { METHEUS_BACKEND_CLASS: './broken.mjs#Mine' },
      'METHEUS_UNKNOWN_BACKEND',
      /given METHEUS_BACKEND_CLASS='\.\/broken\.mjs#Mine' \(broken module\)/,
    ],
    [
      'a name that the module does not export',
      { METHEUS_BACKEND_CLASS: './mine.mjs#Absent' },
      'METHEUS_UNKNOWN_BACKEND',
      /given METHEUS_BACKEND_CLASS='\.\/mine\.mjs#Absent', expected/,
    ],
    [
      'an export that is no class',
      { METHEUS_BACKEND_CLASS: './mine.mjs#text' },
      'METHEUS_UNKNOWN_BACKEND',
      /given METHEUS_BACKEND_CLASS='\.\/mine\.mjs#text', expected/,
    ],
    [
      'a class that is no backend',
      { METHEUS_BACKEND_CLASS: './mine.mjs#Thing' },
      'METHEUS_INVALID_BACKEND',
      /^Invalid backend: given class 'Thing' without reserve\(\)/,
    ],
    [
      'a configuration file that is not there',
      { METHEUS_BACKEND_CLASS: './mine.mjs#Mine', METHEUS_BACKEND_CONFIG: 'absent.json' },
      'METHEUS_BACKEND_CONFIG_UNREADABLE',
      /^Backend config unreadable: given METHEUS_BACKEND_CONFIG='absent\.json' \(ENOENT.*\), expected the path of a JSON file, or a JSON object itself\.$/,
    ],
    [
      'a directory as configuration file',
      { METHEUS_BACKEND_CLASS: './mine.mjs#Mine', METHEUS_BACKEND_CONFIG: '.' },
      'METHEUS_BACKEND_CONFIG_UNREADABLE',
      /given METHEUS_BACKEND_CONFIG='\.' \(EISDIR/,
    ],
    [
      'a configuration file that is no JSON',
      { METHEUS_BACKEND_CLASS: './mine.mjs#Mine', METHEUS_BACKEND_CONFIG: 'broken.json' },
      'METHEUS_BACKEND_CONFIG_INVALID',
      /^Backend config invalid: given the file 'broken\.json', expected one JSON object\.$/,
    ],
    [
      'a configuration file with a list',
      { METHEUS_BACKEND_CLASS: './mine.mjs#Mine', METHEUS_BACKEND_CONFIG: 'list.json' },
      'METHEUS_BACKEND_CONFIG_INVALID',
      /given the file 'list\.json'/,
    ],
    [
      'a configuration that is no JSON, which is not shown: it may hold a password',
      { METHEUS_BACKEND_CLASS: './mine.mjs#Mine', METHEUS_BACKEND_CONFIG: '{ "password": "secret"' },
      'METHEUS_BACKEND_CONFIG_INVALID',
      /^Backend config invalid: given JSON in METHEUS_BACKEND_CONFIG that does not parse, expected one JSON object\.$/,
    ],
    ['a backend that does not open', { METHEUS_BACKEND_CLASS: './mine.mjs#Closed' }, '', /^no connection$/],
  ];
  for (const [what, env, code, message] of troubles) {
    it(`that names ${what} makes \`loadBackend\` reject, and the import warn`, () => {
      const asked = run(env);
      assert.equal(asked.backend, 'SingleProcessBackend');
      assert.equal(asked.error?.code ?? '', code);
      assert.match(asked.error!.message, message);
      assert.ok(!asked.warnings.includes('secret'), asked.warnings);
      const silent = run(env, byEnvironment);
      assert.equal(silent.backend, 'SingleProcessBackend');
      assert.equal(silent.warnings.split(warning('')).length, 2, silent.warnings);
      assert.ok(silent.warnings.includes(warning(asked.error!.message)), silent.warnings);
    });
  }
});
