import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';

import { expect, onTestFinished, test, vi } from 'vitest';

import { startAccelerator } from './accelerator.ts';
import type { Accelerator, AcceleratorRegion } from './accelerator.ts';
import { startBalancer } from './balancer.ts';

/** A region's task as the accelerator sees it: readiness, and an answer that says who it is. */
class FakeTask {
  isReady = true;
  readonly name: string;
  readonly #server: Server;
  #port = 0;

  constructor(name: string) {
    this.name = name;
    this.#server = createServer((incoming, answer) => {
      if (incoming.url === '/readyz') answer.writeHead(this.isReady ? 200 : 503).end();
      else answer.end(this.name);
    });
  }

  async start(): Promise<this> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    // A listening server's address is an object.
    this.#port = (this.#server.address() as AddressInfo).port;
    onTestFinished(() => this.stop());
    return this;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  get target(): AcceleratorRegion {
    return { region: this.name, host: '127.0.0.1', port: this.#port };
  }
}

const MATRIX = {
  london: { 'eu-west-1': 4, 'us-east-1': 10 },
  'new-york': { 'eu-west-1': 10, 'us-east-1': 4 },
};

async function platform(
  health: { intervalMs: number; misses: number } = { intervalMs: 20, misses: 2 },
): Promise<{
  accelerator: Accelerator;
  virginia: FakeTask;
  ireland: FakeTask;
}> {
  const [virginia, ireland] = [
    await new FakeTask('us-east-1').start(),
    await new FakeTask('eu-west-1').start(),
  ];
  const accelerator = await startAccelerator({
    zone: 'global',
    regions: [virginia.target, ireland.target],
    matrix: MATRIX,
    ports: { direct: 0, clients: { london: 0, 'new-york': 0 } },
    health: { path: '/readyz', ...health },
  });
  onTestFinished(() => accelerator.stop());
  return { accelerator, virginia, ireland };
}

/** Who answers on this port; over a connection of its own unless an agent is given. */
function ask(port: number, agent: Agent | false = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, agent, path: '/' }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve(text));
      answer.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}

test('each location reaches its nearest region, the port without delay the first one', async () => {
  const { accelerator } = await platform();
  const { direct, clients } = accelerator.ports;
  expect(await ask(clients['london'] ?? 0)).toBe('eu-west-1');
  expect(await ask(clients['new-york'] ?? 0)).toBe('us-east-1');
  expect(await ask(direct)).toBe('us-east-1');
  expect([accelerator.regionOf('london'), accelerator.regionOf('direct')]).toEqual([
    'eu-west-1',
    'us-east-1',
  ]);
  expect(() => accelerator.regionOf('paris')).toThrow('paris is no client location');
});

test('a region that isn’t ready any more loses its connections and its clients, and gets them back', async () => {
  const { accelerator, ireland } = await platform();
  const port = accelerator.ports.clients['london'] ?? 0;
  const idle = connect(port, '127.0.0.1').on('error', () => undefined);
  onTestFinished(() => void idle.destroy());
  await vi.waitFor(() => expect(accelerator.connections).toBe(1), { timeout: 15_000 });
  const cut = new Promise((resolve) => idle.once('close', resolve));
  const noticed = once(accelerator.events, 'health');
  ireland.isReady = false;
  expect(await noticed).toEqual([{ zone: 'global', region: 'eu-west-1', isHealthy: false }]);
  await cut;
  expect(await ask(port)).toBe('us-east-1');
  const back = once(accelerator.events, 'health');
  ireland.isReady = true;
  expect(await back).toEqual([{ zone: 'global', region: 'eu-west-1', isHealthy: true }]);
  expect(await ask(port)).toBe('eu-west-1');
});

test('a region that refuses connections is passed over before any check has noticed', async () => {
  const { accelerator, ireland } = await platform({ intervalMs: 3_600_000, misses: 2 });
  ireland.stop();
  expect(accelerator.isHealthy('eu-west-1')).toBe(true);
  expect(await ask(accelerator.ports.clients['london'] ?? 0)).toBe('us-east-1');
});

test('while no region is healthy, connections still go to the nearest', async () => {
  const { accelerator, virginia, ireland } = await platform();
  virginia.isReady = false;
  ireland.isReady = false;
  await vi.waitFor(() => {
    expect([accelerator.isHealthy('us-east-1'), accelerator.isHealthy('eu-west-1')]).toEqual([false, false]);
  });
  expect(await ask(accelerator.ports.clients['london'] ?? 0)).toBe('eu-west-1');
  expect(await ask(accelerator.ports.clients['new-york'] ?? 0)).toBe('us-east-1');
});

test('a kept-alive connection stays with its region while that is healthy', async () => {
  const { accelerator } = await platform();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  for (let round = 0; round < 5; round++) {
    expect(await ask(accelerator.ports.clients['london'] ?? 0, agent)).toBe('eu-west-1');
  }
  expect(accelerator.connections).toBe(1);
});

test('a taken port or a hole in the matrix is refused, and nothing stays open', async () => {
  const { accelerator, virginia } = await platform();
  const options = {
    zone: 'other',
    regions: [virginia.target],
    matrix: MATRIX,
    health: { path: '/readyz', intervalMs: 20, misses: 2 },
  };
  await expect(
    startAccelerator({ ...options, ports: { direct: accelerator.ports.direct, clients: {} } }),
  ).rejects.toMatchObject({ code: 'EADDRINUSE', port: accelerator.ports.direct });
  await expect(startAccelerator({ ...options, ports: { direct: 0, clients: { paris: 0 } } })).rejects.toThrow(
    'the round-trip time from paris to us-east-1 is missing',
  );
});

test('a balancer takes its tasks in turn and leaves out the one that isn’t ready', async () => {
  const tasks = [
    await new FakeTask('a').start(),
    await new FakeTask('b').start(),
    await new FakeTask('c').start(),
  ];
  const balancer = await startBalancer({
    port: 0,
    targets: tasks.map(({ target }) => target),
    health: { path: '/readyz', intervalMs: 20, misses: 2 },
  });
  onTestFinished(() => balancer.stop());
  const six = async (): Promise<readonly string[]> => {
    const answers: string[] = [];
    for (let round = 0; round < 6; round++) answers.push(await ask(balancer.port));
    return answers.toSorted();
  };
  expect(await six()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  const [, second] = tasks;
  if (second === undefined) throw new Error('there are three tasks');
  second.isReady = false;
  await vi.waitFor(() => expect(balancer.isHealthy(second.target)).toBe(false), { timeout: 15_000 });
  expect(await six()).toEqual(['a', 'a', 'a', 'c', 'c', 'c']);
});
