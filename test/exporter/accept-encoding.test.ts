/** When to compress. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptsGzip } from '#metheus/exporter/accept-encoding.js';

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
