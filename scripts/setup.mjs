/**
 * Installs the programs that tests use besides Node, from Debian packages, if they are missing and this user
 * may install them, and Deno and Bun from npm packages. It lists those that cannot be installed. The tests that need
 * them are skipped.
 */
import { spawnSync } from 'node:child_process';
import { installOthers } from './runtime.mjs';

/** A command for each package that succeeds when the package is installed. */
const PACKAGES = {
  prometheus: ['promtool', ['--version']],
  'prometheus-node-exporter': ['prometheus-node-exporter', ['--version']],
  'prometheus-pushgateway': ['prometheus-pushgateway', ['--version']],
  'python3-prometheus-client': ['/usr/bin/python3', ['-c', 'import prometheus_client']],
  'python3-tqdm': ['/usr/bin/python3', ['-c', 'import tqdm']],
  'redis-server': ['redis-server', ['--version']],
  openssl: ['openssl', ['version']],
  strace: ['strace', ['-V']],
};

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const missing = Object.keys(PACKAGES).filter((name) => !works(...PACKAGES[name]));

if (missing.length > 0) {
  const names = missing.join(' ');
  if (process.getuid?.() !== 0 || !works('apt-get', ['--version'])) {
    console.log(`setup: not allowed to install ${names}; tests that need them will be skipped`);
  } else if (install(missing)) {
    console.log(`setup: installed ${names}`);
  } else {
    console.log(`setup: could not install ${names}; tests that need them will be skipped`);
  }
}

const others = installOthers();
if (others.length > 0) {
  console.log(`setup: could not install ${others.join(' ')}; tests that need them will be skipped`);
}

function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => spawnSync('apt-get', ['-qq', ...args], { env, encoding: 'utf8' });
  apt('update');
  const { status, stderr } = apt('install', '-y', '--no-install-recommends', ...packages);
  if (status !== 0) console.log(stderr.trim());
  return status === 0;
}
