import { Refusal } from '../refusal.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import { flagAt, numberAt, requiredText } from './property-values.ts';

interface Engine {
  /** Versions, with what names the family of their parameters. */
  readonly version: RegExp;
  readonly logs: readonly string[];
  /** Characters. */
  readonly usernameMax: number;
  readonly passwordMax: number;
  readonly reserved: readonly string[];
}

// "Amazon Aurora PostgreSQL updates" and "Database engine updates for Amazon Aurora MySQL": majors that exist; which minors of them do isn't checked.
// Logs: "EnableCloudwatchLogsExports", CreateDBCluster. Credentials: "Settings for Aurora DB clusters", Aurora User Guide.
const ENGINES: Readonly<Record<string, Engine>> = {
  'aurora-postgresql': {
    version: /^(?<family>1[1-8])(?:\.\d+)?$/u,
    logs: ['postgresql', 'iam-db-auth-error', 'instance'],
    usernameMax: 63,
    passwordMax: 99,
    reserved: ['admin', 'rdsadmin', 'rds_superuser', 'public', 'user', 'none'],
  },
  'aurora-mysql': {
    version: /^(?<family>5\.7|8\.0|8\.4)(?:\.mysql_aurora\.\d+\.\d+\.\d+)?$/u,
    logs: ['audit', 'error', 'general', 'slowquery', 'iam-db-auth-error', 'instance'],
    usernameMax: 16,
    passwordMax: 41,
    reserved: ['rdsadmin', 'mysql', 'user', 'public'],
  },
};
const PASSWORD_MIN = 8;

// "Supported DB engines for DB instance classes", Aurora User Guide: sizes by class. `serverless` has none.
const SIZES: Readonly<Record<string, readonly string[]>> = {
  t3: ['medium', 'large'],
  t4g: ['medium', 'large'],
  r5: ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge'],
  r6g: ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge'],
  r6gd: ['xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge'],
  r6i: ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge', '32xlarge'],
  r6id: ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge', '32xlarge'],
  r7g: ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge'],
  r7i: ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge', '48xlarge'],
  r8g: ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge', '48xlarge'],
  x2g: ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge'],
};

// "Aurora Serverless v2 capacity", Aurora User Guide: half steps, 0 (pauses) or 0.5 to 256, at least 1 at most.
const ACU = { step: 0.5, least: 0, leastMax: 1, most: 256 } as const;

/** Throws where the engine or the version isn't one of Aurora's. Returns `aurora-postgresql18`. */
export function familyOf(engine: string, version: string): string {
  const family = engineOf(engine).version.exec(version)?.groups?.['family'];
  if (family === undefined) {
    throw new Refusal('InvalidParameterCombination', `Cannot find version ${version} for ${engine}`);
  }
  return `${engine}${family}`;
}

/** Throws where it isn't a class that Aurora has. */
export function checkInstanceClass(name: string): void {
  if (name === 'db.serverless') return;
  const [prefix, family = '', size = '', ...rest] = name.split('.');
  if (prefix === 'db' && rest.length === 0 && SIZES[family]?.includes(size) === true) return;
  throw new Refusal('InvalidParameterValue', `Invalid DB Instance class: ${name}`);
}

/** "Configuration requirements of an Amazon Aurora global database": classes for memory-intensive work only. */
export function isBurstable(instanceClass: string): boolean {
  return /^db\.t\d/u.test(instanceClass);
}

export function checkLogExports(properties: Properties): void {
  const engine = requiredText(properties, 'Engine');
  const unknown = textsAt(properties, 'EnableCloudwatchLogsExports').filter(
    (log) => !engineOf(engine).logs.includes(log),
  );
  if (unknown.length === 0) return;
  throw new Refusal(
    'InvalidParameterCombination',
    `You cannot use the log types '${unknown.join(', ')}' with engine version ${engine} ${requiredText(properties, 'EngineVersion')}. For supported log types, see the documentation.`,
  );
}

export function checkScaling(properties: Properties): void {
  if (properties['ServerlessV2ScalingConfiguration'] === undefined) return;
  const least = numberAt(properties, 'ServerlessV2ScalingConfiguration.MinCapacity');
  const most = numberAt(properties, 'ServerlessV2ScalingConfiguration.MaxCapacity');
  const isStep = (acu: number): boolean => Number.isInteger(acu / ACU.step) && acu <= ACU.most;
  const valid =
    least !== undefined &&
    most !== undefined &&
    isStep(least) &&
    isStep(most) &&
    least >= ACU.least &&
    most >= ACU.leastMax;
  if (!valid) {
    throw new Refusal(
      'InvalidParameterValue',
      'Serverless v2 capacity is invalid: MinCapacity from 0 and MaxCapacity from 1, both up to 256 in steps of 0.5.',
    );
  }
  if (least > most) {
    throw new Refusal(
      'InvalidParameterCombination',
      'Serverless v2 maximum capacity must be greater than or equal to the minimum capacity.',
    );
  }
}

/** Of a cluster that makes its own data. */
export function checkCredentials(properties: Properties): void {
  const engine = engineOf(requiredText(properties, 'Engine'));
  const name = textAt(properties, 'MasterUsername') ?? '';
  if (name === '') {
    throw new Refusal(
      'InvalidParameterValue',
      'The parameter MasterUsername must be provided and must not be blank.',
    );
  }
  if (engine.reserved.includes(name.toLowerCase())) {
    throw new Refusal(
      'InvalidParameterValue',
      `MasterUsername ${name} cannot be used as it is a reserved word used by the engine`,
    );
  }
  if (!/^[a-z]\w*$/iu.test(name) || name.length > engine.usernameMax) {
    throw new Refusal('InvalidParameterValue', 'The parameter MasterUsername is not a valid username.');
  }
  checkPassword(properties);
}

export function checkPassword(properties: Properties): void {
  const engine = engineOf(requiredText(properties, 'Engine'));
  const password = textAt(properties, 'MasterUserPassword');
  const managed = flagAt(properties, 'ManageMasterUserPassword') === true;
  if (managed && password !== undefined) {
    throw new Refusal(
      'InvalidParameterCombination',
      "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.",
    );
  }
  if (managed) return;
  const refuse = (why: string): never => {
    throw new Refusal(
      'InvalidParameterValue',
      `The parameter MasterUserPassword is not a valid password${why}`,
    );
  };
  if (password === undefined) {
    throw new Refusal(
      'InvalidParameterValue',
      'The parameter MasterUserPassword must be provided and must not be blank.',
    );
  }
  if (password.length < PASSWORD_MIN) refuse(` because it is shorter than ${PASSWORD_MIN} characters.`);
  if (password.length > engine.passwordMax) {
    refuse(` because it is longer than ${engine.passwordMax} characters.`);
  }
  if (!/^[!-~]+$/u.test(password) || /["/@]/u.test(password)) {
    refuse(`. Only printable ASCII characters besides '/', '@', '"', ' ' may be used.`);
  }
}

function engineOf(name: string): Engine {
  const engine = ENGINES[name];
  if (engine !== undefined) return engine;
  throw new Refusal('InvalidParameterValue', `Invalid DB engine: ${name}`);
}
