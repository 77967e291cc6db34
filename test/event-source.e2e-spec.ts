import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceProcess } from './support/service-process.js';
import { Writers } from './support/writers.js';

const CHROMIUM = findOnPath('chromium');
if (!CHROMIUM) console.log('skipped: there is no chromium on PATH');

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];

/** What only a browser has. */
declare class EventSource {
  constructor(url: string);
  readonly readyState: number;
  addEventListener(name: string, listener: (event: { data: string }) => void): void;
}

/** What the page has seen. */
interface Seen {
  readonly revisions: string[];
  /** How often it was connected. */
  opened: number;
}

describe.skipIf(!CHROMIUM)('an EventSource in a browser', () => {
  let service: ServiceProcess;
  let pages: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    pages = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html').end('<title>another origin</title>');
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    const origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
    service = await ServiceProcess.start({ CORS_ORIGINS: origin });
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: FLAGS });
    page = await browser.newPage();
    await page.goto(origin);
  });

  afterAll(async () => {
    await browser?.close();
    pages?.close();
    await service?.remove();
  });

  /** What the log holds behind an offset, and where it ends. */
  const read = async (offset: string): Promise<{ revisions: string[]; end: string }> => {
    const answer = await fetch(`${service.url}/changes?offset=${offset}`);
    const messages = (await answer.json()) as { headers: { txid: string } }[];
    const revisions = messages.map(({ headers }) => headers.txid);
    const end = answer.headers.get('stream-next-offset') ?? '';
    if (answer.headers.has('stream-up-to-date')) return { revisions, end };
    const rest = await read(end);
    return { revisions: [...revisions, ...rest.revisions], end: rest.end };
  };
  const seen = () => page.evaluate(() => (globalThis as unknown as { seen: Seen }).seen);

  // Holds changes.last-event-id, changes.reliable, changes.unique, changes.resumable.
  it('goes on where it was when the service has been killed and started again', async () => {
    const { end: offset } = await read('now');
    await page.evaluate((url) => {
      // The address names where it began. Only Last-Event-ID can say where it was.
      const source = new EventSource(url);
      const state: Seen = { revisions: [], opened: 0 };
      (globalThis as unknown as { seen: Seen }).seen = state;
      source.addEventListener('open', () => state.opened++);
      source.addEventListener('data', ({ data }) => {
        const messages = JSON.parse(data) as { headers: { txid: string } }[];
        state.revisions.push(...messages.map(({ headers }) => headers.txid));
      });
    }, `${service.url}/changes?live=sse&offset=${offset}`);

    const writers = new Writers(service.url, 2);
    await expect.poll(async () => (await seen()).revisions.length).toBeGreaterThan(20);
    for (const pid of [...service.workerPids, service.tarantoolPid]) process.kill(pid, 'SIGKILL');
    await service.signal('SIGKILL');
    const before = (await seen()).revisions.length;
    await service.start();
    await writers.resumed(30_000);
    await expect.poll(async () => (await seen()).opened).toBe(2);
    await expect.poll(async () => (await seen()).revisions.length).toBeGreaterThan(before + 20);
    await writers.stop();

    const { revisions } = await read(offset);
    await expect.poll(async () => (await seen()).revisions.length).toBeGreaterThanOrEqual(revisions.length);
    expect((await seen()).revisions).toEqual(revisions);
    await writers.verify();
  });
});

function findOnPath(program: string): string | undefined {
  try {
    return execFileSync('which', [program], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
