/** Results side by side: a line for each case, a column for each implementation, and the ratios that count. */
import type { Case } from './case.js';
import { describePeer } from './peers.js';
import type { Result } from './run.js';

/** One line of a table, as text. */
type Row = readonly string[];

export function tableOf(cases: readonly Case[], results: readonly Result[], peers: readonly string[]): Row[] {
  const header = [
    'case',
    'unit',
    'metheus',
    ...peers.map(describePeer),
    'limit',
    'ours / best peer',
    'ours / limit',
  ];
  const rows = cases.map((given) => {
    const of = (peer: string, name = given.name) =>
      results.find((result) => result.case === name && result.peer === peer);
    const ours = of('metheus');
    const theirs = peers.map((peer) => of(peer));
    const limit = of('limit') ?? (given.limitedBy === undefined ? undefined : of('limit', given.limitedBy));
    const best = theirs.reduce(
      (a, b) => (a === undefined || (b !== undefined && b.median < a.median) ? b : a),
      undefined,
    );
    const bytes = ours?.bytes ?? limit?.bytes;
    return [
      bytes === undefined ? given.name : `${given.name} (${(bytes / 1e6).toFixed(1)} MB)`,
      given.unit,
      cell(ours),
      ...theirs.map(cell),
      cell(limit),
      ratio(ours, best),
      ratio(ours, limit),
    ];
  });
  return [header, ...rows];
}

/** Median, and in brackets the best: the least, but for throughput. */
function cell(result: Result | undefined): string {
  if (result === undefined) return '–';
  const { median, min, max, unit } = result;
  return `${round(median)} (${round(unit === 'cells/s' ? max : min)})`;
}

function ratio(a: Result | undefined, b: Result | undefined): string {
  if (a === undefined || b === undefined) return '–';
  const quotient = a.median / b.median;
  return quotient < 1 ? `1/${round(1 / quotient)}` : `${quotient.toFixed(2)}`;
}

function round(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

export function asText(table: readonly Row[]): string {
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  return table
    .map((row) =>
      row.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  '),
    )
    .join('\n');
}

export function asMarkdown([header, ...rows]: readonly Row[]): string {
  const line = (row: Row) => `| ${row.join(' | ')} |`;
  const align = header!.map((_, i) => (i === 0 ? '---' : '---:'));
  return [line(header!), line(align), ...rows.map(line)].join('\n');
}
