/** Slots and boards: what the parent reads at any moment, and when slots are reused. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAILED, FINISHED } from '#metheus/progress/bar/record.js';
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
  tick: true,
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

/** Reads a slot, and returns its content without the time at which the bar began. */
function seen(reader: SlotReader) {
  const content = reader.read();
  assert.ok(typeof content === 'object');
  const { begun, ...rest } = content;
  assert.ok(begun > 1.7e9);
  return rest;
}

/** Writes settings to a slot, and returns them as they are read. */
function transferred(settings: Partial<SlotSettings>): SlotSettings {
  const { writer, reader } = slot();
  writer.begin();
  writer.write(OPEN, NUMBERS, { ...SETTINGS, ...settings });
  const content = reader.read();
  assert.ok(typeof content === 'object');
  return content.settings;
}

describe('a slot', () => {
  it('returns what was written', () => {
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

  it('is torn while a write is not complete', () => {
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

  it('cuts texts that are longer than any screen is wide', () => {
    const long = 'x'.repeat(5000);
    assert.equal(transferred({ desc: long }).desc, 'x'.repeat(400));
    assert.equal(transferred({ desc: '長'.repeat(5000), postfix: '長'.repeat(5000) }).desc, '長'.repeat(100));
    assert.equal(transferred({ barFormat: '{desc}'.repeat(1000) }).barFormat, null);
    assert.equal(transferred({ barFormat: '{desc}'.repeat(20) }).barFormat, '{desc}'.repeat(20));
    assert.equal(transferred({ ascii: ` ${long}` }).ascii, false);
    assert.deepEqual(transferred({ unit: long, colour: long, postfix: long, desc: long }), {
      ...SETTINGS,
      ...{ unit: 'x'.repeat(400), colour: 'x'.repeat(400), postfix: 'x'.repeat(400), desc: 'x'.repeat(400) },
    });
  });

  it('stores any kind of postfix', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    assert.deepEqual(transferred({ postfix: [1, 'two'] }).postfix, [1, 'two']);
    assert.equal(transferred({ postfix: 0.5 }).postfix, 0.5);
    assert.equal(transferred({ postfix: 12n }).postfix, '12');
    assert.equal(transferred({ postfix: cyclic }).postfix, String(cyclic));
    assert.equal(transferred({ postfix: () => 1 }).postfix, undefined);
  });
});

/** Returns a board that grows by one slot at a time. */
function board() {
  const slots: SlotWriter[] = [];
  const readers: SlotReader[] = [];
  let announced = 0;
  const memory: BoardMemory = {
    grow() {
      const { writer, reader } = slot();
      slots.push(writer);
      readers.push(reader);
      return [writer];
    },
    announce() {
      announced += 1;
    },
    print: () => true,
  };
  const made = new Board(memory);
  const open = () => {
    const taken = made.reserve();
    made.draw(taken, NUMBERS, SETTINGS, () => {});
    return taken;
  };
  return {
    slots,
    readers,
    open,
    close: (taken: SlotWriter, leave: boolean | null = true) =>
      made.close(taken, FINISHED, NUMBERS, { ...SETTINGS, leave }),
    announced: () => announced,
  };
}

describe('a board', () => {
  it('reuses a slot when the last frame of its bar was drawn, or when the bar leaves none', () => {
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
    // Its slot was drawn, but with an older bar.
    close(third);
    assert.equal(open(), slots[2]);
    readers[1]!.setDrawn(1);
    assert.equal(open(), slots[1]);
  });

  it('is bounded when no frame is ever drawn', () => {
    const { slots, open, close } = board();
    for (let i = 0; i < 5000; i++) close(open());
    assert.equal(slots.length, 1024);
  });

  it('announces a bar when it had none', () => {
    const { open, close, announced } = board();
    const first = open();
    const second = open();
    assert.equal(announced(), 1);
    close(first);
    close(second);
    assert.equal(announced(), 1);
    open();
    assert.equal(announced(), 2);
  });
});
