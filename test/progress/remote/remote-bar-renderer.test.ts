import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RemoteBarRenderer, type RemoteBoard } from '#metheus/progress/remote/remote-bar-renderer.js';
import { type NoContent, OPEN, type SlotContent, type SlotSettings } from '#metheus/progress/remote/slot.js';
import { fakeTqdm } from '../fakes.js';

const SETTINGS: SlotSettings = {
  desc: '',
  postfix: null,
  colour: null,
  leave: true,
  disable: false,
  unit: 'it',
  unitScale: false,
  unitDivisor: 1000,
  ascii: false,
  barFormat: '{desc}',
  initial: 0,
  mininterval: 0.1,
  ncols: 20,
  nrows: 10,
  dynamicNcols: false,
  position: null,
  output: 'terminal',
  redirect: false,
  tick: true,
  taskbar: false,
  stream: null,
};
const NUMBERS = { n: 0, total: null, elapsed: 0, written: 0, rate: null, counted: 0, page: -1, offset: 0 };

function slot(desc: string, begun: number): SlotContent {
  const settings = { ...SETTINGS, desc };
  return { version: 1, serial: 1, begun, state: OPEN, numbers: NUMBERS, settings };
}

it('gives rows in the order in which bars began, also when the slot of the oldest is being written', () => {
  const { environment, stderr } = fakeTqdm();
  let slots: (SlotContent | NoContent)[] = ['torn', slot('second', 2), 'empty'];
  const board: RemoteBoard = {
    isLive: () => true,
    slots: () => slots,
    newestCount: ({ n }) => n,
    setDrawn() {},
    close() {},
  };
  const renderer = new RemoteBarRenderer(environment);
  renderer.add(board);
  renderer.draw();
  assert.equal(stderr.take(), '');
  slots = [slot('first', 1), slot('second', 2), slot('third', 3)];
  renderer.draw();
  const drawn = stderr.take();
  const up = '\u001b[A';
  assert.equal(drawn, `\rfirst\n\rsecond${up}\n\n\rthird${up}${up}`);
  // The slot of an open bar does not delay others.
  slots = ['torn', slot('second', 2), slot('third', 3), slot('fourth', 4)];
  renderer.draw();
  assert.match(stderr.take(), /fourth/);
});
