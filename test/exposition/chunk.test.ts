/** Borders of chunks: no bytes are lost, repeated or split there. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createFamily, createGauge, createHistogram, streamMetrics } from 'metheus';
import { CHUNK_BYTES } from '#metheus/exposition/chunk.js';

async function chunksOf(registry: CollectorRegistry): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of streamMetrics(registry)) chunks.push(Buffer.from(chunk));
  return chunks;
}

const join = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();

/** A gauge whose only line has this length, its line feed included. */
function lineOf(length: number, fill = 'x'): { registry: CollectorRegistry; text: string } {
  const registry = new CollectorRegistry();
  const v = fill.repeat(length - 'g{v=""} 1\n'.length);
  createGauge('g', '', { requiredLabels: ['v'], registry })
    .labels({ v })
    .set(1);
  return { registry, text: `# HELP g \n# TYPE g gauge\ng{v="${v}"} 1\n` };
}

describe('chunks', () => {
  it('are about 64 KiB long, and end between series', async () => {
    const registry = new CollectorRegistry();
    const gauge = createGauge('g', 'h', { requiredLabels: ['i'], registry });
    const expected = ['# HELP g h', '# TYPE g gauge'];
    for (let i = 0; i < 20_000; i++) {
      gauge.labels({ i }).set(i);
      expected.push(`g{i="${i}"} ${i}`);
    }
    const chunks = await chunksOf(registry);
    assert.equal(join(chunks), `${expected.join('\n')}\n`);
    assert.ok(chunks.length > 2);
    for (const chunk of chunks) {
      assert.ok(chunk.length <= CHUNK_BYTES);
      assert.equal(chunk.at(-1), 10);
    }
    for (const chunk of chunks.slice(0, -1)) assert.ok(chunk.length > CHUNK_BYTES - 200);
  });

  it('do not change when the next one is made', async () => {
    const registry = new CollectorRegistry();
    const gauge = createGauge('g', 'h', { requiredLabels: ['i'], registry });
    for (let i = 0; i < 20_000; i++) gauge.labels({ i }).set(i);
    const kept: Uint8Array[] = [];
    const copies: Buffer[] = [];
    for await (const chunk of streamMetrics(registry)) {
      kept.push(chunk);
      copies.push(Buffer.from(chunk));
    }
    assert.deepEqual(
      kept.map((chunk) => Buffer.from(chunk)),
      copies,
    );
  });

  it('contain a series of any length near a border', async () => {
    for (let length = CHUNK_BYTES - 70; length <= CHUNK_BYTES + 10; length++) {
      const { registry, text } = lineOf(length);
      assert.equal(join(await chunksOf(registry)), text, `a series of ${length} bytes`);
    }
  });

  it('grow for a series that is larger than a chunk, and only for that series', async () => {
    const registry = new CollectorRegistry();
    const gauge = createGauge('g', 'h', { requiredLabels: ['v'], registry });
    const big = 'ä😀'.repeat(50_000);
    const expected = ['# HELP g h', '# TYPE g gauge'];
    const values = ['a', big, 'b', ...Array.from({ length: 10_000 }, (_, i) => `filler ${i}`)];
    for (const v of values) {
      gauge.labels({ v }).set(1);
      expected.push(`g{v="${v}"} 1`);
    }
    const chunks = await chunksOf(registry);
    assert.equal(join(chunks), `${expected.join('\n')}\n`);
    assert.equal(chunks.filter((chunk) => chunk.length > CHUNK_BYTES).length, 1);
  });

  it('contain a histogram of many buckets, and help that is larger than a chunk', async () => {
    const registry = new CollectorRegistry();
    const buckets = Array.from({ length: 3000 }, (_, i) => i + 0.5);
    const help = 'Long. '.repeat(20_000);
    const histogram = createHistogram('h', help, { buckets, requiredLabels: ['v'], registry });
    const expected = [`# HELP h ${help}`, '# TYPE h histogram'];
    for (const v of ['one', 'two']) {
      histogram.labels({ v }).observe(1500);
      for (const le of buckets) expected.push(`h_bucket{v="${v}",le="${le}"} ${le > 1500 ? 1 : 0}`);
      expected.push(`h_bucket{v="${v}",le="+Inf"} 1`, `h_sum{v="${v}"} 1500`, `h_count{v="${v}"} 1`);
    }
    assert.equal(join(await chunksOf(registry)), `${expected.join('\n')}\n`);
  });

  it('contain many small families', async () => {
    const registry = new CollectorRegistry();
    const names = Array.from({ length: 3000 }, (_, i) => `family_${i}`);
    const families = names.map((name, i) => createFamily(name, 'h', { series: [{ value: i }] }));
    registry.register({ collect: () => families });
    const expected = names.map((name, i) => `# HELP ${name} h\n# TYPE ${name} gauge\n${name} ${i}\n`);
    assert.equal(join(await chunksOf(registry)), expected.join(''));
  });
});
