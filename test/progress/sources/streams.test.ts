/** Bars moved by streams: counts and ends. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream, WritableStream } from 'node:stream/web';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { COMPLETED, EXPECTED, FAILED, FINISHED } from '#metheus/progress/bar/record.js';
import { type FakeRecord, fakeTqdm } from '../fakes.js';

const ends = (record: FakeRecord) => [
  record.cell(COMPLETED),
  record.cell(FINISHED),
  record.cell(FAILED),
  record.released,
];

/** A sink that keeps the chunks as they are. */
function sink(objectMode = false) {
  const chunks: unknown[] = [];
  const writable = new Writable({
    objectMode,
    write(chunk, _encoding, callback) {
      chunks.push(chunk);
      callback();
    },
  });
  return { chunks, writable };
}

describe('bar.stream()', () => {
  it('counts the bytes of buffers and of encoded text, and passes the same buffers on', async () => {
    const { tqdm, records, stderr } = fakeTqdm();
    const buffers = [Buffer.from('abc'), Buffer.alloc(70_000), new Uint8Array(5)];
    const { chunks, writable } = sink();
    const bar = tqdm(null, { total: 70_008, unit: 'B' });
    await pipeline(Readable.from(buffers, { objectMode: false }), bar.stream(), writable);
    assert.equal(chunks[0], buffers[0]);
    assert.equal(chunks[1], buffers[1]);
    assert.equal((chunks[2] as Buffer).buffer, buffers[2]!.buffer);
    assert.deepEqual(ends(records[0]!), [70_008, 1, 0, 1]);
    assert.ok(stderr.take().endsWith('\r100%|██████████| 70008/70008 [00:00<?, ?B/s]\n'));
    await pipeline(['aé', '🚀'], tqdm(null).stream(), sink().writable);
    assert.equal(records[1]!.cell(COMPLETED), 7);
  });

  it('counts objects with objectMode', async () => {
    const { tqdm, records } = fakeTqdm();
    const rows = [{ id: 1 }, 'text', 3];
    const { chunks, writable } = sink(true);
    await pipeline(Readable.from(rows), tqdm(null, { total: 3 }).stream({ objectMode: true }), writable);
    assert.deepEqual(chunks, rows);
    assert.deepEqual(ends(records[0]!), [3, 1, 0, 1]);
  });

  it('fails with the source, with the sink, and with an abort', async () => {
    const { tqdm, records } = fakeTqdm();
    async function* broken() {
      yield Buffer.alloc(4);
      throw new Error('source');
    }
    await assert.rejects(pipeline(broken, tqdm(null).stream(), sink().writable), /source/);
    const full = new Writable({ write: (_chunk, _encoding, callback) => callback(new Error('full')) });
    const much = Array.from({ length: 20 }, () => Buffer.alloc(10_000));
    await assert.rejects(pipeline(much, tqdm(null).stream(), full), /full/);
    const controller = new AbortController();
    const endless = new Readable({ read() {} });
    const running = pipeline(endless, tqdm(null).stream(), sink().writable, { signal: controller.signal });
    controller.abort();
    await assert.rejects(running, { name: 'AbortError' });
    for (const record of records) assert.deepEqual(ends(record).slice(1), [0, 1, 1]);
    assert.equal(records[0]!.cell(COMPLETED), 4);
  });

  it('finishes when it is destroyed without an error, and fails with one', async () => {
    const { tqdm, records } = fakeTqdm();
    const left = tqdm(null).stream();
    left.destroy();
    await once(left, 'close');
    const broken = tqdm(null).stream();
    broken.destroy(new Error('broken'));
    await once(broken, 'error');
    assert.deepEqual(ends(records[0]!), [0, 1, 0, 1]);
    assert.deepEqual(ends(records[1]!), [0, 0, 1, 1]);
  });

  it('fails when its reader leaves, since that destroys it with an AbortError', async () => {
    const { tqdm, records } = fakeTqdm();
    const stream = tqdm(null).stream();
    stream.write(Buffer.alloc(3));
    for await (const _ of stream) break;
    assert.deepEqual(ends(records[0]!), [3, 0, 1, 1]);
  });

  it('leaves the bar open for other streams with keepOpen', async () => {
    const { tqdm, records } = fakeTqdm();
    const bar = tqdm(null, { total: 6 });
    for (const size of [1, 2, 3]) {
      await pipeline([Buffer.alloc(size)], bar.stream({ keepOpen: true }), sink().writable);
    }
    bar.stream({ keepOpen: true }).destroy();
    assert.deepEqual(ends(records[0]!), [6, 0, 0, 0]);
    bar.close();
    assert.deepEqual(ends(records[0]!), [6, 1, 0, 1]);
  });

  it('keeps the back-pressure', () => {
    const { tqdm, records } = fakeTqdm();
    const stream = tqdm(null).stream({ highWaterMark: 10 });
    let written = 0;
    while (stream.write(Buffer.alloc(5))) written += 5;
    // One buffer of each side, and the chunk that filled them; nothing is read.
    assert.ok(written <= 20, `${written} bytes`);
    assert.ok(records[0]!.cell(COMPLETED) <= 10);
    stream.destroy();
  });
});

