import Table from 'cli-table3';
import type { LocalFile } from './local-file.ts';
import type { RegionStatus } from './zone-platform.ts';

const plain = { style: { head: [], border: [], compact: true } };

/** What the platform offers, for a terminal: tables of URLs and keys and a call that works when pasted. */
export function overview(local: LocalFile): string {
  const keys = new Table({ head: ['zone', 'url', 'root key', 'sample key', 'api'], ...plain });
  const regions = new Table({
    head: ['zone', 'region', 'role', 'direct url', 'service pid', 'postgres'],
    ...plain,
  });
  const clients = new Table({ head: ['client in', ...Object.keys(local.zones)], ...plain });
  for (const [name, zone] of Object.entries(local.zones)) {
    keys.push([name, zone.url, zone.rootKey, zone.sampleKey, zone.apiId]);
    for (const [region, { url, role, pid, postgres }] of Object.entries(zone.regions)) {
      regions.push([
        name,
        region,
        role,
        url,
        pid ?? 'down',
        `127.0.0.1:${postgres.port}, pid ${postgres.pid ?? 'down'}`,
      ]);
    }
  }
  const locations = Object.keys(Object.values(local.zones)[0]?.clients ?? {});
  for (const location of locations) {
    clients.push([location, ...Object.values(local.zones).map((zone) => zone.clients[location] ?? '')]);
  }
  return [
    regions.toString(),
    clients.toString(),
    keys.toString(),
    '',
    'Verify the sample key:',
    '',
    sampleCall(local),
    '',
  ].join('\n');
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
  ].join(' ');
}

/** `local status` for a terminal. */
export function statusTable(regions: readonly RegionStatus[]): string {
  const head = ['zone', 'region', 'role', 'service', 'database', 'replication', 'direct url'];
  const table = new Table({ head, ...plain });
  for (const status of regions) {
    const { zone, region, role, url } = status;
    table.push([zone, region, role, serviceText(status), databaseText(status), replicationText(status), url]);
  }
  return table.toString();
}

function serviceText({ tasks }: RegionStatus): string {
  if (tasks.length === 0) return 'down';
  return tasks
    .map(({ pid, ready }) => (pid === null ? 'down' : `${ready ? 'ready' : 'not ready'} (pid ${pid})`))
    .join('\n');
}

function databaseText({ postgres }: RegionStatus): string {
  if (postgres.pid === null) return 'down';
  return `${postgres.role ?? 'no answer'} (pid ${postgres.pid}, port ${postgres.port})`;
}

function replicationText({ postgres }: RegionStatus): string {
  if (postgres.role !== 'standby') return '';
  const parts = [postgres.streaming ? 'streaming' : 'not streaming'];
  if (postgres.replayPaused) parts.push('paused');
  if (postgres.applyDelayMs > 0) parts.push(`delayed by ${postgres.applyDelayMs} ms`);
  parts.push(`lag ${postgres.lagMs ?? '?'} ms`);
  return parts.join(', ');
}
