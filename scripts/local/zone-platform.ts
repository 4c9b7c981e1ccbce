import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { rttMatrix } from '../../topology/latency.ts';
import { regionsOf } from '../../topology/read.ts';
import type { Zone } from '../../topology/types.ts';
import { UserError } from '../lib/user-error.ts';
import { waitFor } from '../lib/wait.ts';
import { type Accelerator, startAccelerator } from './accelerator/accelerator.ts';
import { type Balancer, startBalancer } from './accelerator/balancer.ts';
import {
  bootstrap,
  callApi,
  keepCredentials,
  keptCredentials,
  runEntry,
  seed,
  stillGood,
  type ZoneCredentials,
} from './credentials.ts';
import { type DatabaseAccess, type Part, PARTS } from './control-protocol.ts';
import type { ProcessRegister } from './guard-link.ts';
import type { LocalZone } from './local-file.ts';
import type { Places } from './places.ts';
import type { RegionPorts, ZonePorts } from './port-plan.ts';
import type { PostgresBinaries } from './postgres/binaries.ts';
import { makeDataRoot } from './postgres/data-root.ts';
import { PostgresNode } from './postgres/node.ts';
import { keptPasswords } from './postgres/passwords.ts';
import { ServiceProcess } from './service-process.ts';
import { type ValkeyProgram, withoutValkey } from './valkey/program.ts';
import { ValkeyServer } from './valkey/server.ts';
import { ZoneDatabases } from './zone-databases.ts';

export interface ZonePlatformOptions {
  readonly zone: Zone;
  readonly ports: ZonePorts;
  /** By zone: where its accelerator is, for the answer to a call in the wrong zone. */
  readonly zoneUrls: Readonly<Record<string, string>>;
  readonly places: Places;
  readonly dataRoot: string;
  readonly binaries: PostgresBinaries;
  /** Undefined: this machine has none, and each task counts alone. */
  readonly valkey: ValkeyProgram | undefined;
  readonly register: ProcessRegister;
  readonly onNotice: (sentence: string) => void;
  /** Told when processes or roles changed. */
  readonly onChange: () => void;
}

/** One region as `local status` shows it. */
export interface RegionStatus {
  readonly zone: string;
  readonly region: string;
  readonly url: string;
  readonly role: 'home' | 'replica';
  /** One by one, past the balancer where there are several. */
  readonly tasks: readonly { readonly url: string; readonly pid: number | null; readonly ready: boolean }[];
  readonly postgres: {
    readonly port: number;
    readonly pid: number | null;
    /** What the database says it is; null while it is down. */
    readonly role: 'primary' | 'standby' | null;
    readonly streaming: boolean;
    readonly replayPaused: boolean;
    readonly applyDelayMs: number;
    readonly lagMs: number | null;
  };
  /** Its shared counters; null where this machine has no server for them. */
  readonly valkey: { readonly port: number; readonly pid: number | null; readonly ready: boolean } | null;
}

const readyTimeoutMs = 60_000;
const writableTimeoutMs = 30_000;
const valkeyTimeoutMs = 15_000;

/** One zone on this machine: databases, tasks, the balancers where a region has several, and the accelerator. */
export class ZonePlatform {
  readonly name: string;
  readonly databases: ZoneDatabases;
  readonly #options: ZonePlatformOptions;
  readonly #tasks = new Map<string, readonly ServiceProcess[]>();
  readonly #valkeys: ReadonlyMap<string, ValkeyServer>;
  readonly #peerSecret = randomBytes(32).toString('hex');
  #balancers: Balancer[] = [];
  #accelerator: Accelerator | undefined;
  #credentials: ZoneCredentials | undefined;
  #isStopping = false;

  constructor(options: ZonePlatformOptions) {
    this.#options = options;
    this.name = options.zone.name;
    const dataDir = makeDataRoot(join(options.dataRoot, this.name)).path;
    const nodes = new Map(
      options.ports.regions.map((ports) => [ports.region, this.#makeNode(ports, dataDir)]),
    );
    this.#valkeys = new Map(
      options.ports.regions.flatMap((ports) => {
        const server = this.#makeValkey(ports);
        return server === undefined ? [] : [[ports.region, server]];
      }),
    );
    const { origin } = options.zone;
    this.databases = new ZoneDatabases({
      zone: this.name,
      origin,
      nodes,
      dataDir,
      onNotice: options.onNotice,
    });
  }

  get regions(): readonly string[] {
    return this.#options.ports.regions.map(({ region }) => region);
  }

  #makeNode(ports: RegionPorts, dataDir: string): PostgresNode {
    const { binaries, places, register, onNotice, onChange } = this.#options;
    const what = `the database of ${ports.region} in zone ${this.name}`;
    return new PostgresNode({
      name: ports.region,
      dataDir: join(dataDir, ports.region),
      port: ports.postgres,
      binaries,
      passwords: keptPasswords(join(dataDir, 'passwords.json')),
      logFile: join(places.logs, `${this.name}-${ports.region}-postgres.log`),
      onStarted: (server) => register.add(server, what, 'SIGINT'),
      onExited: (asked) => {
        if (!asked && !this.#isStopping) {
          onNotice(
            `${what} ended unexpectedly and stays down: \`npx keyhearth local start ${ports.region}\` starts it.`,
          );
        }
        onChange();
      },
    });
  }

