/** Infos and statesets of several processes: ended processes are left out, and the last `set` wins. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createInfo, createStateSet, loadBackend, REGISTRY, type SeriesView, seriesOf } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';

describe('infos and statesets in a directory of several processes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'metheus-'));
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function exposed(name: string): Promise<[SeriesView['labels'], number][]> {
    const families = await REGISTRY.collect();
    return [...seriesOf(families.find(({ family }) => family.name === name)!)].map(({ labels, values }) => [
      labels,
      values[0]!,
    ]);
  }

  it('are those of living processes', async () => {
    await loadBackend(MultiProcessFileBackend, { directory });
    const build = createInfo('build', 'Build.', { requiredLabels: ['version'] });
    const state = createStateSet('state', 'State.', { states: ['up', 'down'] });
    build.info({ version: '1' });
    state.set('up');
    // A backend with a file of its own counts as another process.
    const other = new MultiProcessFileBackend({ directory });
    // Later than the calls above, and not so far in the future that readers do not believe it.
    const later = Date.now() / 1000 + 0.9;
    const put = (family: typeof build.descriptor, label: string, value: number) => {
      const { page, offset } = other.reserve({ family, labels: [label] });
      page.set([value, later], offset);
    };
    put(build.descriptor, '2', 1);
    put(state.descriptor, 'up', 0);
    put(state.descriptor, 'down', 1);
    assert.deepEqual(await exposed('build'), [
      [{ version: '1' }, 1],
      [{ version: '2' }, 1],
    ]);
    assert.deepEqual(await exposed('state'), [
      [{ state: 'up' }, 0],
      [{ state: 'down' }, 1],
    ]);
    await other.close();
    assert.deepEqual(await exposed('build'), [[{ version: '1' }, 1]]);
    assert.deepEqual(await exposed('state'), [
      [{ state: 'up' }, 1],
      [{ state: 'down' }, 0],
    ]);
  });
});
