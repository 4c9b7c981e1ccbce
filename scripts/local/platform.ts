import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeJson } from '../lib/json-file.ts';
import { UserError } from '../lib/user-error.ts';
import {
  isQuestion,
  type ChangeCommand,
  type ControlCommand,
  type ControlResult,
  type Part,
  type QuestionCommand,
} from './control-protocol.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { keepCredentials, runEntry } from './credentials.ts';
import { checkDisk } from './disk-check.ts';
import { ProcessRegister } from './guard-link.ts';
import type { LocalFile } from './local-file.ts';
import type { Places } from './places.ts';
import type { Plan, UpOptions } from './plan.ts';
import { checkPorts } from './port-check.ts';
import { portUses } from './port-plan.ts';
import { findPostgres } from './postgres/binaries.ts';
import { makeDataRoot } from './postgres/data-root.ts';
import { endLeftover } from './postgres/node.ts';
import { findValkey, type ValkeyProgram, withoutValkey } from './valkey/program.ts';
import { findRegion, ZonePlatform } from './zone-platform.ts';

/**
 * The whole platform on this machine, owned by one parent process. `prepare` checks everything that can be known beforehand, the zones
 * are then started step by step by whoever shows the progress, `open` lets commands in, `stop` ends everything in order.
 */
export class Platform {
  readonly #plan: Plan;
  readonly #options: UpOptions;
  readonly #places: Places;
  readonly #onNotice: (sentence: string) => void;
  readonly #register: ProcessRegister;
  #zones: readonly ZonePlatform[] = [];
  #control: ControlServer | undefined;
  #isOpen = false;
  /** Commands change shared state (who is home), so one runs at a time. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(plan: Plan, options: UpOptions, places: Places, onNotice: (sentence: string) => void) {
    this.#plan = plan;
    this.#options = options;
    this.#places = places;
    this.#onNotice = onNotice;
    this.#register = new ProcessRegister(places.run);
  }

  /** Does everything run and may commands come? */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get zones(): readonly ZonePlatform[] {
    return this.#zones;
  }

  /** Claims the folder, clears what a crashed run left, checks ports and disk. Nothing runs yet. Fails with `UserError`. */
  async prepare(): Promise<void> {
    const { root, data, localFile } = this.#places;
    mkdirSync(root, { recursive: true });
    // The database's own user has to pass through; the files in it that hold secrets are closed by themselves.
    chmodSync(root, 0o711);
    const cleared = await this.#register.claim();
    if (cleared > 0)
      this.#onNotice(`An earlier run was not stopped in order: ${cleared} of its processes were ended.`);
    rmSync(localFile, { force: true });
    const dataRoot = makeDataRoot(data);
    if (dataRoot.note !== undefined) this.#onNotice(dataRoot.note);
    await this.#clearZones(dataRoot.path);
    const binaries = findPostgres(dataRoot.path);
    if (binaries.note !== undefined) this.#onNotice(binaries.note);
    const valkey = findValkey();
    if (valkey === undefined && this.#options.tasks > 1) this.#onNotice(`With --tasks, ${withoutValkey}`);
    await checkPorts(portUses(this.#plan.ports, valkey !== undefined));
    await this.#makeVaultKey();
    this.#zones = this.#makeZones(dataRoot.path, binaries, valkey);
    this.#checkDisk(dataRoot.path);
    this.#register.startGuard();
  }

  /** Once: what it encrypted is read back by later starts too. */
  async #makeVaultKey(): Promise<void> {
    const { vaultKey } = this.#places;
    if (!existsSync(vaultKey)) await runEntry('vault-key', {}, [vaultKey]);
  }

  async #clearZones(dataRoot: string): Promise<void> {
    const { zones } = this.#plan.ports;
    await Promise.all(
      zones.flatMap(({ zone, regions }) =>
        regions.map(({ region }) => endLeftover(join(dataRoot, zone, region))),
      ),
    );
    if (!this.#options.reset) return;
    for (const { zone } of zones) {
      rmSync(join(dataRoot, zone), { recursive: true, force: true });
      keepCredentials(this.#places.credentials, zone, undefined);
    }
  }

  #makeZones(
    dataRoot: string,
    binaries: ReturnType<typeof findPostgres>,
    valkey: ValkeyProgram | undefined,
  ): readonly ZonePlatform[] {
    const zoneUrls = Object.fromEntries(
      this.#plan.ports.zones.map(({ zone, accelerator }) => [zone, `http://127.0.0.1:${accelerator}`]),
    );
    return this.#plan.zones.map((zone) => {
      const ports = this.#plan.ports.zones.find((candidate) => candidate.zone === zone.name);
      if (ports === undefined) throw new Error(`no ports for zone ${zone.name}`);
      return new ZonePlatform({
        zone,
        ports,
        zoneUrls,
        places: this.#places,
        dataRoot,
        binaries,
        valkey,
        register: this.#register,
        onNotice: this.#onNotice,
        onChange: () => this.#writeLocalFile(),
      });
    });
  }

