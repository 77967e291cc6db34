import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { launch } from '../processes.mjs';
import { yieldToOtherSessions } from '../proc.mjs';

const ATTACKER = fileURLToPath(new URL('./attacker.mjs', import.meta.url));

/**
 * Starts attacks on a port by a process of their own. It has the lowest priority, which is as close to a client on
 * another machine as one machine allows.
 * @returns `end`, which returns how many answers of each status every attack has had
 */
export function attack(port, names) {
  const child = launch('nice', ['-n', '19', process.execPath, ATTACKER, port, ...names], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  yieldToOtherSessions(child.pid);
  const closed = once(child, 'close');
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  return {
    async end() {
      child.stdin.end();
      const [code] = await closed;
      if (code !== 0) throw new Error(`the attacker ended with ${code}`);
      return JSON.parse(output);
    },
  };
}
