/** Bars of worker threads on a real terminal. */

import { join } from 'node:path';
import { describe, it } from 'node:test';
import { requireTerminal } from '../../support/terminal.js';
import { line, stage, temporaryFolder } from './controlled-screen.js';

const MAIN = { total: 10, miniters: 1 };

describe('bars of worker threads', { skip: requireTerminal(), timeout: 240_000 }, () => {
  it('have rows below those of the main thread', async (t) => {
    const { command, tell, shows } = await stage(t);
    tell('', { open: 'main', options: MAIN });
    tell('', { update: 'main', by: 5 });
    const shown = [line('main', 5, 10)];
    for (const [i, name] of ['w1', 'w2', 'w3', 'w4'].entries()) {
      command({ start: 'worker', as: name });
      tell(name, { open: name, options: { total: 100 } });
      tell(name, { update: name, by: 10 * (i + 1) });
      shown.push(line(name, 10 * (i + 1), 100));
      await shows(...shown);
    }
    tell('w2', { update: 'w2', by: 55 });
    tell('', { update: 'main', by: 1 });
    shown[0] = line('main', 6, 10);
    shown[2] = line('w2', 75, 100);
    await shows(...shown);
  });

  it('leave their last frames above the running bars', async (t) => {
    const { command, tell, shows } = await stage(t);
    tell('', { open: 'main', options: MAIN });
    for (const name of ['w1', 'w2']) {
      command({ start: 'worker', as: name });
      tell(name, { open: name, options: { total: 4 } });
      tell(name, { update: name, by: 2 });
      const workers = [line('w1', 2, 4), line('w2', 2, 4)];
      await shows(line('main', 0, 10), ...workers.slice(0, name === 'w1' ? 1 : 2));
    }
    tell('w1', { update: 'w1', by: 2 });
    tell('w1', { close: 'w1' });
    await shows(line('w1', 4, 4), line('main', 0, 10), line('w2', 2, 4));
    tell('w1', { open: 'again', options: { total: 2, leave: false } });
    tell('w1', { update: 'again', by: 1 });
    await shows(line('w1', 4, 4), line('main', 0, 10), line('w2', 2, 4), line('again', 1, 2));
    tell('w1', { close: 'again' });
    await shows(line('w1', 4, 4), line('main', 0, 10), line('w2', 2, 4));
    tell('w2', { close: 'w2' });
    await shows(line('w1', 4, 4), line('w2', 2, 4), line('main', 0, 10));
  });

  it('keep their last frame when their thread is terminated, and free their rows', async (t) => {
    const { command, tell, shows } = await stage(t);
    tell('', { open: 'main', options: MAIN });
    for (const name of ['w1', 'w2']) {
      command({ start: 'worker', as: name });
      tell(name, { open: name, options: { total: 100 } });
      tell(name, { open: `${name} part`, options: { total: 8, leave: false } });
      tell(name, { update: `${name} part`, by: 2 });
      tell(name, { update: name, by: 33 });
      await shows(
        ...[line('main', 0, 10), line('w1', 33, 100), line('w1 part', 2, 8)],
        ...(name === 'w2' ? [line('w2', 33, 100), line('w2 part', 2, 8)] : []),
      );
    }
    command({ end: 'w1' });
    await shows(line('w1', 33, 100), line('main', 0, 10), '', line('w2', 33, 100), line('w2 part', 2, 8));
    tell('', { open: 'next', options: { total: 5 } });
    await shows(
      ...[line('w1', 33, 100), line('main', 0, 10), line('next', 0, 5)],
      ...[line('w2', 33, 100), line('w2 part', 2, 8)],
    );
  });

  it('move while their thread never returns to its event loop', async (t) => {
    const { command, tell, terminal } = await stage(t);
    command({ start: 'worker', as: 'w1' });
    tell('w1', { loop: 'endless', to: 1e15 });
    const counts = new Set<number>();
    await terminal.waitFor((screen) => {
      const count = / (\d+)\/1000000000000000$/.exec(screen[1] ?? '')?.[1];
      if (count !== undefined) counts.add(Number(count));
      return counts.size > 3;
    });
  });

  it('show counts for which their thread draws no frame', async (t) => {
    const { command, tell, shows } = await stage(t);
    command({ start: 'worker', as: 'w1' });
    // The next frame is due in an hour.
    tell('w1', { open: 'w1', options: { total: 100, miniters: 3600 } });
    tell('w1', { update: 'w1', by: 30 });
    tell('w1', { update: 'w1', by: 4 });
    await shows(line('w1', 34, 100));
    tell('w1', { reset: 'w1' });
    await shows(line('w1', 0, 100));
    tell('w1', { update: 'w1', by: 7 });
    tell('w1', { update: 'w1', by: -5 });
    tell('w1', { desc: 'w1', text: 'wörker' });
    tell('w1', { postfix: 'w1', text: 'loss=0.5' });
    await shows(line('wörker', 2, 100, 'loss=0.5'));
  });

  it('are drawn when the main thread is no longer busy', async (t) => {
    const { command, tell, shows } = await stage(t);
    command({ start: 'worker', as: 'w1' });
    tell('w1', { open: 'w1', options: { total: 100 } });
    await shows(line('w1', 0, 100));
    for (const n of [1, 2, 3]) {
      tell('w1', { open: `part ${n}`, options: { total: 5 } });
      tell('w1', { update: `part ${n}`, by: n });
      tell('w1', { close: `part ${n}` });
    }
    tell('w1', { open: 'gone', options: { total: 5, leave: false } });
    tell('w1', { close: 'gone' });
    tell('w1', { update: 'w1', by: 50 });
    const done = join(temporaryFolder(t), 'done');
    tell('w1', { touch: done });
    tell('', { blockUntil: done });
    await shows(line('part 1', 1, 5), line('part 2', 2, 5), line('part 3', 3, 5), line('w1', 50, 100));
  });

  it('in workers of workers are drawn, and print above all bars', async (t) => {
    const { command, tell, shows } = await stage(t);
    tell('', { open: 'main', options: MAIN });
    command({ start: 'worker', as: 'w1' });
    tell('w1', { open: 'w1', options: { total: 100 } });
    command({ start: 'worker', as: 'w2', by: 'w1' });
    tell('w1/w2', { open: 'w2', options: { total: 100 } });
    tell('w1/w2', { update: 'w2', by: 10 });
    await shows(line('main', 0, 10), line('w1', 0, 100), line('w2', 10, 100));
    tell('w1/w2', { write: 'a line of text' });
    await shows('a line of text', line('main', 0, 10), line('w1', 0, 100), line('w2', 10, 100));
    tell('w1', { write: 'two\nlines' });
    const printed = ['a line of text', 'two', 'lines'];
    await shows(...printed, line('main', 0, 10), line('w1', 0, 100), line('w2', 10, 100));
    tell('w1/w2', { log: 'logged' });
    printed.push('logged');
    await shows(...printed, line('main', 0, 10), line('w1', 0, 100), line('w2', 10, 100));
    // Workers of a worker end with it.
    command({ end: 'w1' });
    await shows(...printed, line('w1', 0, 100), line('w2', 10, 100), line('main', 0, 10));
  });

  it('are hidden while the screen has no room for them', async (t) => {
    const { command, tell, shows } = await stage(t, { rows: 5 });
    command({ start: 'worker', as: 'w1' });
    for (let i = 0; i < 6; i++) tell('w1', { open: `bar ${i}`, options: { total: 100, leave: false } });
    for (let i = 0; i < 6; i++) tell('w1', { update: `bar ${i}`, by: i });
    const lines = [0, 1, 2, 3, 4, 5].map((i) => line(`bar ${i}`, i, 100));
    await shows(...lines.slice(0, 4), ' ... (more hidden) ...');
    tell('w1', { close: 'bar 1' });
    await shows(lines[0]!, lines[4]!, lines[2]!, lines[3]!, ' ... (more hidden) ...');
  });

  it('of a proxy are published once', async (t) => {
    const { command, tell, shows } = await stage(t);
    command({ start: 'worker', as: 'w1' });
    tell('w1', { open: 'first', options: { total: 10 }, published: true });
    tell('w1', { update: 'first', by: 4 });
    tell('w1', { close: 'first' });
    tell('w1', { open: 'second', options: { total: 10 }, published: true });
    tell('w1', { update: 'second', by: 3 });
    await shows(line('first', 4, 10), line('second', 3, 10));
    tell('', { scrape: true });
    await shows(line('first', 4, 10), 'first 4 of 10', 'second 3 of 10', line('second', 3, 10));
  });
});
