import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const TARANTOOL_USER = 'tester';
export const TARANTOOL_PASSWORD = 'secret';

const STORE = fileURLToPath(new URL('../../tarantool', import.meta.url));

/** The port opens last, so that a client that can connect finds everything in place. */
const instanceFile = (source: string): string => `
  box.cfg{work_dir = '.', log = 'tarantool.log', wal_mode = 'write', memtx_memory = 64 * 1024 * 1024}
  box.schema.user.create('${TARANTOOL_USER}', {password = '${TARANTOOL_PASSWORD}', if_not_exists = true})
  package.setsearchroot('${STORE}')
  kv = {prove = require('kv.proof').prove}
  box.schema.func.create('kv.prove', {setuid = true, if_not_exists = true})
  box.schema.user.grant('${TARANTOOL_USER}', 'execute', 'function', 'kv.prove', {if_not_exists = true})
  ${source}
  box.cfg{listen = os.getenv('TEST_LISTEN')}
  print('ready') io.stdout:flush()
`;

/**
 * A real Tarantool on a Unix socket, in a folder of its own. Its data survives `restart()`, and nothing survives
 * `stop()`.
 */
export class TarantoolProcess {
  private child: ChildProcess | undefined;

  private constructor(private readonly directory: string) {}

  /**
   * `source` is Lua that runs between the first `box.cfg` and the opening of the socket. It must be safe to run
   * again.
   */
  static async start(source: string): Promise<TarantoolProcess> {
    const process = new TarantoolProcess(await mkdtemp(join(tmpdir(), 'tarantool-test-')));
    await writeFile(join(process.directory, 'init.lua'), instanceFile(source));
    await process.run();
    return process;
  }

  /** The Unix socket on which it listens. */
  get path(): string {
    return join(this.directory, 'iproto.sock');
  }

  /** Resolves at once, and for `SIGKILL` when the process is gone. */
  async kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    const exit = signal === 'SIGKILL' ? once(child, 'exit') : undefined;
    child.kill(signal);
    await exit;
    if (exit !== undefined) this.child = undefined;
  }

  async restart(): Promise<void> {
    await this.kill('SIGKILL');
    await this.run();
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    await rm(this.directory, { recursive: true });
  }

  private async run(): Promise<void> {
    const child = spawn('tarantool', ['init.lua'], {
      cwd: this.directory,
      env: { ...process.env, TEST_LISTEN: this.path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    const exit = once(child, 'exit').then(([code]) => {
      throw new Error(`tarantool ended with ${code}; see ${this.directory}/tarantool.log`);
    });
    exit.catch(() => undefined);
    await Promise.race([once(createInterface(child.stdout), 'line'), exit]);
  }
}
