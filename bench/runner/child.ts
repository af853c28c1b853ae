/** One implementation of one case, in a process that does nothing else. Started by `run.ts`. */
import type { Answer, Case, Request, Size, Subject } from '../case.js';
import { loadPeer } from '../peers.js';
import { findCase } from './catalog.js';

const WARM_UP_MS = 200;
const MAX_WARM_UPS = 20;

async function answer({ module, key, peer, size, warmUps, runs }: Request): Promise<Answer> {
  const subject = await prepare(await findCase({ module, key }), peer, size);
  await subject.check();
  const { bytes } = subject;
  // What the check left behind is not collected at the expense of a run.
  global.gc!();
  await warmUp(subject, warmUps);
  const measured: number[] = [];
  for (let i = 0; i < runs; i++) measured.push(await subject.run());
  return { runs: measured, ...(bytes === undefined ? {} : { bytes }) };
}

/** Work that takes milliseconds is optimized after some rounds only, so it gets more of them, up to a short while. */
async function warmUp(subject: Subject, least: number): Promise<void> {
  const end = performance.now() + WARM_UP_MS;
  for (let i = 0; i < least || (i < MAX_WARM_UPS && performance.now() < end); i++) await subject.run();
}

function prepare(given: Case, peer: string, size: Size): Subject | Promise<Subject> {
  if (peer === 'metheus') return given.ours!(size);
  if (peer === 'limit') return given.limit!(size);
  const rival = given.rivals?.[peer];
  if (rival !== undefined) return rival(size);
  return given.theirs!(loadPeer(peer), size, peer);
}

const text = JSON.stringify(await answer(JSON.parse(process.argv[2]!)));
// What a case has open is no reason to go on.
process.stdout.write(text, () => process.exit());
