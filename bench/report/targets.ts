/** Tables of the cases that have a target. */
import type { Case, Size } from '../case.js';
import { describePeer } from '../peers.js';
import type { Measured } from '../runner/measure.js';
import { compare, describeTarget, reached } from './compare.js';
import { cell, type Row, round } from './table.js';

export function hasTarget({ target }: Case): boolean {
  return target !== undefined;
}

export function targetTableOf(cases: readonly Case[], results: readonly Measured[], { quick }: Size): Row[] {
  const header = ['case', 'unit', 'asked', 'best peer', 'metheus', 'limit', 'reached'];
  const rows = cases.filter(hasTarget).map((given) => {
    const compared = compare(given, results);
    const { ours, limit, best } = compared;
    const peer = best === undefined ? '–' : `${round(best.median)}, ${describePeer(best.peer)}`;
    const asked = describeTarget(given.target);
    return [given.name, given.unit, asked, peer, cell(ours), cell(limit), reached(given, compared, quick)];
  });
  return [header, ...rows];
}

/** Returns the table with a column for each version of Node. */
export function versionTableOf(
  cases: readonly Case[],
  results: readonly Measured[],
  versions: readonly string[],
  { quick }: Size,
): Row[] {
  const header = ['case', 'unit', 'asked', ...versions.map((version) => `Node ${version}`), 'reached'];
  const rows = cases.filter(hasTarget).map((given) => {
    const compared = versions.map((version) => {
      const ofVersion = results.filter(({ node }) => node === version);
      return compare(given, ofVersion);
    });
    const cells = compared.map(({ ours, limit, best }) => {
      if (ours === undefined) return '–';
      const ratio =
        limit === undefined ? '' : ` = ${(ours.median / limit.median).toFixed(2)} × ${round(limit.median)}`;
      return `${round(ours.median)}${ratio}${best === undefined ? '' : `; peer ${round(best.median)}`}`;
    });
    const all = compared.map((one) => reached(given, one, quick));
    const alike = all.every((one) => one === all[0]);
    const asked = describeTarget(given.target);
    return [given.name, given.unit, asked, ...cells, alike ? all[0]! : all.join(', ')];
  });
  return [header, ...rows];
}