describe('bar.webStream()', () => {
  const from = (chunks: Iterable<unknown>) => {
    const iterator = chunks[Symbol.iterator]();
    return new ReadableStream({
      pull(controller) {
        const { done, value } = iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
    });
  };

  it('counts the bytes of views, buffers and text, and passes them on', async () => {
    const { tqdm, records } = fakeTqdm();
    const chunks = [new Uint8Array(3), new ArrayBuffer(4), new Float64Array(2), 'é'];
    const seen: unknown[] = [];
    for await (const chunk of from(chunks).pipeThrough(tqdm(null).webStream<unknown>())) seen.push(chunk);
    assert.deepEqual(ends(records[0]!), [25, 1, 0, 1]);
    for (const [i, chunk] of chunks.entries()) assert.equal(seen[i], chunk);
  });

  it('counts chunks with objectMode, and throws for objects otherwise', async () => {
    const { tqdm, records } = fakeTqdm();
    for await (const _ of from([{}, {}]).pipeThrough(tqdm(null).webStream({ objectMode: true })));
    assert.deepEqual(ends(records[0]!), [2, 1, 0, 1]);
    await assert.rejects(
      async () => {
        for await (const _ of from([{}]).pipeThrough(tqdm(null).webStream()));
      },
      { code: 'METHEUS_INVALID_VALUE' },
    );
    assert.deepEqual(ends(records[1]!), [0, 0, 1, 1]);
  });

  it('fails with its source and its sink, finishes when its reader leaves', async () => {
    const { tqdm, records } = fakeTqdm();
    const broken = new ReadableStream({
      start(controller) {
        controller.error(new Error('source'));
      },
    });
    await assert.rejects(broken.pipeThrough(tqdm(null).webStream()).pipeTo(new WritableStream()), /source/);
    const full = new WritableStream({
      write() {
        throw new Error('full');
      },
    });
    await assert.rejects(
      from([new Uint8Array(1)])
        .pipeThrough(tqdm(null).webStream())
        .pipeTo(full),
      /full/,
    );
    for await (const _ of from([new Uint8Array(1), new Uint8Array(1)]).pipeThrough(tqdm(null).webStream()))
      break;
    assert.deepEqual(ends(records[0]!), [0, 0, 1, 1]);
    assert.deepEqual(ends(records[1]!), [1, 0, 1, 1]);
    assert.deepEqual(ends(records[2]!).slice(1), [1, 0, 1]);
  });

  it('pulls no further than is read', async () => {
    const { tqdm } = fakeTqdm();
    let pulled = 0;
    const endless = new ReadableStream(
      {
        pull(controller) {
          pulled += 1;
          controller.enqueue(new Uint8Array(1));
        },
      },
      { highWaterMark: 0 },
    );
    const reader = endless.pipeThrough(tqdm(null).webStream()).getReader();
    for (let i = 0; i < 3; i += 1) await reader.read();
    await new Promise(setImmediate);
    assert.ok(pulled <= 5, `${pulled} chunks`);
    await reader.cancel();
  });
});

describe('tqdm.response()', () => {
  it('counts the body, with the content-length as total, and stays the same response', async (t) => {
    const { tqdm, records, stderr } = fakeTqdm();
    const text = JSON.stringify({ answer: 'é'.repeat(500) });
    const server = createServer((request, response) => {
      const packed = request.url === '/packed';
      const body = packed ? gzipSync(text) : Buffer.from(text);
      response.writeHead(201, 'Made', {
        'content-length': body.length,
        ...(packed && { 'content-encoding': 'gzip' }),
      });
      response.end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close().closeAllConnections());
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/plain`;
    const response = tqdm.response(await fetch(url), { desc: 'Plain' });
    assert.deepEqual([response.status, response.statusText, response.url], [201, 'Made', url]);
    assert.equal(response.headers.get('content-length'), '1013');
    assert.equal(response.ok, true);
    assert.deepEqual(await response.json(), JSON.parse(text));
    assert.deepEqual(ends(records[0]!), [1013, 1, 0, 1]);
    assert.equal(records[0]!.cell(EXPECTED), 1013);
    assert.ok(stderr.take().endsWith('| 0.99k/0.99k [00:00<?, ?B/s]\n'));
    // The length of an encoded body is not that of the decoded one.
    const packed = tqdm.response(await fetch(`http://127.0.0.1:${port}/packed`));
    assert.equal(await packed.text(), text);
    assert.deepEqual(ends(records[1]!), [1013, 1, 0, 1]);
    assert.equal(records[1]!.cell(EXPECTED), 0);
  });

  it('has clones with the same URL, and takes only a response', async () => {
    const { tqdm } = fakeTqdm();
    const given = Object.defineProperty(new Response('text'), 'url', { value: 'http://[::1]/' });
    const response = tqdm.response(given);
    const copy = response.clone().clone();
    assert.deepEqual([copy.url, await copy.text(), await response.text()], ['http://[::1]/', 'text', 'text']);
    const code = 'METHEUS_INVALID_VALUE';
    for (const wrong of [undefined, {}, 'x'] as never[]) assert.throws(() => tqdm.response(wrong), { code });
    const pending = Promise.resolve(given) as never;
    assert.throws(() => tqdm.response(pending), { code, message: /given a promise .* Await it first/ });
  });

  it('takes a given total, and ignores an invalid content-length', async () => {
    const { tqdm, records, snapshots } = fakeTqdm();
    await tqdm.response(new Response('abc'), { total: 3, unit: 'byte', unitScale: false }).text();
    await tqdm.response(new Response('abc', { headers: { 'content-length': 'x' } })).text();
    await tqdm
      .response(new Response('abc', { headers: { 'content-length': '3', 'content-encoding': 'identity' } }))
      .text();
    assert.deepEqual(
      records.map((record) => record.cell(EXPECTED)),
      [3, 0, 3],
    );
    assert.deepEqual(
      snapshots.map(({ unit }) => unit),
      ['byte', 'B', 'B'],
    );
  });

  it('closes at once without a body, fails with it, finishes when it is cancelled', async () => {
    const { tqdm, records } = fakeTqdm();
    const empty = new Response(null, { status: 204 });
    assert.equal(tqdm.response(empty), empty);
    const broken = new ReadableStream({
      pull() {
        throw new Error('reset');
      },
    });
    await assert.rejects(tqdm.response(new Response(broken)).text(), /reset/);
    await tqdm.response(new Response('abc')).body!.cancel();
    const read = new Response('abc');
    await read.text();
    assert.throws(() => tqdm.response(read), TypeError);
    assert.deepEqual(
      records.map((record) => ends(record).slice(1)),
      [
        [1, 0, 1],
        [0, 1, 1],
        [1, 0, 1],
        [0, 1, 1],
      ],
    );
  });
});
