import Table from 'cli-table3';
import type { LocalFile } from './local-file.ts';
import type { RegionStatus } from './zone-platform.ts';

const plain = { style: { head: [], border: [], compact: true } };

/** What the platform offers, for a terminal of 100 columns: URLs, keys and a call that works when pasted. */
export function overview(local: LocalFile): string {
  const keys: string[] = [];
  const regions = new Table({
    head: ['zone', 'region', 'role', 'direct url', 'service', 'databases'],
    ...plain,
  });
  const clients = new Table({ head: ['client in', ...Object.keys(local.zones)], ...plain });
  for (const [name, zone] of Object.entries(local.zones)) {
    keys.push(
      `Zone ${name}: ${zone.url}`,
      `  root key    ${zone.rootKey}`,
      `  sample key  ${zone.sampleKey}`,
      `  api         ${zone.apiId}`,
    );
    for (const [region, { url, role, tasks, postgres, valkey }] of Object.entries(zone.regions)) {
      regions.push([
        name,
        region,
        role,
        urlsText(url, tasks),
        tasksText(tasks, `any of ${tasks.length}`, ({ pid }) => (pid === null ? 'down' : `pid ${pid}`)),
        [`postgres ${portText(postgres)}`, ...(valkey === null ? [] : [`valkey   ${portText(valkey)}`])].join(
          '\n',
        ),
      ]);
    }
  }
  const locations = Object.keys(Object.values(local.zones)[0]?.clients ?? {});
  for (const location of locations) {
    clients.push([location, ...Object.values(local.zones).map((zone) => zone.clients[location] ?? '')]);
  }
  return [
    regions.toString(),
    ...oneOfMany(Object.values(local.zones).flatMap((zone) => Object.values(zone.regions))),
    clients.toString(),
    ...keys,
    '',
    'Verify the sample key:',
    '',
    sampleCall(local),
    '',
  ].join('\n');
}

/** Its pid is in `local status`: the table is wide enough. */
function portText({ port, pid }: { readonly port: number; readonly pid: number | null }): string {
  return pid === null ? `${port}, down` : String(port);
}

/** A region's own URL; where it has several tasks, those of each of them below it. */
function urlsText(url: string, tasks: readonly { readonly url: string }[]): string {
  return tasks.length > 1 ? [url, ...tasks.map((task) => task.url)].join('\n') : url;
}

/** Line by line what `urlsText` has the URLs of. `all`: of a region that has several. */
function tasksText<T>(tasks: readonly T[], all: string, textOf: (task: T) => string): string {
  if (tasks.length === 0) return 'down';
  if (tasks.length === 1) return tasks.map(textOf).join('\n');
  return [all, ...tasks.map((task, at) => `${at}: ${textOf(task)}`)].join('\n');
}

/** What there is to know where a region has several tasks. */
function oneOfMany(regions: readonly { readonly tasks: readonly unknown[] }[]): readonly string[] {
  if (regions.every(({ tasks }) => tasks.length < 2)) return [];
  return [
    "A region's first url leads to any of its tasks: /metrics there is that of one of them. Below it is",
    'the url of each.',
  ];
}

/** A curl that verifies the first zone's sample key, from London where there is such a client. */
export function sampleCall(local: LocalFile): string {
  const [zone] = Object.values(local.zones);
  if (zone === undefined) return '';
  const url = zone.clients['london'] ?? zone.url;
  return [
    `curl -s ${url}/v2/keys.verifyKey`,
    `-H 'Authorization: Bearer ${zone.rootKey}'`,
    `-H 'Content-Type: application/json'`,
    `-d '{"key":"${zone.sampleKey}"}'`,
  ].join(' \\\n  ');
}

/** `local status` for a terminal. */
export function statusTable(regions: readonly RegionStatus[]): string {
  const head = ['zone', 'region', 'role', 'service', 'database', 'replication', 'valkey', 'direct url'];
  const table = new Table({ head, ...plain });
  for (const status of regions) {
    const { zone, region, role, url } = status;
    table.push([
      zone,
      region,
      role,
      serviceText(status),
      databaseText(status),
      replicationText(status),
      valkeyText(status),
      urlsText(url, status.tasks),
    ]);
  }
  return [table.toString(), ...oneOfMany(regions), ...hints(regions)].join('\n');
}

/** What to do about a zone whose home has no database. */
function hints(regions: readonly RegionStatus[]): readonly string[] {
  const dead = regions.filter(({ role, postgres }) => role === 'home' && postgres.pid === null);
  return dead.map(({ zone, region }) => {
    const next = regions.find(
      (one) => one.zone === zone && one.role === 'replica' && one.postgres.pid !== null,
    );
    const command = (name: string, target: string): string => {
      const isAmbiguous = regions.some((one) => one.region === target && one.zone !== zone);
      return `\`npx keyhearth local ${name} ${target}${isAmbiguous ? ` --zone ${zone}` : ''}\``;
    };
    const lines = [
      `The database of zone ${zone}'s home, ${region}, is down, so nothing can be written:`,
      ...(next === undefined ? [] : [`  ${command('promote', next.region)} makes ${next.region} the home;`]),
      `  ${command('start', region)} starts what is down in ${region}.`,
    ];
    return lines.join('\n');
  });
}

function serviceText({ tasks }: RegionStatus): string {
  const ready = tasks.filter((task) => task.ready).length;
  return tasksText(tasks, `${ready} of ${tasks.length} ready`, (task) => {
    if (task.pid === null) return 'down';
    return `${task.ready ? 'ready' : 'not ready'} (pid ${task.pid})`;
  });
}

function databaseText({ postgres }: RegionStatus): string {
  if (postgres.pid === null) return 'down';
  return `${postgres.role ?? 'no answer'} (pid ${postgres.pid}, port ${postgres.port})`;
}

function valkeyText({ valkey }: RegionStatus): string {
  if (valkey === null) return 'none';
  if (valkey.pid === null) return 'down';
  return `${valkey.ready ? 'ready' : 'not ready'} (pid ${valkey.pid}, port ${valkey.port})`;
}

function replicationText({ postgres }: RegionStatus): string {
  if (postgres.role !== 'standby') return '';
  const parts = [postgres.streaming ? 'streaming' : 'not streaming'];
  if (postgres.replayPaused) parts.push('paused');
  if (postgres.applyDelayMs > 0) parts.push(`delayed by ${postgres.applyDelayMs} ms`);
  parts.push(postgres.lagMs === null ? 'lag –' : `lag ${postgres.lagMs} ms`);
  return parts.join(', ');
}
