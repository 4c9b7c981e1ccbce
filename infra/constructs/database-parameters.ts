import { aws_rds as rds } from 'aws-cdk-lib';

/** The one place that names the database's version. Every cluster of a zone has the same: the newest that the library knows. */
export const ENGINE_VERSION = rds.AuroraPostgresEngineVersion.VER_18_6;

export const ENGINE = 'aurora-postgresql';

/**
 * What happens when AWS's standard support of the major version ends, five years or so after it came: we pay more (extended support is
 * charged for each vCPU or capacity unit and hour, roughly as much again as Serverless v2 itself) until somebody raises `ENGINE_VERSION`. Without
 * it AWS would upgrade every cluster by itself: unattended, and to a version that no template names, which the next deployment would
 * take back. AWS tells of the date a year before. The choice holds for as long as a cluster lives.
 */
export const ENGINE_LIFECYCLE = rds.EngineLifecycleSupport.OPEN_SOURCE_RDS_EXTENDED_SUPPORT;

export const PARAMETER_FAMILY = `${ENGINE}${ENGINE_VERSION.auroraPostgresMajorVersion}`;

/** As long as the migrator's own limit (service/store/migrate.ts): nobody who works is quieter than that. */
const IDLE_IN_TRANSACTION_MS = 60_000;
const SLOW_STATEMENT_MS = 1000;

/**
 * Cluster parameters, the same in every region, for any of them may be home.
 *
 * The service's pools and the migrator set their own limits (service/store/pool.ts, migrate.ts), so only one is set here: the backstop
 * for a forgotten session of somebody else, whose open transaction would hold the feed's watermark down for everybody. A server-wide
 * `statement_timeout`, `lock_timeout` or `transaction_timeout` would also hit what RDS itself does in maintenance and upgrades.
 * `max_connections` stays as Aurora computes it from the instance's memory.
 *
 * The log never gets values: no parameters, no DETAIL lines (they quote the row that broke a rule), no text of failed statements
 * (somebody may have typed a role's password there).
 */
export const CLUSTER_PARAMETERS: Readonly<Record<string, string>> = {
  'rds.force_ssl': '1',
  'rds.logical_replication': '0',
  idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
  log_statement: 'none',
  log_min_duration_statement: String(SLOW_STATEMENT_MS),
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_lock_waits: '1',
  track_io_timing: '1',
};
