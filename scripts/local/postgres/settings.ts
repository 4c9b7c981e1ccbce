/** Who a standby streams from. */
export interface ReplicationSource {
  readonly port: number;
  readonly password: string;
  /** Name under which the primary sees this standby. */
  readonly name: string;
}

/** Settings that change while a node runs; all take effect on reload. */
export interface ReplicationSettings {
  readonly source: ReplicationSource | null;
  /** How long a standby holds each commit back, ms. */
  readonly applyDelayMs: number;
}

/** Name of the file that holds `ReplicationSettings`, inside the data directory. */
export const replicationFile = 'keyhearth.replication.conf';

/**
 * The whole postgresql.conf of a node, written at each start. Small, because a laptop runs five of them; safe, because its data
 * survives restarts of the machine (fsync stays on).
 */
export function serverSettings(port: number): string {
  const settings: Record<string, string | number> = {
    port,
    listen_addresses: '127.0.0.1',
    // A socket's path has a length limit that a deep repository exceeds; loopback does as well.
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: 400,
    shared_buffers: '24MB',
    huge_pages: 'off',
    wal_level: 'replica',
    max_wal_senders: 8,
    max_replication_slots: 0,
    // No slots: a standby that stays down for long must not fill the primary's disk. This is how far behind it may come back.
    wal_keep_size: '96MB',
    min_wal_size: '32MB',
    max_wal_size: '256MB',
    hot_standby: 'on',
    // Pruning at home must not cancel a standby's reads, which all are short.
    hot_standby_feedback: 'on',
    // Otherwise a standby waits up to 5 s after its primary has restarted.
    wal_retrieve_retry_interval: '100ms',
    wal_receiver_status_interval: '1s',
    wal_receiver_timeout: '5s',
    wal_sender_timeout: '5s',
    recovery_target_timeline: 'latest',
    autovacuum_naptime: '30s',
    log_line_prefix: '%m [%p] ',
    log_checkpoints: 'off',
    logging_collector: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
    cluster_name: 'keyhearth',
    include_if_exists: replicationFile,
  };
  return lines(settings);
}

export function replicationSettings({ source, applyDelayMs }: ReplicationSettings): string {
  return lines({
    recovery_min_apply_delay: `${applyDelayMs}ms`,
    primary_conninfo:
      source === null
        ? ''
        : `host=127.0.0.1 port=${source.port} user=replication password=${source.password} application_name=${source.name} connect_timeout=2`,
  });
}

/** Passwords everywhere, loopback only: no other user of the machine gets in. */
export const accessRules = [
  'host all all 127.0.0.1/32 scram-sha-256',
  'host replication replication 127.0.0.1/32 scram-sha-256',
  '',
].join('\n');

function lines(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      const assigned = typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
      // An include is a directive, not a setting.
      return name === 'include_if_exists' ? `${name} ${assigned}\n` : `${name} = ${assigned}\n`;
    })
    .join('');
}
