/** The compiler on programs of users: its messages for common mistakes, and its work for many metrics. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ROOT } from '../support/snippets.js';

/** Compiles a program against the built declarations, and returns the output of the compiler. */
function compile(t: TestContext, program: string, ...options: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'metheus-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'metheus'));
  symlinkSync(join(ROOT, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'program.ts'), program);
  const all = '--noEmit --strict --skipLibCheck --target es2022 --types node --module node16'.split(' ');
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  return spawnSync(tsc, [...all, ...options, 'program.ts'], { cwd: folder, encoding: 'utf8' }).stdout;
}

const HEAD = `
import { createCounter, createHistogram } from 'metheus';
import { tqdm, trange } from 'metheus/progress';
declare const maybe: string | undefined;
const requests = createCounter('requests_total', 'R.', { requiredLabels: ['method', 'route'] });
`;

/** A mistake, and the first line of the compiler's message. */
const MISTAKES: readonly (readonly [mistake: string, code: string, message: string])[] = [
  [
    'a label that may be undefined',
    'requests.labels({ method: maybe, route: "/" }).inc();',
    `Type 'string | undefined' is not assignable to type 'LabelValueOf<"method">'.`,
  ],
  [
    'a label that is null',
    'requests.labels({ method: "GET", route: null }).inc();',
    `Type 'null' is not assignable to type 'LabelValueOf<"route">'.`,
  ],
  [
    'a misspelt label beside a right one',
    'requests.labels({ method: "GET", rout: "/" });',
    `Type 'string' is not assignable to type 'NotAnOpenLabel<"rout">'.`,
  ],
  [
    'a label that the metric does not have',
    'requests.labels({ path: "/" });',
    `Type 'string' is not assignable to type 'NotAnOpenLabel<"path">'.`,
  ],
  [
    'a label that is given twice',
    'requests.labels({ method: "GET" }).labels({ method: "PUT" });',
    `Type 'string' is not assignable to type 'NotAnOpenLabel<"method">'.`,
  ],
  [
    'a label that is missing',
    'requests.labels({ method: "GET" }).inc();',
    `Property 'inc' does not exist on type 'Labelled<ObservableCounter, "route", never>'.`,
  ],
  [
    'a default of a label that is not declared',
    `createCounter('a_total', 'A.', { requiredLabels: ['a'], defaultLabels: { a: 1, b: 2 } });`,
    `Type 'number' is not assignable to type 'NotAnOpenLabel<"b">'.`,
  ],
  [
    'the option of another client',
    `createCounter('a_total', 'A.', { labelNames: ['a'] });`,
    `Object literal may only specify known properties, and 'labelNames' does not exist in type 'MetricOptions<never, NoDefaults> & ExemplarOptions'.`,
  ],
  [
    'a misspelt option of a metric',
    `createHistogram('h', 'H.', { requiredLabels: ['a'], bucket: [1] });`,
    `Object literal may only specify known properties, but 'bucket' does not exist in type 'MetricOptions<"a", NoDefaults> & HistogramOptions'. Did you mean to write 'buckets'?`,
  ],
  [
    'a misspelt option of a bar over a source',
    `tqdm(['a'], { unitscale: true });`,
    `Object literal may only specify known properties, but 'unitscale' does not exist in type 'BarOptions'. Did you mean to write 'unitScale'?`,
  ],
  [
    'a misspelt option beside a right one, without a source',
    `tqdm({ total: 5, unitscale: true });`,
    `Type 'boolean' is not assignable to type 'NotABarOption<"unitscale">'.`,
  ],
  [
    'the option of another library',
    `tqdm(5, { description: 'a' });`,
    `Object literal may only specify known properties, and 'description' does not exist in type 'BarOptions'.`,
  ],
  [
    'a misspelt option of a range',
    `trange(5, { descr: 'a' });`,
    `Argument of type '[5, { descr: string; }]' is not assignable to parameter of type 'RangeArguments'.`,
  ],
  [
    'a misspelt option of tqdm.map',
    `tqdm.map(['a'], (a) => a, { concurency: 2 });`,
    `Object literal may only specify known properties, but 'concurency' does not exist in type 'MapOptions'. Did you mean to write 'concurrency'?`,
  ],
];

describe('messages of the compiler', () => {
  it('name the label or the option in their first line', (t) => {
    const output = compile(t, HEAD + MISTAKES.map(([, code]) => `${code}\n`).join(''));
    const first = HEAD.split('\n').length;
    const messages = new Map<number, string>();
    for (const [, line, message] of output.matchAll(/^program\.ts\((\d+),\d+\): error TS\d+: (.*)$/gm)) {
      if (!messages.has(Number(line))) messages.set(Number(line), message!);
    }
    assert.deepEqual(
      MISTAKES.map(([mistake], i) => [mistake, messages.get(first + i)]),
      MISTAKES.map(([mistake, , message]) => [mistake, message]),
    );
  });
});

/** Maximum instantiations of types in a program with 300 metrics of four labels, and two calls of `labels` for each. */
const MAX_INSTANTIATIONS = 100_000;

it('the compiler instantiates few types for hundreds of metrics with labels', (t) => {
  const kinds = [
    ['Counter', 'inc()'],
    ['Gauge', 'set(1)'],
    ['Histogram', 'observe(1)'],
    ['Summary', 'observe(1)'],
  ] as const;
  const metrics = Array.from({ length: 300 }, (_, i) => {
    const [kind, call] = kinds[i % kinds.length]!;
    const options = `{ requiredLabels: ['method', 'route', 'status', 'l${i}'], defaultLabels: { status: 200 } }`;
    return `
      const m${i} = create${kind}('m${i}', 'M.', ${options});
      const p${i} = m${i}.labels({ method: 'GET' });
      p${i}.labels({ route: '/', l${i}: 'x' }).${call};
    `;
  });
  const names = kinds.map(([kind]) => `create${kind}`).join(', ');
  const program = `import { ${names} } from 'metheus';\n${metrics.join('')}`;
  const output = compile(t, program, '--extendedDiagnostics');
  assert.doesNotMatch(output, /error/);
  const instantiations = Number(/^Instantiations:\s+(\d+)/m.exec(output)?.[1]);
  assert.ok(instantiations <= MAX_INSTANTIATIONS, `${instantiations} instantiations`);
});
