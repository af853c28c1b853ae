/** Other versions of Node to run the bench with. */
import { spawnSync } from 'node:child_process';

const SCRIPT = new URL('../../scripts/runtime.mjs', import.meta.url).href;
const { runtimeOf }: { runtimeOf(version: string): string } = await import(SCRIPT);

/** Runs the same command with another version. Returns its exit code. */
export function runWith(version: string, args: readonly string[]): number {
  const { status } = spawnSync(runtimeOf(version), [process.argv[1]!, ...args], { stdio: 'inherit' });
  return status ?? 1;
}
