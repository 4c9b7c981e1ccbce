import { Refusal } from '../refusal.ts';
import { type Properties, isProperties } from '../values.ts';
import { scalarText } from './property-values.ts';

const FLAG = '0,1';
const MILLISECONDS = '0-2147483647';
const OFF_OR_MORE = '-1-2147483647';
const LEVELS = 'debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic';
/** Text of any kind. */
const FREE = '';

/**
 * Cluster parameters of the families aurora-postgresql14 to 18 with the values that they take, in the form of RDS's AllowedValues; not all that there
 * are, and templates that need another add it here. Sources: "Aurora PostgreSQL cluster-level parameters"
 * (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Reference.ParameterGroups.html); for the engine's own,
 * "Server Configuration" (https://www.postgresql.org/docs/18/runtime-config.html).
 */
const KNOWN: ReadonlyMap<string, string> = new Map([
  ['apg_ccm_enabled', FLAG],
  ['auto_explain.log_min_duration', OFF_OR_MORE],
  ['autovacuum', FLAG],
  ['autovacuum_naptime', '1-2147483'],
  ['deadlock_timeout', '1-2147483647'],
  ['default_statistics_target', '1-10000'],
  ['idle_in_transaction_session_timeout', MILLISECONDS],
  ['idle_session_timeout', MILLISECONDS],
  ['lock_timeout', MILLISECONDS],
  ['log_autovacuum_min_duration', OFF_OR_MORE],
  ['log_connections', FREE],
  ['log_disconnections', FLAG],
  ['log_duration', FLAG],
  ['log_error_verbosity', 'terse,default,verbose'],
  ['log_lock_waits', FLAG],
  ['log_min_duration_sample', OFF_OR_MORE],
  ['log_min_duration_statement', OFF_OR_MORE],
  ['log_min_error_statement', LEVELS],
  ['log_min_messages', LEVELS],
  ['log_parameter_max_length', '-1-1073741823'],
  ['log_parameter_max_length_on_error', '-1-1073741823'],
  ['log_statement', 'none,ddl,mod,all'],
  ['log_temp_files', OFF_OR_MORE],
  ['max_connections', '1-262143'],
  ['max_parallel_workers', '0-1024'],
  ['max_parallel_workers_per_gather', '0-1024'],
  ['password_encryption', 'md5,scram-sha-256'],
  ['pg_stat_statements.track', 'none,top,all'],
  ['pgaudit.log', FREE],
  ['rds.accepted_password_auth_method', 'md5+scram,scram'],
  ['rds.force_ssl', FLAG],
  ['rds.global_db_rpo', '20-2147483647'],
  ['rds.logical_replication', FLAG],
  ['rds.restrict_password_commands', FLAG],
  ['search_path', FREE],
  ['shared_preload_libraries', FREE],
  ['ssl_max_protocol_version', 'TLSv1,TLSv1.1,TLSv1.2,TLSv1.3'],
  ['ssl_min_protocol_version', 'TLSv1,TLSv1.1,TLSv1.2,TLSv1.3'],
  ['statement_timeout', MILLISECONDS],
  ['timezone', FREE],
  ['track_activity_query_size', '100-1048576'],
  ['track_functions', 'none,pl,all'],
  ['track_io_timing', FLAG],
  ['transaction_timeout', MILLISECONDS],
  ['work_mem', '64-2147483647'],
]);

/**
 * Checks the parameters of a cluster group of Aurora PostgreSQL. The sentence about names is that of CloudFormation's published handler
 * of AWS::RDS::DBClusterParameterGroup, which looks them up; RDS's own would be "Could not find parameter with name". Believed: the one about values.
 *
 * @throws Refusal for a name that isn't known, or a value that the parameter doesn't take
 */
export function checkClusterParameters(family: string, properties: Properties): void {
  const parameters = properties['Parameters'];
  if (parameters === undefined || !isProperties(parameters)) return;
  if (!/^aurora-postgresql1[4-8]$/u.test(family)) return;
  for (const [name, given] of Object.entries(parameters)) {
    const allowed = KNOWN.get(name);
    if (allowed === undefined) {
      throw new Refusal('InvalidRequest', `Invalid / Unmodifiable / Unsupported DB Parameter: ${name}`);
    }
    const value = scalarText(given);
    if (fits(allowed, value)) continue;
    throw new Refusal(
      'InvalidParameterValue',
      `Invalid parameter value: ${value} for: ${name} allowed values are: ${allowed}`,
    );
  }
}

/** "Specifying DB parameters": formulas and functions of the instance's memory are reckoned later. */
function fits(allowed: string, value: string): boolean {
  if (allowed === FREE || /^\{|^(?:GREATEST|LEAST|SUM)\(/u.test(value)) return true;
  const [, least, most] = /^(-?\d+)-(\d+)$/u.exec(allowed) ?? [];
  if (least === undefined || most === undefined) return allowed.split(',').includes(value);
  return /^-?\d+$/u.test(value) && Number(value) >= Number(least) && Number(value) <= Number(most);
}
