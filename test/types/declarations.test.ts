/** Declarations that TypeScript writes for programs which export metrics and bars. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../support/snippets.js';

/** Exports one value of each kind, without type annotations. */
const PROGRAM = `
import * as m from 'metheus';
import { TqdmPromProxy, tqdm, trange } from 'metheus/progress';

const labels = { requiredLabels: ['a', 'b'], defaultLabels: { a: '1' } } as const;
export const counter = m.createCounter('counter_total', 'C.');
export const labelled = m.createCounter('labelled_total', 'L.', labels);
export const partial = labelled.labels({ a: '2' });
export const child = labelled.labels({ a: '2', b: '3' });
export const gauge = m.createGauge('gauge', 'G.');
export const histogram = m.createHistogram('histogram', 'H.', { native: true });
export const timer = histogram.startTimer();
export const timed = histogram.time(async () => 1);
export const summary = m.createSummary('summary', 'S.', { quantiles: [0.5] });
export const info = m.createInfo('an_info', 'I.');
export const labelledInfo = m.createInfo('labelled_info', 'I.', { requiredLabels: ['a'] });
export const states = m.createStateSet('states', 'S.', { states: ['on', 'off'] });
export const all = [
  new m.Counter('n1_total', 'N.'), new m.Gauge('n2', 'N.'), new m.Histogram('n3', 'N.'),
  new m.Summary('n4', 'N.'), new m.Info('n5_info', 'N.'), new m.StateSet('n6', 'N.', { states: ['on'] }),
] as const;
export const registry = new m.CollectorRegistry({ prefix: 'app' });
export const proxy = new TqdmPromProxy();
export const bars = [tqdm([1]), tqdm({ total: 1 }), trange(1), proxy.tqdm([1])] as const;
`;

describe('declarations of exported metrics and bars', () => {
  for (const [resolution, module] of [
    ['node16', 'node16'],
    ['bundler', 'esnext'],
  ] as const) {
    it(`are written with moduleResolution ${resolution}, also when declarations of packages are checked`, (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'metheus-'));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(ROOT, join(folder, 'node_modules', 'metheus'));
      symlinkSync(join(ROOT, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      writeFileSync(join(folder, 'program.ts'), PROGRAM);
      const options = `--strict --declaration --emitDeclarationOnly --outDir out --target es2022 --types node
        --lib es2022,esnext.disposable --module ${module} --moduleResolution ${resolution}`;
      const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
      const { stdout, status } = spawnSync(tsc, [...options.split(/\s+/), 'program.ts'], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.equal(stdout, '');
      assert.equal(status, 0);
    });
  }
});