  #checkDisk(dataRoot: string): void {
    const counts = this.#zones.map((zone) => zone.databases.counts);
    const sum = (of: 'fresh' | 'kept'): number => counts.reduce((total, count) => total + count[of], 0);
    checkDisk(dataRoot, sum('fresh'), sum('kept'));
  }

  /** Everything runs: says so in `local.json` and lets commands in. */
  async open(): Promise<LocalFile> {
    this.#control = await startControlServer({
      port: this.#plan.ports.control,
      file: this.#places.control,
      run: (command) => this.#run(command),
    });
    this.#isOpen = true;
    this.#writeLocalFile();
    return this.describe();
  }

  describe(): LocalFile {
    return { zones: Object.fromEntries(this.#zones.map((zone) => [zone.name, zone.describe()])) };
  }

  /** Processes come and go: what tools read stays true. */
  #writeLocalFile(): void {
    if (!this.#isOpen) return;
    try {
      writeJson(this.#places.localFile, this.describe());
    } catch (error) {
      this.#onNotice(`${this.#places.localFile} can't be written: ${String(error)}`);
    }
  }

  async #run(command: ControlCommand): Promise<ControlResult> {
    if (isQuestion(command)) return this.#answer(command);
    const done = this.#queue.then(() => this.#change(command));
    // Whoever asked hears of a failure; the next command runs all the same.
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #answer({ name, zone }: QuestionCommand): Promise<ControlResult> {
    const zones = this.#zones.filter((candidate) => zone === undefined || candidate.name === zone);
    if (zones.length === 0) throw new UserError(`Zone ${zone ?? ''} doesn't run here.`);
    if (name === 'databases') return { message: '', databases: zones.flatMap((one) => one.databaseAccess()) };
    return { message: '', regions: (await Promise.all(zones.map((one) => one.status()))).flat() };
  }

  async #change(command: ChangeCommand): Promise<ControlResult> {
    const { region } = command;
    const zone = findRegion(this.#zones, region, command.zone);
    try {
      return { message: await carryOut(zone, command) };
    } finally {
      this.#writeLocalFile();
    }
  }

  /** Ends everything in order; what is still being started ends too. */
  async stop(): Promise<void> {
    this.#isOpen = false;
    await this.#control?.stop();
    for (const file of [this.#places.control, this.#places.localFile]) rmSync(file, { force: true });
    await Promise.all(this.#zones.map((zone) => zone.stop()));
    this.#register.close();
    rmSync(this.#places.run, { force: true });
  }

  /** Ends what an interrupted start has started so far; what it starts after that is ended by the guard when this process ends. */
  async abort(): Promise<void> {
    await this.#register.endAll();
  }

  /** Ends everything at once. */
  async kill(): Promise<void> {
    await this.#register.killAll();
  }
}

const killed: Readonly<Record<Part, string>> = {
  service: 'The service',
  database: 'The database',
  valkey: 'Valkey',
};

async function carryOut(zone: ZonePlatform, command: ChangeCommand): Promise<string> {
  const { region } = command;
  switch (command.name) {
    case 'kill': {
      if (command.task !== undefined) {
        await zone.killTask(region, command.task);
        return `Task ${command.task} of ${region}: killed. \`npx keyhearth local start ${region}\` brings it back.`;
      }
      await zone.kill(region, command.only);
      const what = command.only === undefined ? 'Everything' : killed[command.only];
      return `${what} of ${region}: killed. \`npx keyhearth local start ${region}\` brings back what is down.`;
    }
    case 'start': {
      const rebuilt = await zone.start(region);
      return rebuilt
        ? `${region} runs again; its database was rebuilt as a standby of ${zone.databases.home}.`
        : `${region} runs.`;
    }
    case 'pause-replication':
      await zone.databases.pause(region);
      return `${region} shows no change any more until \`npx keyhearth local resume-replication ${region}\`.`;
    case 'resume-replication':
      await zone.databases.resume(region);
      return `${region} shows changes again.`;
    case 'lag':
      await zone.databases.setLag(region, command.lagMs);
      return command.lagMs === 0
        ? `${region} shows changes at once.`
        : `${region} shows each change ${command.lagMs} ms late.`;
    case 'promote': {
      const kind = await zone.promote(region);
      return kind === 'switchover'
        ? `${region} is the home of zone ${zone.name} now; nothing was lost, and the old home follows it.`
        : `${region} is the home of zone ${zone.name} now; what hadn't reached it when the old home was lost is lost.`;
    }
  }
}
