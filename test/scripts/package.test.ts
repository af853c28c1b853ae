/** The packed package in an empty folder: versions of Node.js, bundlers, test runners and TypeScript. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { ROOT } from '../support/snippets.js';
import { ENTRY_POINTS } from '../support/source-tree.js';

/** Other tools, which are installed once into the build folder. */
const TOOLS = [
  'webpack@5',
  'rollup@4',
  '@rollup/plugin-node-resolve@16',
  'vite@7',
  'vitest@3',
  'jest@30',
  '@arethetypeswrong/core@0.18',
  'typescript-5.0@npm:typescript@5.0',
  'typescript-5.9@npm:typescript@5.9',
];
const PEERS = ['koffi', 'ioredis', '@bufbuild', '@opentelemetry'];

const names = ENTRY_POINTS.map(({ name }) => name);
const IMPORTS = names.map((name) => `import '${name}';`).join('\n');
const PROGRAM = `
  counter.inc();
  for (const _ of tqdm([1, 2], { file: null }));
  generateMetrics().then((text) => console.log(text.split('\\n')[2]));
`;
const MODULE = `${IMPORTS}
import { createCounter, generateMetrics } from 'metheus';
import { tqdm } from 'metheus/progress';
const counter = createCounter('a_total', 'A.');
${PROGRAM}`;
/** Requires and imports the package, and counts once by each. */
const BOTH = `${names.map((name) => `require('${name}');`).join('\n')}
const { createCounter, generateMetrics } = require('metheus');
const { tqdm } = require('metheus/progress');
const counter = createCounter('a_total', 'A.');
import('metheus').then((imported) => {
  if (imported.createCounter !== createCounter) throw new Error('two copies');
  imported.createCounter('a_total', 'A.').inc();
  ${PROGRAM}
});`;

const folder = mkdtempSync(join(tmpdir(), 'metheus-package-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const installed = join(folder, 'node_modules', 'metheus');
mkdirSync(installed, { recursive: true });
const [{ filename }] = JSON.parse(
  execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  }),
) as [{ filename: string }];
execFileSync('tar', ['xzf', join(folder, filename), '-C', installed, '--strip-components=1']);
writeFileSync(join(folder, 'package.json'), '{ "private": true }');
writeFileSync(join(folder, 'program.mjs'), MODULE);
writeFileSync(join(folder, 'program.cjs'), BOTH);

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

describe('the packed package', () => {
  for (const version of ['20.0.0', '20.19.0', '22', '24', '26']) {
    it(`is imported and required by Node.js ${version}`, async (t) => {
      const { runtimeOf } = await import(pathToFileURL(join(ROOT, 'scripts', 'runtime.mjs')).href);
      let node: string;
      try {
        node = runtimeOf(version);
      } catch {
        t.skip(`Node.js ${version} cannot be downloaded`);
        return;
      }
      assert.equal(run(node, 'program.mjs'), 'a_total 1\n');
      assert.equal(run(node, 'program.cjs'), 'a_total 2\n');
    });
  }

  for (const format of ['esm', 'cjs'] as const) {
    for (const has of ['no optional package', 'all optional packages']) {
      it(`is bundled by esbuild as ${format}, with ${has}`, (t) => {
        if (has.startsWith('all')) linkPeers(t);
        const outfile = join(folder, `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`);
        const options = { bundle: true, format, outfile, platform: 'node', logLevel: 'silent' } as const;
        buildSync({ ...options, entryPoints: [join(folder, 'program.mjs')], external: ['*.node'] });
        assert.equal(run(process.execPath, outfile), 'a_total 1\n');
      });
    }
  }
});

/** Makes the optional packages available to the program of a test. */
function linkPeers(t: TestContext): void {
  const links = PEERS.map((name) => join(folder, 'node_modules', name));
  for (const [i, link] of links.entries()) symlinkSync(join(ROOT, 'node_modules', PEERS[i]!), link);
  t.after(() => {
    for (const link of links) rmSync(link);
  });
}

