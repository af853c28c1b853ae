/** How the cost of a merged scrape grows with the number of processes. */
import type { Case } from '../case.js';
import { type Points, pointsOf } from './curve-points.js';
import { mergedBy, mergedOurs } from './file.js';

const fleetOf = (processes: number) => ({ load: { counters: 1000, histograms: 0 }, processes });

const mergeAgainstProcesses: Points = {
  curve: { name: 'merged scrape, 1,000 counters each', x: 'processes', unit: 'ms', file: 'processes' },
  at: [1, 2, 4, 8, 16],
  quickly: [1, 4],
  ours: (x, size) => mergedOurs(fleetOf(x), size),
  theirs: (client, x, size) => mergedBy(client, fleetOf(x), size),
};

export const CASES: readonly Case[] = pointsOf(mergeAgainstProcesses);
