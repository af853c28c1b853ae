/** Bars of child processes on a real terminal. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../support/processes.js';
import { requireTerminal } from '../../support/terminal.js';
import { line, type Stage, stage, temporaryFolder } from './controlled-screen.js';

const MAIN = { total: 10, miniters: 1 };

/** Starts the program with its own folder for temporary files. */
async function stageWithFolder(t: TestContext, rows = 12): Promise<Stage & { readonly folder: string }> {
  const folder = temporaryFolder(t);
  return { ...(await stage(t, { rows, env: { TMPDIR: folder } })), folder };
}

describe('bars of child processes', { skip: requireTerminal(), timeout: 240_000 }, () => {
  it('have rows of their own, also in children of children and in threads of children', async (t) => {
    const { command, tell, shows } = await stageWithFolder(t, 20);
    tell('', { open: 'main', options: MAIN });
    const shown = [line('main', 0, 10)];
    const add = async (to: string, name: string, by: number) => {
      tell(to, { open: name, options: { total: 100 } });
      tell(to, { update: name, by });
      shown.push(line(name, by, 100));
      await shows(...shown);
    };
    command({ start: 'sharing child', as: 'c1' });
    await add('c1', 'c1', 10);
    command({ start: 'sharing child', as: 'c2' });
    await add('c2', 'c2', 20);
    // Children of children inherit the variable.
    command({ start: 'child', as: 'c3', by: 'c1' });
    await add('c1/c3', 'c3', 30);
    command({ start: 'worker', as: 'w1', by: 'c2' });
    await add('c2/w1', 'w1', 40);
    tell('c1/c3', { write: 'text of c3' });
    await shows('text of c3', ...shown);
    tell('c2/w1', { write: 'text of w1' });
    await shows('text of c3', 'text of w1', ...shown);
    // Output of `console.log` goes above the bars too.
    tell('c1', { log: 'logged by c1' });
    const printed = ['text of c3', 'text of w1', 'logged by c1'];
    await shows(...printed, ...shown);
    tell('c2/w1', { log: 'logged by w1' });
    await shows(...printed, 'logged by w1', ...shown);
    tell('c1', { update: 'c1', by: 5 });
    shown[1] = line('c1', 15, 100);
    await shows(...printed, 'logged by w1', ...shown);
  });

  it('stay whole when a child writes to the terminal before its first bar', async (t) => {
    const { command, tell, shows } = await stageWithFolder(t);
    tell('', { open: 'main', options: MAIN });
    command({ start: 'sharing child', as: 'c1' });
    tell('c1', { log: 'first' });
    await shows('first', line('main', 0, 10));
    tell('c1', { open: 'c1', options: { total: 4 } });
    await shows('first', line('main', 0, 10), line('c1', 0, 4));
    tell('c1', { close: 'c1' });
    await shows('first', line('c1', 0, 4), line('main', 0, 10));
    tell('c1', { log: 'last' });
    await shows('first', line('c1', 0, 4), 'last', line('main', 0, 10));
  });

  it('end in any order, and leave their last frames', async (t) => {
    const { command, tell, shows } = await stageWithFolder(t);
    tell('', { open: 'main', options: MAIN });
    command({ start: 'sharing child', as: 'c1' });
    for (const name of ['a', 'b', 'c']) {
      tell('c1', { open: name, options: { total: 4, leave: name !== 'b' } });
      tell('c1', { update: name, by: 1 });
    }
    await shows(line('main', 0, 10), line('a', 1, 4), line('b', 1, 4), line('c', 1, 4));
    tell('c1', { close: 'b' });
    await shows(line('main', 0, 10), line('a', 1, 4), '', line('c', 1, 4));
    tell('c1', { close: 'a' });
    await shows(line('a', 1, 4), line('main', 0, 10), '', line('c', 1, 4));
    for (const i of [1, 2, 3, 4, 5]) {
      tell('c1', { open: `d${i}`, options: { total: 4 } });
      tell('c1', { close: `d${i}` });
    }
    tell('c1', { open: 'e', options: { total: 4 } });
    const done = [1, 2, 3, 4, 5].map((i) => line(`d${i}`, 0, 4));
    await shows(line('a', 1, 4), ...done, line('main', 0, 10), line('c', 1, 4), line('e', 0, 4));
    // The end of the process closes its open bars.
    tell('c1', { leave: true });
    await shows(line('a', 1, 4), ...done, line('c', 1, 4), line('e', 0, 4), line('main', 0, 10));
  });

  it('keep their last frame when their process is killed, and its file is removed', async (t) => {
    const { command, tell, shows, folder, terminal } = await stageWithFolder(t);
    tell('', { open: 'main', options: MAIN });
    for (const name of ['c1', 'c2']) {
      command({ start: 'sharing child', as: name });
      tell(name, { open: name, options: { total: 100 } });
      tell(name, { update: name, by: 40 });
      await shows(
        ...[line('main', 0, 10), line('c1', 40, 100), line('c2', 40, 100)].slice(0, name === 'c1' ? 2 : 3),
      );
    }
    const [directory, ...others] = readdirSync(folder);
    assert.deepEqual(others, []);
    const boards = () => readdirSync(join(folder, directory!)).filter((name) => name.endsWith('.board'));
    assert.equal(boards().length, 2);
    command({ end: 'c1' });
    await shows(line('c1', 40, 100), line('main', 0, 10), line('c2', 40, 100));
    await until('the board to go', async () => boards().length === 1 || undefined);
    tell('c2', { leave: true });
    await shows(line('c1', 40, 100), line('c2', 40, 100), line('main', 0, 10));
    await until('the board to go', async () => boards().length === 0 || undefined);
    tell('', { exit: 0 });
    await terminal.exited;
    assert.deepEqual(readdirSync(folder), []);
  });

  it('of a parent that was killed have their directory removed by the next one', async (t) => {
    const { command, tell, shows, folder, terminal } = await stageWithFolder(t);
    command({ start: 'sharing child', as: 'c1' });
    tell('c1', { open: 'c1', options: { total: 100 } });
    await shows(line('c1', 0, 100));
    const left = readdirSync(folder);
    terminal.kill('SIGKILL');
    await terminal.exited;
    assert.deepEqual(readdirSync(folder), left);
    const next = await stage(t, { env: { TMPDIR: folder } });
    next.command({ start: 'sharing child', as: 'c2' });
    next.tell('c2', { open: 'c2', options: { total: 100 } });
    await next.shows(line('c2', 0, 100));
    assert.ok(!readdirSync(folder).includes(left[0]!));
    assert.equal(readdirSync(folder).length, 1);
  });

  it('are drawn by a child without the variable', async (t) => {
    const { command, tell, shows } = await stageWithFolder(t);
    command({ start: 'child', as: 'c1' });
    tell('c1', { open: 'c1', options: { total: 100, ncols: 40 } });
    await shows(line('c1', 0, 100, '', 40));
  });

  it('are drawn at exit by a parent that is busy until then', async (t) => {
    const { command, tell, terminal, folder } = await stageWithFolder(t);
    const done = join(folder, 'done');
    command({ start: 'sharing child', as: 'c1' });
    tell('c1', { open: 'c1', options: { total: 4 } });
    tell('c1', { update: 'c1', by: 3 });
    tell('c1', { close: 'c1' });
    tell('c1', { open: 'c2', options: { total: 4 } });
    tell('c1', { touch: done });
    tell('', { blockUntil: done });
    tell('', { exit: 0 });
    await terminal.exited;
    assert.deepEqual(terminal.screen(), ['ready', line('c1', 3, 4), line('c2', 0, 4)]);
  });

  it('are drawn, and published once, when the processes share a backend', async (t) => {
    const folder = temporaryFolder(t);
    const { command, tell, shows } = await stage(t, {
      env: {
        TMPDIR: folder,
        METHEUS_BACKEND_CLASS: 'file',
        METHEUS_BACKEND_CONFIG: JSON.stringify({ directory: join(folder, 'metrics') }),
      },
    });
    tell('', { open: 'main', options: MAIN, published: true });
    tell('', { update: 'main', by: 3 });
    command({ start: 'sharing child', as: 'c1' });
    command({ start: 'worker', as: 'w1', by: 'c1' });
    tell('c1', { open: 'c1', options: { total: 10 }, published: true });
    tell('c1', { update: 'c1', by: 4 });
    await shows(line('main', 3, 10), line('c1', 4, 10));
    tell('c1/w1', { open: 'w1', options: { total: 10 }, published: true });
    tell('c1/w1', { update: 'w1', by: 5 });
    const bars = [line('main', 3, 10), line('c1', 4, 10), line('w1', 5, 10)];
    await shows(...bars);
    const published = ['c1 4 of 10', 'main 3 of 10', 'w1 5 of 10'];
    // Numbers of a child's threads reach the shared backend ten times a second, and when the child is scraped.
    tell('c1', { scrape: true });
    await shows(...published, ...bars);
    tell('', { scrape: true });
    await shows(...published, ...published, ...bars);
  });
});
