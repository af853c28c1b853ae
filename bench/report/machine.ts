/** Describes the machine of a run in one line. */
import { cpus, totalmem, type } from 'node:os';
import type { Runtime } from '../runner/runtime.js';

export function describeMachine(runtimes: readonly Runtime[]): string {
  const processors = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const hardware = `${processors.length} × ${processors[0]?.model.trim()}, ${memory}`;
  const day = new Date().toISOString().slice(0, 10);
  const nodes = runtimes.map(({ node, v8 }) => `Node.js ${node} (V8 ${v8})`);
  return `${day}, ${nodes.join(', ')}, ${type()} ${process.arch}, ${hardware}`;
}
