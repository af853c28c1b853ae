/** Compression of chunks that lie in the same two buffers, one after the other. */
import assert from 'node:assert/strict';
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from 'node:stream';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { gzipChunks } from '#metheus/exporter/gzip.js';

/** What streams let wait: in Node.js 20, and from 22 on. */
for (const waiting of [16384, 65536]) {
  it(`has read a chunk before the one after the next is made (${waiting} bytes may wait)`, async (t) => {
    const before = getDefaultHighWaterMark(false);
    t.after(() => setDefaultHighWaterMark(false, before));
    setDefaultHighWaterMark(false, waiting);
    const buffers = [Buffer.alloc(65536), Buffer.alloc(65536)];
    const sizes = [100, 65000, 300, 40, 100, 65536, 1, 2, 3, 4, 16383, 16385, 65000, 100];
    async function* chunks() {
      for (const [i, size] of sizes.entries()) yield buffers[i % 2]!.fill(65 + i).subarray(0, size);
    }
    const compressed: Uint8Array[] = [];
    for await (const bytes of gzipChunks(chunks())) compressed.push(bytes);
    const expected = sizes.map((size, i) => String.fromCharCode(65 + i).repeat(size)).join('');
    assert.equal(gunzipSync(Buffer.concat(compressed)).toString(), expected);
  });
}
