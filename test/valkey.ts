import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { generate } from 'selfsigned';
import { isFree } from '../scripts/lib/ports.ts';

const SERVER = ['valkey-server', 'redis-server'].find((name) => spawnSync(name, ['--version']).status === 0);

/**
 * Whether a server is on the PATH. `npm ci` brings none, so tests that need one are left out without, and say so in their name; where
 * CI runs they fail instead.
 */
export const hasValkey = SERVER !== undefined || process.env['CI'] !== undefined;

/** For the names of tests that `hasValkey` leaves out. */
export const NEEDS_VALKEY = '(needs valkey-server or redis-server on the PATH)';

/** What the user of a task may do: the same as infra gives it. */
const ACCESS = '~kh:* resetchannels -@all +cluster|slots +ping +eval +evalsha +hset +hmget +pexpire +time';
const USER = 'keyhearth';
const PASSWORD = 'p%ss:w@rd';
const HOST = 'localhost';
const SLOTS = 16_384;
/** After so long without an answer the others call a node failed. */
const NODE_TIMEOUT_MS = 2000;

export interface TestValkeyOptions {
  /** @default 1 */
  readonly nodes?: number;
  /** @default false */
  readonly tls?: boolean;
}

export interface ValkeyNode {
  readonly port: number;
  /** Stops answering; connections stay. */
  pause(): void;
  resume(): void;
  /** Ends at once, with all that it held. */
  kill(): Promise<void>;
  /** Starts again, empty, with the slots that it had. */
  restart(): Promise<void>;
  /** As an administrator. */
  command(...args: readonly string[]): Promise<unknown>;
}

/** A throw-away cluster of real servers, for the tests of one file. */
export interface TestValkey {
  /** A URL of the first node, with a user that may do what a task's may, and its password. */
  readonly url: string;
  readonly password: string;
  /** Certificate of the servers' authority; empty without TLS. */
  readonly caFile: string;
  readonly nodes: readonly ValkeyNode[];
  /** Moves a slot with its keys to another node. */
  moveSlot(slot: number, from: ValkeyNode, to: ValkeyNode): Promise<void>;
  /** All keys of all nodes. */
  keys(): Promise<readonly string[]>;
  /** Waits until all nodes agree that all slots are served. */
  waitUntilWhole(): Promise<void>;
  /** Ends all servers and deletes what they left. */
  stop(): Promise<void>;
}

/** Starts a cluster: about a second for three nodes. Call `stop` in `afterAll`, or the servers go on running. */
export async function startTestValkey({
  nodes: count = 1,
  tls = false,
}: TestValkeyOptions = {}): Promise<TestValkey> {
  if (SERVER === undefined) throw new Error(`no server ${NEEDS_VALKEY}`);
  const folder = mkdtempSync(join(tmpdir(), 'keyhearth-valkey-'));
  const caFile = tls ? await makeCertificate(folder) : '';
  const nodes: Node[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      nodes.push(new Node(SERVER, join(folder, `node-${index}`), await freePorts(), caFile));
    }
    await Promise.all(nodes.map((node) => node.start()));
    await Promise.all(nodes.map((node, index) => assignSlots(node, index, count)));
    const [first] = nodes;
    if (first === undefined) throw new Error('a cluster has at least one node');
    for (const { port, busPort } of nodes.slice(1)) {
      await first.command('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort));
    }
    const waitUntilWhole = async (): Promise<void> => {
      for (const node of nodes) await until(() => node.isWhole(count), 'the cluster is whole');
    };
    await waitUntilWhole();
    return {
      url: `${tls ? 'rediss' : 'redis'}://${USER}:${encodeURIComponent(PASSWORD)}@${HOST}:${first.port}`,
      password: PASSWORD,
      caFile,
      nodes,
      waitUntilWhole,
      moveSlot: (slot, from, to) => moveSlot(slot, { from, to, all: nodes }),
      keys: async () => (await Promise.all(nodes.map((node) => node.command('KEYS', '*')))).flatMap(texts),
      stop: async () => await end(nodes, folder),
    };
  } catch (error) {
    await end(nodes, folder);
    throw error;
  }
}

class Node implements ValkeyNode {
  readonly port: number;
  readonly busPort: number;
  readonly #server: string;
  readonly #folder: string;
  readonly #caFile: string;
  #process: ChildProcess | null = null;

