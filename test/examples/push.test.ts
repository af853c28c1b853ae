/** The example that delivers its metrics in every way. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { uncompress } from 'snappy';
import { readWriteRequest } from '../support/protobuf.js';
import { ROOT } from '../support/snippets.js';

const run = promisify(execFile);
const program = join(ROOT, 'build/examples/push/main.js');

describe('the push example', () => {
  it('delivers the same numbers to every destination', async () => {
    const bodies = new Map<string, Buffer>();
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      bodies.set(request.url!, Buffer.concat(chunks));
      response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const folder = await mkdtemp(join(tmpdir(), 'metheus-push-example-'));
    const TEXTFILE = join(folder, 'job.prom');
    const env = { PUSHGATEWAY_URL: url, REMOTE_WRITE_URL: `${url}/write`, OTLP_URL: `${url}/otlp`, TEXTFILE };
    try {
      const { stdout } = await run(process.execPath, [program], { env: { ...process.env, ...env } });
      assert.equal(stdout, 'Delivered to PUSHGATEWAY_URL, REMOTE_WRITE_URL, OTLP_URL, TEXTFILE\n');
      const text = await readFile(TEXTFILE, 'utf8');
      assert.match(text, /^copy_rows_total\{table="users"\} 1000$/m);
      assert.match(text, /^copy_rows_total\{table="orders"\} 3000$/m);
      assert.match(text, /^copy_table_duration_seconds_count 2$/m);
      assert.equal(bodies.get('/metrics/job/copy')?.toString(), text);
      const written = readWriteRequest(
        (await uncompress(bodies.get('/write')!, { asBuffer: true })) as Buffer,
      );
      // The last request ends with stale markers, which are NaN.
      const [users] = written.filter(
        ({ labels }) => labels.__name__ === 'copy_rows_total' && labels.table === 'users',
      );
      assert.deepEqual([users?.labels.job, users?.samples[0]?.value], ['copy', 1000]);
      assert.ok(bodies.get('/otlp')!.includes('copy_rows'));
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });

  it('names the variables when there is none', async () => {
    const { stdout } = await run(process.execPath, [program]);
    assert.match(stdout, /^Delivered to nothing: set PUSHGATEWAY_URL,/);
  });
});
