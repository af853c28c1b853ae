/** Measures one implementation of one case. Started by `run.ts` in a process that does nothing else. */
import type { Answer, Case, Request, Size, Subject } from '../case.js';
import { loadPeer } from '../peers.js';
import { findCase } from './catalog.js';

const WARM_UP_MS = 200;
const MAX_WARM_UPS = 20;

async function answer({ module, key, peer, size, warmUps, runs }: Request): Promise<Answer> {
  const subject = await prepare(await findCase({ module, key }), peer, size);
  await subject.check();
  const { bytes } = subject;
  // Keeps the garbage of the check out of the runs.
  global.gc!();
  await warmUp(subject, warmUps);
  const measured: number[] = [];
  for (let i = 0; i < runs; i++) measured.push(await subject.run());
  return { runs: measured, ...(bytes === undefined ? {} : { bytes }) };
}

/**
 * Runs work of milliseconds more often, for a short time, since V8 optimizes it after several rounds only.
 */
async function warmUp(subject: Subject, min: number): Promise<void> {
  const end = performance.now() + WARM_UP_MS;
  for (let i = 0; i < min || (i < MAX_WARM_UPS && performance.now() < end); i++) await subject.run();
}

function prepare(given: Case, peer: string, size: Size): Subject | Promise<Subject> {
  if (peer === 'metheus') return given.ours!(size);
  if (peer === 'limit') return given.limit!(size);
  const rival = given.rivals?.[peer];
  if (rival !== undefined) return rival(size);
  return given.theirs!(loadPeer(peer), size, peer);
}

const text = JSON.stringify(await answer(JSON.parse(process.argv[2]!)));
// Exits even if the case has open handles.
process.stdout.write(text, () => process.exit());
