import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { FIXTURE_OPTIONS } from '../fixture-options.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface CdkOptions {
  /** The cloud assembly, or the command that makes it. */
  readonly app: string;
  /** File with what the app takes for `regions.config.ts`. */
  readonly topology?: string;
  /** A temporary folder: the CLI's home. */
  readonly home: string;
  readonly endpoint?: string;
  readonly credentials?: Credentials;
}

/** Runs the real CDK CLI against a loopback endpoint. Throws with all that it said where it fails. */
export function cdk(
  { app, topology, home, endpoint, credentials }: CdkOptions,
  command: string,
  ...args: readonly string[]
): Promise<string> {
  if (endpoint !== undefined && !/^http:\/\/(127\.0\.0\.1|localhost):\d+$/.test(endpoint))
    throw new Error(`not a loopback endpoint: ${endpoint}`);
  const env = {
    // Only Node: no docker, no credentials of a person, and nobody at the only proxy for whatever isn't this machine.
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: home,
    CI: 'true',
    HTTPS_PROXY: 'http://127.0.0.1:9',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: 'us-east-1',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    CDK_DOCKER: '/bin/false',
    ...(topology === undefined ? {} : { NODE_OPTIONS: FIXTURE_OPTIONS, KEYHEARTH_TEST_TOPOLOGY: topology }),
    ...(endpoint === undefined ? {} : { AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: endpoint }),
    ...(credentials === undefined
      ? {}
      : {
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          ...(credentials.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: credentials.sessionToken }),
        }),
  };
  const words = [CLI, command, '--no-notices', '--no-color', '--app', app, ...args];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, words, { cwd: ROOT, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const said = stdout + stderr;
      if (error === null) resolve(said);
      else reject(new Error(`cdk ${command} ${args.join(' ')}\n${said}`));
    });
  });
}
