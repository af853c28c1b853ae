/** Two copies of the package in one process: one default registry, one backend in force, no double counting. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';

const ROOT = process.cwd();

const PROGRAM = `
const [one, two] = await Promise.all(process.argv.slice(1).map((path) => import(path)));
const same = {
  copies: one.createCounter !== two.createCounter,
  registry: one.REGISTRY === two.REGISTRY,
  metric: one.createCounter('c_total', 'C.') === two.createCounter('c_total', 'C.'),
};
one.createCounter('c_total', 'C.').inc(1);
two.createCounter('c_total', 'C.').inc(2);
const gauge = two.createGauge('g', 'G.', { requiredLabels: ['a'] });
gauge.labels({ a: 1 }).set(3);
const before = [await one.generateMetrics(), await two.generateMetrics()];

const backend = await one.loadBackend(class Loaded extends two.SingleProcessBackend {});
gauge.labels({ a: 1 }).inc();
two.createCounter('c_total', 'C.').inc(4);
same.backend = one.createGauge('g', 'G.', { requiredLabels: ['a'] }).backend === backend
  && two.createCounter('c_total', 'C.').backend === backend;
const scopes = [new one.CollectorRegistry().scope, new two.CollectorRegistry().scope];
let conflict;
try { two.createCounter('g', 'G.'); } catch (error) { conflict = error.code; }
const [a, b] = [new one.CollectorRegistry({ scope: 'a' }), new two.CollectorRegistry({ scope: 'b' })];
one.createGauge('inner', 'I.', { registry: a }).set(5);
b.register(a);
const circles = [];
for (const [into, registry] of [[a, b], [a, a], [two.REGISTRY, one.REGISTRY], [one.REGISTRY.registry, two.REGISTRY]]) {
  try { into.register(registry); } catch (error) { circles.push(error.message); }
}
const nested = await two.generateMetrics(b);
console.log(JSON.stringify({ circles, nested, same, scopes, conflict, before, after: await two.generateMetrics() }));
`;

it('two copies of the package share one registry and one backend', (t) => {
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const copy = mkdtempSync(join(ROOT, 'build', 'copy-'));
  t.after(() => rmSync(copy, { recursive: true }));
  cpSync(join(ROOT, 'build', 'src'), copy, { recursive: true });
  const paths = [join(ROOT, 'build', 'src', 'index.js'), join(copy, 'index.js')].map(
    (path) => pathToFileURL(path).href,
  );
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM, ...paths], {
    encoding: 'utf8',
  });
  const circle = (given: string, into: string) =>
    `Invalid collector: given ${given} in ${into}, ` +
    'expected a registry that does not collect from the one that it is registered in.';
  const text = (c: number, g: number) =>
    `# HELP c_total C.\n# TYPE c_total counter\nc_total ${c}\n# HELP g G.\n# TYPE g gauge\ng{a="1"} ${g}\n`;
  assert.deepEqual(JSON.parse(output), {
    same: { copies: true, registry: true, metric: true, backend: true },
    scopes: ['private:1', 'private:2'],
    conflict: 'METHEUS_CONFLICTING_METRIC',
    circles: [
      circle("the registry 'b'", "the registry 'a'"),
      circle("the registry 'a'", "the registry 'a'"),
      circle('the default registry', 'the default registry'),
      circle('the default registry', 'the default registry'),
    ],
    nested: '# HELP inner I.\n# TYPE inner gauge\ninner 5\n',
    before: [text(3, 3), text(3, 3)],
    after: text(7, 4),
  });
});