describe('other tools', () => {
  const tools = join(ROOT, 'build', 'tools');
  const complete = join(tools, 'complete');
  if (!existsSync(complete)) {
    const options = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', tools];
    const { status } = spawnSync('npm', ['install', ...options, ...TOOLS], { stdio: 'ignore' });
    if (status === 0) writeFileSync(complete, '');
  }
  const skip = !existsSync(complete) && 'bundlers and test runners cannot be downloaded';
  const file = (path: string) => join(tools, 'node_modules', path);
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

  it('bundle: webpack', { skip }, () => {
    write(
      'webpack.cjs',
      `require(${JSON.stringify(file('webpack'))})({
        mode: 'production', target: 'node20', entry: './program.mjs', output: { path: __dirname, filename: 'webpacked.cjs' },
      }, (error, stats) => { if (error || stats.hasErrors()) throw error ?? new Error(stats.toString('errors-only')); });`,
    );
    run(process.execPath, 'webpack.cjs');
    assert.equal(run(process.execPath, 'webpacked.cjs'), 'a_total 1\n');
  });

  it('bundle: rollup', { skip }, () => {
    const plugin = file('@rollup/plugin-node-resolve/dist/es/index.js');
    write(
      'rollup.mjs',
      `import { rollup } from ${JSON.stringify(file('rollup/dist/es/rollup.js'))};
       import resolve from ${JSON.stringify(plugin)};
       const bundle = await rollup({ input: 'program.mjs', plugins: [resolve()], onwarn() {} });
       await bundle.write({ dir: 'rolled', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' });`,
    );
    run(process.execPath, 'rollup.mjs');
    assert.equal(run(process.execPath, join('rolled', 'program.mjs')), 'a_total 1\n');
  });

  it('bundle: vite', { skip }, () => {
    run(process.execPath, file('vite/bin/vite.js'), 'build', '--ssr', 'program.mjs', '--logLevel', 'silent');
    const [built] = ['js', 'mjs']
      .map((e) => join('dist', `program.${e}`))
      .filter((f) => existsSync(join(folder, f)));
    assert.equal(run(process.execPath, built!), 'a_total 1\n');
  });

  const TEST = `test('counts', async () => {
    counter.inc();
    expect(await generateMetrics()).toContain('a_total 1');
  });`;

  it('test: Jest, as it is installed and with ES modules', { skip }, () => {
    write(
      'common.test.js',
      `const { createCounter, generateMetrics } = require('metheus');
       require('metheus/progress');
       const counter = createCounter('a_total', 'A.');
       ${TEST}`,
    );
    write(
      'module.test.mjs',
      `import { createCounter, generateMetrics } from 'metheus';
       import 'metheus/progress';
       const counter = createCounter('a_total', 'A.');
       ${TEST}`,
    );
    run(process.execPath, file('jest/bin/jest.js'), '--silent', 'common.test.js');
    const options = ['--silent', '--testMatch', '**/module.test.mjs'];
    run(process.execPath, '--experimental-vm-modules', file('jest/bin/jest.js'), ...options);
  });

  for (const pool of ['forks', 'threads']) {
    it(`test: Vitest, with ${pool}`, { skip }, () => {
      write(
        'vitest.spec.mjs',
        `import { createCounter, generateMetrics } from 'metheus';
         import 'metheus/progress';
         const counter = createCounter('a_total', 'A.');
         ${TEST}`,
      );
      run(process.execPath, file('vitest/vitest.mjs'), 'run', '--globals', '--pool', pool, 'vitest.spec.mjs');
    });
  }

  it('find types: every entry point, by every resolution', { skip }, () => {
    write(
      'types.mjs',
      `import { readFileSync } from 'node:fs';
       import { checkPackage, createPackageFromTarballData } from ${JSON.stringify(file('@arethetypeswrong/core/dist/index.js'))};
       const { problems } = await checkPackage(createPackageFromTarballData(readFileSync(${JSON.stringify(filename)})));
       console.log(JSON.stringify(problems));`,
    );
    assert.equal(run(process.execPath, 'types.mjs'), '[]\n');
  });

  it('find types: TypeScript 5.0 and 5.9', { skip }, () => {
    symlinkSync(join(ROOT, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
    write('typed.ts', MODULE);
    write('typed.cts', MODULE);
    const options = '--strict --noEmit --skipLibCheck --target es2022 --types node'.split(' ');
    for (const version of ['5.0', '5.9']) {
      const tsc = file(`typescript-${version}/lib/tsc.js`);
      for (const [module, resolution, name] of [
        ['commonjs', 'node', 'typed.ts'],
        ['node16', 'node16', 'typed.cts'],
        ['esnext', 'bundler', 'typed.ts'],
      ] as const) {
        run(process.execPath, tsc, ...options, '--module', module, '--moduleResolution', resolution, name);
      }
    }
  });
});
