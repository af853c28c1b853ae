/** Declarations that TypeScript writes for programs which export metrics and bars. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../support/snippets.js';
import { requireRuntime, runtimePath } from '../support/tools.js';

/** Exports one value of each kind, without type annotations. */
const PROGRAM = `
import * as m from 'metheus';
import * as backends from 'metheus/backends';
import * as file from 'metheus/backends/file';
import * as redis from 'metheus/backends/redis';
import * as http from 'metheus/http';
import * as opentelemetry from 'metheus/opentelemetry';
import * as parse from 'metheus/parse';
import * as push from 'metheus/push';
import { TqdmPromProxy, tqdm, trange } from 'metheus/progress';

export const subpaths = [backends, file, redis, http, opentelemetry, parse, push].length;
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

const TSC = join(ROOT, 'node_modules', '.bin', 'tsc');
const EMIT = '--declaration --emitDeclarationOnly --outDir out --lib es2022,esnext.disposable';

describe('declarations of exported metrics and bars', () => {
  for (const [resolution, options, tsc, skip] of [
    ['node16', `--module node16 ${EMIT}`, TSC, false],
    ['bundler', `--module esnext ${EMIT}`, TSC, false],
    // Before version 5.3, the compiler cannot write declarations that name types of another module format.
    [
      'node16',
      '--module node16 --noEmit --lib es2022',
      runtimePath('typescript'),
      requireRuntime('typescript'),
    ],
  ] as const) {
    const title = `${tsc === TSC ? 'are written' : 'are read by TypeScript 5.0'} with moduleResolution ${resolution}`;
    it(title, { skip }, (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'metheus-'));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(ROOT, join(folder, 'node_modules', 'metheus'));
      symlinkSync(join(ROOT, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      writeFileSync(join(folder, 'program.ts'), PROGRAM);
      const all = `--strict --target es2022 --types node ${options} --moduleResolution ${resolution} --skipLibCheck false`;
      const { stdout, status } = spawnSync(tsc, [...all.split(/\s+/), 'program.ts'], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.equal(stdout, '');
      assert.equal(status, 0);
    });
  }
});