  constructor(server: string, folder: string, [port, busPort]: readonly [number, number], caFile: string) {
    mkdirSync(folder);
    this.#server = server;
    this.#folder = folder;
    this.#caFile = caFile;
    this.port = port;
    this.busPort = busPort;
    writeFileSync(join(folder, 'server.conf'), this.#config().join('\n'));
  }

  #config(): readonly string[] {
    const ca = this.#caFile;
    return [
      'bind 127.0.0.1',
      ...(ca === ''
        ? [`port ${this.port}`]
        : [
            'port 0',
            `tls-port ${this.port}`,
            `tls-cert-file ${ca}`,
            `tls-key-file ${ca}.key`,
            `tls-ca-cert-file ${ca}`,
            'tls-auth-clients no',
            // Only then do they tell each other of the port with TLS.
            'tls-cluster yes',
          ]),
      'cluster-enabled yes',
      `cluster-port ${this.busPort}`,
      'cluster-config-file nodes.conf',
      `cluster-node-timeout ${NODE_TIMEOUT_MS}`,
      // As in ElastiCache, whose nodes have names; their certificates have no addresses.
      `cluster-announce-hostname ${HOST}`,
      'cluster-preferred-endpoint-type hostname',
      // A node that is gone takes its own slots with it and no others.
      'cluster-require-full-coverage no',
      'save ""',
      'appendonly no',
      `dir ${this.#folder}`,
      'logfile server.log',
      `user ${USER} on >${PASSWORD} ${ACCESS}`,
    ];
  }

  async start(): Promise<void> {
    const started = spawn(this.#server, [join(this.#folder, 'server.conf')], { stdio: 'ignore' });
    this.#process = started;
    await until(async () => {
      if (started.exitCode !== null) throw new Error(`the server ended at once:\n${this.#log()}`);
      return await this.command('PING').then(
        () => true,
        () => false,
      );
    }, 'the server answers');
  }

  restart(): Promise<void> {
    return this.start();
  }

  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  }

  async command(...args: readonly string[]): Promise<unknown> {
    const tls = this.#caFile === '' ? {} : { tls: true as const, ca: readFileSync(this.#caFile) };
    const client = createClient({
      RESP: 2,
      socket: { host: HOST, port: this.port, ...tls, connectTimeout: 5000, reconnectStrategy: false },
      maintNotifications: 'disabled',
    }).on('error', () => {});
    await client.connect();
    try {
      return await client.sendCommand([...args]);
    } finally {
      client.destroy();
    }
  }

  /** Whether it knows of so many nodes and of an owner for each slot. */
  async isWhole(count: number): Promise<boolean> {
    const info = String(await this.command('CLUSTER', 'INFO'));
    const slots = texts(await this.command('CLUSTER', 'NODES'))
      .join('')
      .trim()
      .split('\n');
    const linked = slots.filter((line) => !/fail|handshake|noaddr|disconnected/.test(line));
    return (
      /cluster_state:ok/.test(info) && info.includes(`cluster_slots_ok:${SLOTS}`) && linked.length === count
    );
  }

  async id(): Promise<string> {
    return String(await this.command('CLUSTER', 'MYID'));
  }

  #log(): string {
    return readFileSync(join(this.#folder, 'server.log'), 'utf8');
  }
}

async function assignSlots(node: Node, index: number, count: number): Promise<void> {
  // Each its own, or the nodes would have to find out who gives way.
  await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  const from = Math.floor((index * SLOTS) / count);
  const to = Math.floor(((index + 1) * SLOTS) / count) - 1;
  await node.command('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
}

interface Move {
  readonly from: ValkeyNode;
  readonly to: ValkeyNode;
  readonly all: readonly Node[];
}

async function moveSlot(slot: number, { from, to, all }: Move): Promise<void> {
  const idOf = async (node: ValkeyNode): Promise<string> => String(await node.command('CLUSTER', 'MYID'));
  const [source, target] = [await idOf(from), await idOf(to)];
  await to.command('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', source);
  await from.command('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', target);
  for (const key of texts(await from.command('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000'))) {
    await from.command('MIGRATE', '127.0.0.1', String(to.port), key, '0', '5000');
  }
  for (const node of [to, from, ...all.filter((each) => each !== to && each !== from)]) {
    await node.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', target);
  }
}

async function end(nodes: readonly Node[], folder: string): Promise<void> {
  await Promise.all(nodes.map((node) => node.kill()));
  rmSync(folder, { recursive: true, force: true });
}

/** Certificate and key of servers called localhost; it is its own authority. */
async function makeCertificate(folder: string): Promise<string> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: HOST }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: HOST }] }],
  });
  void new X509Certificate(cert);
  const path = join(folder, 'ca.pem');
  writeFileSync(path, cert);
  writeFileSync(`${path}.key`, key, { mode: 0o600 });
  return path;
}

/** Below those that the system hands out by itself, so that nobody takes them while a node is down. */
async function freePorts(): Promise<readonly [number, number]> {
  for (;;) {
    const port = 20_000 + 2 * Math.floor(Math.random() * 5000);
    if ((await isFree(port)) && (await isFree(port + 1))) return [port, port + 1];
  }
}

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`20 s passed before ${what}`);
    await delay(20);
  }
}

function texts(answer: unknown): readonly string[] {
  return Array.isArray(answer) ? answer.map(String) : [String(answer)];
}
