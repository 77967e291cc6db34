// Makes a checkout ready to run: npm dependencies from the lockfile, the build, and Tarantool. A step is skipped when
// its result is there and up to date. This is plain Node without dependencies, because it installs them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
// parseEnv is not imported by name: a Node that is too old does not have it, and the user should read that in a clear
// message.
import util from 'node:util';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const [NODE_MAJOR, NODE_MINOR] = process.versions.node.split('.').map(Number);

/** Debian's packages that are installed where they are missing, by the command that each provides. */
const PACKAGES = {
  tarantool: 'tarantool',
  luacheck: 'lua-check',
  nginx: 'nginx',
  haproxy: 'haproxy',
  caddy: 'caddy',
  apache2: 'apache2',
  varnishd: 'varnish',
  chromium: 'chromium',
  curl: 'curl',
  jq: 'jq',
  promtool: 'prometheus',
};

const HOW_TO_INSTALL = {
  linux: (name) =>
    `install it with your package manager (Debian, Ubuntu: sudo apt-get install ${name}), or run a container: docker compose up`,
  darwin: (name) => `install it (brew install ${name}), or run a container: docker compose up`,
};

// Output that nobody reads is no error.
process.stderr.on('error', () => {});

/**
 * Ends the program with one clear line.
 * @returns {never}
 */
export function fail(line) {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}

export function setUp() {
  if (NODE_MAJOR < 20 || (NODE_MAJOR === 20 && NODE_MINOR < 19)) {
    fail(`Node ${process.versions.node} is too old: install Node 20.19 or newer`);
  }
  installDependencies();
  build();
  if (needsTarantool()) ensureCommands('tarantool');
}

/** Installs the Debian packages of missing commands where that is possible. Otherwise says what to do. */
export function ensureCommands(...commands) {
  const missing = commands.filter((command) => !isInstalled(command));
  if (missing.length === 0) return;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (
    process.platform === 'linux' &&
    isInstalled('apt-get') &&
    (sudo.length === 0 || succeeds('sudo', ['-n', 'true']))
  ) {
    const packages = missing.map((command) => PACKAGES[command]);
    say(`installing ${packages.join(', ')} by apt-get`);
    run([...sudo, 'scripts/apt-install.sh', ...packages]);
  }
  const stillMissing = missing.find((command) => !isInstalled(command));
  if (stillMissing === undefined) return;
  const howTo = HOW_TO_INSTALL[process.platform] ?? (() => 'run a container: docker compose up');
  fail(`${stillMissing} is missing: ${howTo(PACKAGES[stillMissing])}`);
}

function installDependencies() {
  const stamp = join(ROOT, 'node_modules', '.from-lockfile');
  const wanted = hashOf([join(ROOT, 'package-lock.json')], process.version);
  if (read(stamp) === wanted) return;
  say('installing npm dependencies');
  run(['npm', 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, wanted);
}

function build() {
  const dist = join(ROOT, 'dist');
  const stamp = join(dist, '.from-source');
  const wanted = hashOf([
    ...filesBelow(join(ROOT, 'src')),
    join(ROOT, 'tsconfig.json'),
    join(ROOT, 'tsconfig.build.json'),
    join(ROOT, 'package-lock.json'),
  ]);
  if (read(stamp) === wanted) return;
  say('building');
  rmSync(dist, { recursive: true, force: true });
  run([process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json']);
  writeFileSync(stamp, wanted);
}

/**
 * Whether an embedded Tarantool is needed. It is the default. TARANTOOL_HOST or TARANTOOL_EMBEDDED=false turns it
 * off. As in src/config, an empty variable counts as not set.
 */
function needsTarantool() {
  const file = util.parseEnv(read(join(ROOT, '.env')) ?? '');
  const setting = (name) => process.env[name] || file[name];
  return !setting('TARANTOOL_HOST') && setting('TARANTOOL_EMBEDDED') !== 'false';
}

function run(command, ...more) {
  const [file, ...args] = [...command, ...more];
  // The output of tools goes to standard error, because standard output belongs to the service.
  const { status, error } = spawnSync(file, args, {
    cwd: ROOT,
    stdio: ['ignore', process.stderr, 'inherit'],
  });
  if (status !== 0) fail(`failed: ${[file, ...args].join(' ')}${error ? ` (${error.message})` : ''}`);
}

function isInstalled(command) {
  return succeeds('sh', ['-c', `command -v ${command}`]);
}

function succeeds(file, args) {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0;
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function hashOf(files, ...more) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file.slice(ROOT.length)).update(readFileSync(file));
  return hash.update(more.join()).digest('hex');
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function say(line) {
  process.stderr.write(`${line} …\n`);
}
