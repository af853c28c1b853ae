/** Tables of results: a line for each case, a column for each implementation, and the ratios. */
import type { Case } from '../case.js';
import { describePeer } from '../peers.js';
import type { Result } from '../runner/run.js';
import { bestRun, compare } from './compare.js';

/** The cells of one line of a table. */
export type Row = readonly string[];

export function tableOf(cases: readonly Case[], results: readonly Result[]): Row[] {
  const peers = peersOf(cases, results);
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
    const { ours, limit, best } = compare(given, results);
    const theirs = peers.map((peer) =>
      results.find((result) => result.case === given.name && result.peer === peer),
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

/** Returns the table of the limits. */
export function limitTableOf(limits: readonly Case[], results: readonly Result[]): Row[] {
  const rows = limits.map((given) => [given.name, given.unit, cell(compare(given, results).limit)]);
  return [['case', 'unit', 'limit'], ...rows];
}

/** Returns the names of the other packages in any of the results. */
function peersOf(cases: readonly Case[], results: readonly Result[]): string[] {
  const names = new Set(cases.map(({ name }) => name));
  const peers = results.filter((result) => names.has(result.case)).map(({ peer }) => peer);
  return [...new Set(peers)].filter((peer) => peer !== 'metheus' && peer !== 'limit');
}

/** Returns the median, followed by the best run in brackets. */
export function cell(result: Result | undefined): string {
  return result === undefined ? '–' : `${round(result.median)} (${round(bestRun(result))})`;
}

function ratio(a: Result | undefined, b: Result | undefined): string {
  if (a === undefined || b === undefined) return '–';
  const quotient = a.median / b.median;
  return quotient < 1 ? `1/${round(1 / quotient)}` : `${quotient.toFixed(2)}`;
}

export function round(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

export function textOf(table: readonly Row[]): string {
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  return table
    .map((row) =>
      row.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  '),
    )
    .join('\n');
}

export function markdownOf([header, ...rows]: readonly Row[]): string {
  const line = (row: Row) => `| ${row.join(' | ')} |`;
  const align = header!.map((_, i) => (i === 0 ? '---' : '---:'));
  return [line(header!), line(align), ...rows.map(line)].join('\n');
}
