/** Draws curves as SVG with a library that the benchmark installs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Curve } from '../case.js';
import { describePeer, loadPlotter, type Plotter } from '../peers.js';
import type { Result } from '../runner/run.js';

/** Returns the curves that have points among the cases, each once. */
export function curvesOf(cases: readonly Case[]): Curve[] {
  return [...new Set(cases.flatMap(({ point }) => (point === undefined ? [] : [point.curve])))];
}

/** Writes an SVG file for each curve. */
export function plot(folder: string, cases: readonly Case[], results: readonly Result[]): void {
  const plotter = loadPlotter();
  mkdirSync(folder, { recursive: true });
  for (const curve of curvesOf(cases)) {
    const picture = draw(plotter, curve, linesOf(curve, cases, results));
    writeFileSync(join(folder, `${curve.file}.svg`), picture);
  }
}

type Line = readonly [name: string, points: readonly (readonly [x: number, y: number])[]];

function linesOf(curve: Curve, cases: readonly Case[], results: readonly Result[]): Line[] {
  const lines = new Map<string, [number, number][]>();
  for (const { name, point } of cases) {
    if (point?.curve !== curve) continue;
    for (const { peer, median } of results.filter((result) => result.case === name)) {
      const points = lines.get(peer) ?? [];
      lines.set(peer, [...points, [point.x, median]]);
    }
  }
  return [...lines].map(([peer, points]) => [describePeer(peer), points]);
}

function draw(plotter: Plotter, { name, x, unit }: Curve, lines: readonly Line[]): string {
  const chart = plotter.init(null, null, { renderer: 'svg', ssr: true, width: 760, height: 420 });
  const axis = { type: 'log', nameLocation: 'middle', nameGap: 36, minorSplitLine: { show: true } };
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: name, left: 'center' },
    legend: { top: 32, itemGap: 24, itemWidth: 16, textStyle: { fontSize: 11 } },
    grid: { left: 70, right: 50, top: 70, bottom: 55 },
    xAxis: { ...axis, name: x },
    yAxis: { ...axis, name: unit, nameGap: 50 },
    series: lines.map(([label, data]) => ({ name: label, type: 'line', symbolSize: 6, data })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
