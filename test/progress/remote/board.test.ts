/** Slots and boards: what their drawer sees of them at any moment, and which are used again. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAILED, FINISHED, privateRecord } from '#metheus/progress/bar/record.js';
import { Board, type BoardMemory } from '#metheus/progress/remote/board.js';
import {
  OPEN,
  SLOT_BYTES,
  type SlotNumbers,
  SlotReader,
  type SlotSettings,
  SlotWriter,
} from '#metheus/progress/remote/slot.js';

const SETTINGS: SlotSettings = {
  desc: 'Files: ',
  postfix: null,
  colour: null,
  leave: true,
  disable: false,
  unit: 'it',
  unitScale: false,
  unitDivisor: 1000,
  ascii: false,
  barFormat: null,
  initial: 0,
  mininterval: 0.1,
  ncols: null,
  nrows: null,
  dynamicNcols: false,
  position: null,
  output: 'auto',
  redirect: true,
  taskbar: false,
  stream: null,
};
const NUMBERS: SlotNumbers = {
  n: 0.1,
  total: null,
  elapsed: 1.5,
  written: 1.7e9,
  rate: null,
  counted: 3,
  page: -1,
  offset: 0,
};

function slot() {
  const buffer = new SharedArrayBuffer(SLOT_BYTES);
  return {
    writer: new SlotWriter(buffer, 0),
    reader: new SlotReader(buffer, 0),
    bytes: new Uint8Array(buffer),
  };
}

/** What a reader sees, but for the time at which the bar began. */
function seen(reader: SlotReader) {
  const content = reader.read();
  assert.ok(typeof content === 'object');
  const { begun, ...rest } = content;
  assert.ok(begun > 1.7e9);
  return rest;
}

/** What the reader gets of a look. */
function sent(settings: Partial<SlotSettings>): SlotSettings {
  const { writer, reader } = slot();
  writer.begin();
  writer.write(OPEN, NUMBERS, { ...SETTINGS, ...settings });
  const content = reader.read();
  assert.ok(typeof content === 'object');
  return content.settings;
}

describe('a slot', () => {
  it('is read as it was written', () => {
    const { writer, reader } = slot();
    assert.equal(reader.read(), 'empty');
    writer.begin();
    writer.write(OPEN, NUMBERS, SETTINGS);
    assert.deepEqual(seen(reader), {
      version: 1,
      serial: 1,
      state: OPEN,
      numbers: NUMBERS,
      settings: SETTINGS,
    });
    const numbers = { ...NUMBERS, total: 10, rate: 2.5, page: 1, offset: 8 };
    const settings = { ...SETTINGS, desc: '進捗 ', postfix: 'loss=0.5', leave: null };
    writer.write(FAILED, numbers, settings);
    assert.deepEqual(seen(reader), { version: 2, serial: 1, state: FAILED, numbers, settings });
    writer.begin();
    writer.write(OPEN, NUMBERS, SETTINGS);
    assert.deepEqual(seen(reader), {
      version: 3,
      serial: 2,
      state: OPEN,
      numbers: NUMBERS,
      settings: SETTINGS,
    });
  });

  it('is not read while it is half written', () => {
    const { writer, reader, bytes } = slot();
    writer.begin();
    writer.write(OPEN, NUMBERS, SETTINGS);
    const whole = bytes.slice();
    for (const at of [8, 12, 16, 20, 24, 80, 88, 120]) {
      bytes[at]! ^= 4;
      assert.equal(reader.read(), 'torn', `byte ${at}`);
      bytes.set(whole);
    }
    assert.ok(typeof reader.read() === 'object');
  });

  it('has room for any text: what no screen would show is cut', () => {
    const long = 'x'.repeat(5000);
    assert.equal(sent({ desc: long }).desc, 'x'.repeat(400));
    assert.equal(sent({ desc: '長'.repeat(5000), postfix: '長'.repeat(5000) }).desc, '長'.repeat(100));
    assert.equal(sent({ barFormat: '{desc}'.repeat(1000) }).barFormat, null);
    assert.equal(sent({ barFormat: '{desc}'.repeat(20) }).barFormat, '{desc}'.repeat(20));
    assert.equal(sent({ ascii: ` ${long}` }).ascii, false);
    assert.deepEqual(sent({ unit: long, colour: long, postfix: long, desc: long }), {
      ...SETTINGS,
      ...{ unit: 'x'.repeat(400), colour: 'x'.repeat(400), postfix: 'x'.repeat(400), desc: 'x'.repeat(400) },
    });
  });

  it('takes a postfix of any kind', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    assert.deepEqual(sent({ postfix: [1, 'two'] }).postfix, [1, 'two']);
    assert.equal(sent({ postfix: 0.5 }).postfix, 0.5);
    assert.equal(sent({ postfix: 12n }).postfix, '12');
    assert.equal(sent({ postfix: cyclic }).postfix, String(cyclic));
    assert.equal(sent({ postfix: () => 1 }).postfix, undefined);
  });
});

/** A board whose slots come one at a time. */
function board(interval?: number) {
  const slots: SlotWriter[] = [];
  const readers: SlotReader[] = [];
  let wakes = 0;
  const memory: BoardMemory = {
    interval,
    grow() {
      const { writer, reader } = slot();
      slots.push(writer);
      readers.push(reader);
      return [writer];
    },
    publish() {},
    refresh() {},
    announce() {
      wakes += 1;
    },
    locate: () => ({ page: -1, offset: 0 }),
    openRecord: privateRecord,
    print: () => true,
  };
  const bar = { refresh() {} };
  const made = new Board(memory);
  const open = () => {
    const taken = made.reserve();
    made.draw(bar, taken, NUMBERS, SETTINGS);
    return taken;
  };
  return {
    slots,
    readers,
    open,
    close: (taken: SlotWriter, leave: boolean | null = true) =>
      made.close(taken, FINISHED, NUMBERS, { ...SETTINGS, leave }),
    wakes: () => wakes,
  };
}

describe('a board', () => {
  it('uses a slot again when the last frame of its bar was drawn, or is not to be', () => {
    const { slots, readers, open, close } = board();
    close(open(), false);
    close(open(), false);
    assert.equal(slots.length, 1);
    close(open());
    close(open(), null);
    assert.equal(slots.length, 2);
    readers[0]!.setDrawn(slots[0]!.serial);
    const third = open();
    assert.equal(third, slots[0]);
    // One that is drawn, but not the newest of its slot.
    close(third);
    assert.equal(open(), slots[2]);
    readers[1]!.setDrawn(1);
    assert.equal(open(), slots[1]);
  });

  it('does not grow for ever when nobody draws', () => {
    const { slots, open, close } = board();
    for (let i = 0; i < 5000; i++) close(open());
    assert.equal(slots.length, 1024);
  });

  it('wakes its drawer when there is a bar after there was none', () => {
    const { open, close, wakes } = board();
    const first = open();
    const second = open();
    assert.equal(wakes(), 1);
    close(first);
    close(second);
    assert.equal(wakes(), 1);
    open();
    assert.equal(wakes(), 2);
  });
});
