import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFINITIONS } from '../src/metrics/definitions.js';
import { FIRING, promtoolTests } from './support/alert-cases.js';
import { hasPromtool, promtool, samplesOf } from './support/metrics-page.js';
import { freePort, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';
import { ADMIN_TOKEN, newTokenFor, send } from './support/tokens.js';

const FOLDER = fileURLToPath(new URL('../deploy/', import.meta.url));
const ALERTS = join(FOLDER, 'prometheus/alerts.yml');
const CONFIG = readFileSync(join(FOLDER, 'prometheus/prometheus.yml'), 'utf8');
const WAIT = { timeout: 40_000, interval: 100 };

interface Rule {
  name: string;
  query: string;
  annotations: Record<string, string>;
}

/** All expressions of the dashboard, as Grafana would send them. */
function expressionsOfDashboard(): string[] {
  const { panels } = JSON.parse(readFileSync(join(FOLDER, 'grafana/dashboard.json'), 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  return panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    .map((expr) => expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'));
}

if (!hasPromtool) process.stderr.write('Prometheus is not installed: its tests are skipped\n');

describe.skipIf(!hasPromtool)('Prometheus', () => {
  let service: TestApp;
  let prometheus: ChildProcess;
  let folder: string;
  let url: string;
  let output = '';
  const api = async <T>(path: string): Promise<T> => {
    const { data } = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: T };
    return data;
  };
  const query = (expression: string) =>
    api<{ result: { value: [number, string] }[] } | undefined>(
      `query?query=${encodeURIComponent(expression)}`,
    );

  beforeAll(async () => {
    service = await startTestApp({ ADMIN_TOKEN });
    folder = await mkdtemp(join(tmpdir(), 'kv-prometheus-'));
    const { token } = await newTokenFor(service.url, [{ prefix: '', rights: ['metrics'] }]);
    await writeFile(join(folder, 'token'), token);
    const config = CONFIG.replaceAll('15s', '1s')
      .replace('alerts.yml', ALERTS)
      .replace('/etc/prometheus/tarantool-kv.token', join(folder, 'token'))
      .replace('127.0.0.1:5000', new URL(service.url).host);
    const file = join(folder, 'prometheus.yml');
    await writeFile(file, config);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    prometheus = spawn('prometheus', [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    for (const stream of [prometheus.stdout, prometheus.stderr])
      stream?.on('data', (data) => (output += data));
  });
  afterAll(async () => {
    if (prometheus.exitCode === null) {
      const closed = once(prometheus, 'close');
      prometheus.kill('SIGTERM');
      await closed;
    }
    await rm(folder, { recursive: true });
    await service.stop();
  });

  // Holds operations.prometheus.
  it('scrapes the service by the configuration in deploy, and answers what was sent', async () => {
    for (let i = 0; i < 7; i++) await send(request(service.url).get('/kv/state'), ADMIN_TOKEN).expect(200);
    const sent = 'kv_http_requests_total{job="tarantool-kv", route="/kv/:key", method="GET", status="200"}';
    const answered = async (): Promise<string | undefined> => {
      const data = await query(sent).catch(() => undefined);
      return data?.result[0]?.value[1];
    };
    await expect.poll(answered, { ...WAIT, message: output }).toBe('7');
  });

  // Holds operations.alerts.
  it('fires each alert by what it is about, and by nothing else', async () => {
    const file = join(folder, 'alerts.test.json');
    await writeFile(file, promtoolTests(ALERTS));
    expect(promtool(['test', 'rules', file])).toContain('SUCCESS');
    const { groups } = await api<{ groups: { rules: Rule[] }[] }>('rules');
    const alerts = groups.flatMap(({ rules }) => rules.map(({ name }) => name));
    expect(alerts.toSorted()).toEqual(Object.keys(FIRING).toSorted());
  });

  it('has alerts, each with its reason, and none of which fires', async () => {
    expect(promtool(['check', 'rules', ALERTS])).toContain('SUCCESS');
    const { groups } = await api<{ groups: { rules: Rule[] }[] }>('rules');
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(10);
    for (const { name, annotations } of rules) {
      expect([name, Object.keys(annotations).toSorted()]).toEqual([name, ['action', 'reason', 'summary']]);
    }
    expect((await query('ALERTS{alertstate="firing"}'))?.result).toEqual([]);
  });

  it('has alerts and a dashboard of metrics that the service has', async () => {
    const { groups } = await api<{ groups: { rules: Rule[] }[] }>('rules');
    const all = [
      ...expressionsOfDashboard(),
      ...groups.flatMap(({ rules }) => rules.map((rule) => rule.query)),
    ];
    expect(all.length).toBeGreaterThan(40);
    const { text } = await send(request(service.url).get('/metrics'), ADMIN_TOKEN);
    const told = new Set([...samplesOf(text).keys()].map((sample) => sample.replace(/\{.*/, '')));
    const known = (name: string): boolean => told.has(name) || name in DEFINITIONS;
    for (const expression of all) {
      const names = expression.match(/\b(?:kv|nodejs|process)_\w+/g) ?? [];
      expect([expression, names.filter((name) => !known(name))]).toEqual([expression, []]);
      expect([expression, (await query(expression)) !== undefined]).toEqual([expression, true]);
    }
  });
});
