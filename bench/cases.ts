/** All cases, in the order of the report. */
import type { Case } from './case.js';
import { FILE } from './cases/file.js';
import { GAP } from './cases/gap.js';
import { GROWTH } from './cases/growth.js';
import { HEAP } from './cases/heap.js';
import { INCREMENTS } from './cases/increments.js';
import { LABELS } from './cases/labels.js';
import { LIMITS } from './cases/limits.js';
import { OBSERVATIONS } from './cases/observations.js';
import { PROGRESS } from './cases/progress.js';
import { REDIS } from './cases/redis.js';
import { SCRAPES } from './cases/scrapes.js';
import { START_UP } from './cases/start-up.js';
import { STREAMS } from './cases/streams.js';

export const CASES: readonly Case[] = [
  ...LIMITS,
  ...INCREMENTS,
  ...LABELS,
  ...OBSERVATIONS,
  ...START_UP,
  ...SCRAPES,
  ...GAP,
  ...HEAP,
  ...PROGRESS,
  ...STREAMS,
  ...FILE,
  ...REDIS,
  ...GROWTH,
];
