import { accountKeys } from './account.ts';

/** What a program is started with. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names under which a program looks for an endpoint: one for all services, one for each. */
const ENDPOINT = /^AWS_ENDPOINT_URL(_|$)/i;
const PROXY = /^(?:https?|all|ftp)_proxy$/i;
const NO_PROXY = /^no_proxy$/i;
/** What would lead a program to another account, endpoint or set of keys. */
const AMBIENT = /^(AWS_|CDK_DEFAULT_|CDK_S3_)/i;
/**
 * 127.0.0.1 in this form alone: `localhost` is what a resolver says it is, nothing of ours listens on `[::1]`, and a program may read
 * `0177.1`, `2130706433` or `127.1` otherwise than we do.
 */
const LOOPBACK = /^http:\/\/127\.0\.0\.1:\d{1,5}\/?$/;

/**
 * Variables for a child process, so that the CDK's CLI, the `aws` command line and the SDKs call this endpoint as an administrator of the
 * account, and nothing else: no profile, no metadata service, no way out through a proxy. Of what a process inherits, `loopbackEnvironment` keeps the rest.
 */
export function endpointEnvironment(
  endpoint: string,
  account: string,
  region: string,
): Readonly<Record<string, string>> {
  const { accessKeyId, secretAccessKey } = accountKeys(account);
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '2',
    AWS_PAGER: '',
    // Nothing but this endpoint is called: no notices, no telemetry.
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DISABLE_VERSION_CHECK: 'true',
    CDK_NOTICES: 'false',
    // A program that passes its endpoint over meets a proxy that lets nothing through, and tells.
    HTTP_PROXY: endpoint,
    HTTPS_PROXY: endpoint,
    ALL_PROXY: endpoint,
    http_proxy: endpoint,
    https_proxy: endpoint,
    all_proxy: endpoint,
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
  };
}

/**
 * The variables of a process with those of an endpoint in place of all that would lead to AWS: keys, profiles, roles, endpoints and
 * proxies of the process aren't inherited. Throws unless what comes out passes `loopbackOnly`.
 */
export function loopbackEnvironment(inherited: Environment, endpoint: Environment): Environment {
  const kept = Object.entries(inherited).filter(
    ([name]) => !AMBIENT.test(name) && !PROXY.test(name) && !NO_PROXY.test(name),
  );
  const environment = { ...Object.fromEntries(kept), ...endpoint };
  loopbackOnly(environment);
  return environment;
}

/**
 * Throws unless a process with these variables calls nothing but loopback: the endpoint for all services is there, it and every one for a
 * service is on this machine, in a form that can't be read otherwise, nothing makes a program pass them over, and no proxy leads away.
 */
export function loopbackOnly(environment: Environment): void {
  const endpoints = Object.entries(environment).filter(([name]) => ENDPOINT.test(name));
  if (environment['AWS_ENDPOINT_URL'] === undefined)
    throw new Error('AWS_ENDPOINT_URL is missing: programs would call AWS itself');
  for (const [name, url] of endpoints)
    if (!isLoopback(url ?? '')) throw new Error(`${name} must be a URL of this machine, and is ${url}`);
  if (/^true$/i.test(environment['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] ?? ''))
    throw new Error('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is set: programs would call AWS itself');
  for (const [name, url = ''] of Object.entries(environment))
    if (PROXY.test(name) && url !== '' && !isLoopback(url))
      throw new Error(`${name} must be a URL of this machine, and is ${url}`);
}

/** Is it a URL with a port of 127.0.0.1, and nothing else? */
function isLoopback(url: string): boolean {
  return LOOPBACK.test(url) && URL.canParse(url);
}
