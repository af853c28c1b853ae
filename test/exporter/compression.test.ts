/** Compression: when responses are compressed, and chunks that share two buffers. */
import assert from 'node:assert/strict';
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from 'node:stream';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { acceptsGzip, gzipChunks } from '#metheus/exporter/compression.js';

const CASES: readonly [string | undefined, boolean][] = [
  [undefined, false],
  ['', false],
  ['gzip', true],
  ['GZIP', true],
  ['x-gzip', true],
  ['deflate, gzip;q=1.0, *;q=0.5', true],
  ['br,gzip ; q=0.001', true],
  ['gzip;q=0', false],
  ['gzip; q=0.000', false],
  ['gzip;Q=0', false],
  ['*', true],
  ['*;q=0', false],
  ['gzip;q=0, *', false],
  ['*;q=0, gzip', true],
  ['identity', false],
  ['br, deflate, zstd', false],
  ['identity;q=1, gzip;q=0.5', false],
  ['identity;q=0.5, gzip', true],
  ['gzip;q=oops', false],
  ['gzipped', false],
  [',,;', false],
];

describe('Accept-Encoding', () => {
  for (const [header, expected] of CASES) {
    it(`${header}: ${expected ? 'gzip' : 'plain'}`, () => assert.equal(acceptsGzip(header), expected));
  }
});

/** The default limit of waiting bytes: in Node.js 20, and from 22 on. */
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