  #makeValkey({ region, valkey: { port, bus } }: RegionPorts): ValkeyServer | undefined {
    const { valkey: program, places, register, onNotice, onChange } = this.#options;
    if (program === undefined) return undefined;
    return new ValkeyServer({
      region,
      program,
      port,
      busPort: bus,
      dir: join(places.valkey, this.name, region),
      logFile: join(places.logs, `${this.name}-${region}-valkey.log`),
      onStarted: (identity) => register.add(identity, `Valkey of ${region} in zone ${this.name}`, 'SIGTERM'),
      onNotice,
      onChange,
    });
  }

  /** First step of a start: the home's database, then schema and standbys at once; the shared counters meanwhile. */
  async startDatabases(): Promise<void> {
    await Promise.all([
      this.#startHomeAndStandbys(),
      ...[...this.#valkeys.values()].map((server) => server.start(valkeyTimeoutMs)),
    ]);
  }

  async #startHomeAndStandbys(): Promise<void> {
    await this.databases.startHome();
    const home = this.databases.node(this.databases.home);
    await Promise.all([
      this.databases.startStandbys(),
      runEntry('migrate', { KEYHEARTH_WRITER_URL: home.url }),
    ]);
  }

  /** Second step: all tasks, and the root key where there is none yet. */
  async startServices(): Promise<void> {
    const { places } = this.#options;
    const kept = keptCredentials(places.credentials, this.name);
    const [made] = await Promise.all([
      kept ?? this.#bootstrap(),
      ...this.#options.ports.regions.map((ports) => this.#startTasks(ports)),
    ]);
    const url = this.#urlOf(this.databases.home);
    await this.#untilWritable(made.rootKey);
    if (kept !== undefined && (await stillGood(url, kept))) this.#credentials = kept;
    else this.#credentials = await this.#seedAnew(url, made);
    keepCredentials(places.credentials, this.name, this.#credentials);
  }

  async #bootstrap(): Promise<{ workspaceId: string; rootKey: string }> {
    const region = this.databases.home;
    return bootstrap({
      KEYHEARTH_WRITER_URL: this.databases.node(region).url,
      KEYHEARTH_ZONE: this.name,
      KEYHEARTH_REGION: region,
    });
  }

  /** A person may have deleted the sample key, or its API, or the root key: what is missing is made again. */
  async #seedAnew(url: string, made: { workspaceId: string; rootKey: string }): Promise<ZoneCredentials> {
    const { status } = await callApi(url, made.rootKey, 'keys.verifyKey', { key: 'none' });
    const owner = status === 401 || status === 403 ? await this.#bootstrap() : made;
    return seed(url, { workspaceId: owner.workspaceId, rootKey: owner.rootKey });
  }

  /** Third step: what clients connect to. */
  async startAccelerator(): Promise<void> {
    const { ports, zone } = this.#options;
    this.#accelerator = await startAccelerator({
      zone: this.name,
      regions: ports.regions.map(({ region, direct }) => ({ region, host: '127.0.0.1', port: direct })),
      matrix: rttMatrix(regionsOf(zone)),
      ports: { direct: ports.accelerator, clients: ports.clients },
      health: { path: '/readyz', intervalMs: 200, misses: 2 },
    });
  }

  async #startTasks(ports: RegionPorts): Promise<void> {
    const tasks = this.#tasks.get(ports.region) ?? this.#makeTasks(ports);
    this.#tasks.set(ports.region, tasks);
    await Promise.all(tasks.map((task) => task.start(readyTimeoutMs)));
    if (tasks.length > 1 && !this.#balancers.some(({ port }) => port === ports.direct)) {
      const targets = ports.tasks.map((port) => ({ host: '127.0.0.1', port }));
      this.#balancers.push(await startBalancer({ port: ports.direct, targets }));
    }
  }

  #makeTasks(ports: RegionPorts): readonly ServiceProcess[] {
    const { region } = ports;
    const { places, register, onNotice, onChange } = this.#options;
    return ports.tasks.map((port, at) => {
      const suffix = at === 0 ? '' : `-${at}`;
      return new ServiceProcess({
        slot: `${region}/${at}`,
        port,
        env: this.#environmentOf(region),
        logFile: join(places.logs, `${this.name}-${region}${suffix}.log`),
        onStarted: (identity) =>
          register.add(identity, `the service of ${region} in zone ${this.name}`, 'SIGTERM'),
        onNotice,
        onChange,
      });
    });
  }

  #environmentOf(region: string): Record<string, string> {
    const { places, ports, zoneUrls } = this.#options;
    const { url } = this.databases.node(region);
    const valkey = this.#valkeys.get(region);
    const peers = ports.regions
      .filter((other) => other.region !== region)
      .map((other) => `${other.region}=${this.#urlOf(other.region)}`);
    const otherZones = Object.entries(zoneUrls).filter(([name]) => name !== this.name);
    return {
      KEYHEARTH_VAULT: `file:${places.vaultKey}`,
      ...(valkey !== undefined && { KEYHEARTH_VALKEY: valkey.url }),
      ...overrides(),
      KEYHEARTH_ZONE: this.name,
      KEYHEARTH_REGION: region,
      KEYHEARTH_WRITER_URL: url,
      KEYHEARTH_READER_URLS: url,
      KEYHEARTH_PEER_SECRET: this.#peerSecret,
      ...(peers.length > 0 && { KEYHEARTH_PEERS: peers.join(',') }),
      ...(otherZones.length > 0 && {
        KEYHEARTH_ZONE_URLS: otherZones.map(([name, at]) => `${name}=${at}`).join(','),
      }),
    };
  }

  #portsOf(region: string): RegionPorts {
    const ports = this.#options.ports.regions.find((candidate) => candidate.region === region);
    if (ports === undefined) throw new Error(`zone ${this.name} has no region ${region}`);
    return ports;
  }

  #urlOf(region: string): string {
    return urlAt(this.#portsOf(region).direct);
  }

  /** One of a region's tasks, counted from 0: ended as the loss of its machine would, and down until `start`. */
  async killTask(region: string, at: number): Promise<void> {
    const tasks = this.#tasks.get(region) ?? [];
    const task = tasks[at];
    if (task === undefined) {
      const there = tasks.length === 1 ? 'one task, 0' : `${tasks.length} tasks, 0 to ${tasks.length - 1}`;
      throw new UserError(`There is no task ${at} in ${region}: it has ${there}.`);
    }
    await task.kill();
  }

  /** Ends processes as the loss of a machine would; they stay down until `start`. */
  async kill(region: string, part: Part | undefined): Promise<void> {
    const valkey = this.#valkeys.get(region);
    if (part === 'valkey' && valkey === undefined)
      throw new UserError(`There is no Valkey in ${region}: ${withoutValkey}`);
    const processes = {
      service: this.#tasks.get(region) ?? [],
      database: [this.databases.node(region)],
      valkey: valkey === undefined ? [] : [valkey],
    };
    const parts = part === undefined ? PARTS : [part];
    await Promise.all(parts.flatMap((one) => processes[one].map((process) => process.kill())));
  }

  /** Starts what is down in a region. Returns true where its database was made anew from the home's. */
  async start(region: string): Promise<boolean> {
    const [rebuilt] = await Promise.all([
      this.databases.start(region),
      this.#valkeys.get(region)?.start(valkeyTimeoutMs),
    ]);
    await this.#startTasks(this.#portsOf(region));
    return rebuilt;
  }

  /** Moves the home. Returns once the new home accepted a write that came through its service. */
  async promote(region: string): Promise<'switchover' | 'failover'> {
    const kind = await this.databases.promote(region);
    this.#options.onChange();
    const isServed = (this.#tasks.get(region) ?? []).some((task) => task.pid !== undefined);
    if (isServed && this.#credentials !== undefined) await this.#untilWritable(this.#credentials.rootKey);
    return kind;
  }

  /** Asks the home's own service to write something that changes nothing, until it doesn't say that there is no home. */
  async #untilWritable(rootKey: string): Promise<void> {
    const region = this.databases.home;
    const keyId = this.#credentials?.sampleKeyId ?? 'key_none';
    await waitFor(
      async () => {
        try {
          const { status } = await callApi(this.#urlOf(region), rootKey, 'keys.updateKey', { keyId });
          return status < 500;
        } catch {
          return false; // No connection: it is being started.
        }
      },
      { what: `the service of ${region} to accept writes`, timeoutMs: writableTimeoutMs, intervalMs: 50 },
    );
  }

  async status(): Promise<readonly RegionStatus[]> {
    return Promise.all(this.regions.map((region) => this.#statusOf(region)));
  }

  async #statusOf(region: string): Promise<RegionStatus> {
    const node = this.databases.node(region);
    const tasks = this.#tasks.get(region) ?? [];
    const valkey = this.#valkeys.get(region);
    const [state, ready, isCounting] = await Promise.all([
      this.databases.state(region).catch(() => undefined),
      Promise.all(tasks.map((task) => task.isReady())),
      valkey?.isReady() ?? false,
    ]);
    return {
      zone: this.name,
      region,
      url: this.#urlOf(region),
      role: this.#roleOf(region),
      tasks: tasks.map((task, at) => ({
        url: urlAt(task.port),
        pid: task.pid ?? null,
        ready: ready[at] ?? false,
      })),
      postgres: {
        port: node.port,
        pid: node.pid ?? null,
        role: state?.role ?? null,
        streaming: state?.streaming ?? false,
        replayPaused: state?.replayPaused ?? false,
        applyDelayMs: state?.applyDelayMs ?? 0,
        lagMs: state?.lagMs ?? null,
      },
      valkey: valkey === undefined ? null : { port: valkey.port, pid: valkey.pid ?? null, ready: isCounting },
    };
  }

  /** The databases that run, with their passwords. */
  databaseAccess(): readonly DatabaseAccess[] {
    return this.regions.flatMap((region) => {
      const node = this.databases.node(region);
      return node.isRunning ? [{ zone: this.name, region, role: this.#roleOf(region), url: node.url }] : [];
    });
  }

  #roleOf(region: string): 'home' | 'replica' {
    return region === this.databases.home ? 'home' : 'replica';
  }

  /** What `.keyhearth/local.json` says of this zone. */
  describe(): LocalZone {
    const { ports } = this.#options;
    if (this.#credentials === undefined) throw new Error(`zone ${this.name} isn't ready`);
    const { rootKey, workspaceId, apiId, sampleKey } = this.#credentials;
    return {
      url: `http://127.0.0.1:${ports.accelerator}`,
      rootKey,
      workspaceId,
      apiId,
      sampleKey,
      clients: Object.fromEntries(
        Object.entries(ports.clients).map(([location, port]) => [location, `http://127.0.0.1:${port}`]),
      ),
      regions: Object.fromEntries(
        this.regions.map((region) => {
          const node = this.databases.node(region);
          const tasks = (this.#tasks.get(region) ?? []).map(({ port, pid }) => ({
            url: urlAt(port),
            pid: pid ?? null,
          }));
          const postgres = { port: node.port, pid: node.pid ?? null };
          const server = this.#valkeys.get(region);
          const valkey = server === undefined ? null : { port: server.port, pid: server.pid ?? null };
          const [url, role] = [this.#urlOf(region), this.#roleOf(region)];
          return [region, { url, role, pid: tasks[0]?.pid ?? null, tasks, postgres, valkey }];
        }),
      ),
    };
  }

  /** Clients first, then tasks, then what they ask. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#accelerator?.stop();
    await Promise.all(this.#balancers.map((balancer) => balancer.stop()));
    await Promise.all([...this.#tasks.values()].flat().map((task) => task.stop()));
    await Promise.all([...this.#valkeys.values()].map((server) => server.stop()));
    await this.databases.stop();
  }
}

function urlAt(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** Settings of the service that the person gave this platform in its own environment, e.g. KEYHEARTH_STALENESS_MODE=refuse. */
function overrides(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      name.startsWith('KEYHEARTH_') && name !== 'KEYHEARTH_DIR' && value !== undefined ? [[name, value]] : [],
    ),
  );
}

/** The zone and region that a command means. Fails with `UserError` where there is none, or where it could be several. */
export function findRegion(
  zones: readonly ZonePlatform[],
  region: string,
  zoneName: string | undefined,
): ZonePlatform {
  const candidates = zones.filter((zone) => zoneName === undefined || zone.name === zoneName);
  const found = candidates.filter((zone) => zone.regions.includes(region));
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    throw new UserError(
      `${region} is in several zones (${found.map(({ name }) => name).join(', ')}): say which with --zone.`,
    );
  }
  const known = zones.flatMap((zone) => zone.regions.map((name) => `${name} (${zone.name})`));
  throw new UserError(
    `No region ${region}${zoneName === undefined ? '' : ` in zone ${zoneName}`} runs here; there are ${known.join(', ')}.`,
  );
}
