/** The report of a run as headings, paragraphs and tables, for a terminal and for a page. */
import { dirname, relative } from 'node:path';
import type { Case, Size } from '../case.js';
import type { Measured } from '../runner/measure.js';
import { curvesOf } from './plot.js';
import { limitTableOf, markdownOf, type Row, tableOf, textOf } from './table.js';
import { targetTableOf, versionTableOf } from './targets.js';

type Part =
  | { readonly heading: string }
  | { readonly paragraph: string }
  | { readonly table: readonly Row[] };

export interface Run {
  readonly cases: readonly Case[];
  readonly results: readonly Measured[];
  readonly size: Size;
  readonly machine: string;
}

const ASKED = `The goals of the design, in the unit of the line; they were set on another machine. \`at best\` means that the best run
reaches the goal and the median does not.`;

const CELLS = `A cell contains our median, its ratio to the limit of the same version, and the best peer, as far as they were measured.
The last column has one entry where all versions agree.`;

const LIMITS = 'The least work that any implementation has to do, measured on this machine.';

export function reportOfRun({ cases, results, size, machine }: Run): Part[] {
  const limits = cases.filter(({ group }) => group === 'limits');
  const others = cases.filter(({ group }) => group !== 'limits');
  const groups = [...new Set(others.map(({ group }) => group))];
  const targets = targetTableOf(cases, results, size);
  return [
    { paragraph: `${machine}.` },
    ...section('Numbers to reach', targets, ASKED),
    ...groups.flatMap((name) => {
      const ofGroup = others.filter(({ group }) => group === name);
      return section(`Group ${name}`, tableOf(ofGroup, results));
    }),
    ...section('The limits', limitTableOf(limits, results), LIMITS),
  ];
}

/** @param versions - versions of Node, in the order of the columns */
export function reportOfVersions(
  { cases, results, size, machine }: Run,
  versions: readonly string[],
): Part[] {
  const table = versionTableOf(cases, results, versions, size);
  return [{ paragraph: `${machine}.` }, { paragraph: CELLS }, { table }];
}

/** Returns the section that shows the curves. */
export function pictures(cases: readonly Case[], page: string, folder: string): Part[] {
  const below = relative(dirname(page), folder);
  const shown = curvesOf(cases).map(({ name, x, file }) => `![${name}, against ${x}](${below}/${file}.svg)`);
  return [{ heading: 'Growth' }, ...shown.map((paragraph) => ({ paragraph }))];
}

/** Returns an empty section for a table without lines. */
function section(heading: string, table: readonly Row[], paragraph?: string): Part[] {
  if (table.length < 2) return [];
  return [{ heading }, ...(paragraph === undefined ? [] : [{ paragraph }]), { table }];
}

export function asText(report: readonly Part[]): string {
  return write(report, (heading) => `${heading}\n${'-'.repeat(heading.length)}`, textOf);
}

export function asMarkdown(report: readonly Part[]): string {
  return write(report, (heading) => `## ${heading}`, markdownOf);
}

function write(
  report: readonly Part[],
  headingOf: (heading: string) => string,
  tableOf: (table: readonly Row[]) => string,
): string {
  const parts = report.map((part) => {
    if ('heading' in part) return headingOf(part.heading);
    return 'paragraph' in part ? part.paragraph : tableOf(part.table);
  });
  return parts.join('\n\n');
}
