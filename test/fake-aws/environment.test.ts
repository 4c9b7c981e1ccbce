import { describe, expect, test } from 'vitest';
import { endpointEnvironment, loopbackEnvironment, loopbackOnly } from './environment.ts';

const ENDPOINT = 'http://127.0.0.1:20123';
const ACCOUNT = '111122223333';

function withEndpoint(url: string): Record<string, string> {
  return { AWS_ENDPOINT_URL: url };
}

describe('the guard lets nothing but loopback through', () => {
  test.each([ENDPOINT, `${ENDPOINT}/`])('%s passes', (url) => {
    expect(() => loopbackOnly(withEndpoint(url))).not.toThrow();
  });

  test.each([
    '',
    'https://sts.amazonaws.com',
    'https://127.0.0.1:20123',
    'http://127.0.0.1',
    'http://127.0.0.1.example.com:20123',
    'http://127.0.0.1@evil.example:20123',
    'http://evil.example:20123@127.0.0.1:1/',
    'http://127.0.0.1:20123@evil.example',
    'http://127.0.0.1:20123#@evil.example',
    'http://127.0.0.1:20123\\@evil.example',
    'http://127.0.0.1:20123/\n.evil.example',
    'http://127.0.0.1:99999',
    'http://localhost:20123',
    'http://localhost.example.com:20123',
    'http://[::1]:20123',
    'http://[::ffff:127.0.0.1]:20123',
    'http://2130706433:20123',
    'http://0x7f000001:20123',
    'http://0177.0.0.1:20123',
    'http://127.1:20123',
    'http://0.0.0.0:20123',
    'http://127.0.0.2:20123',
    'http://169.254.169.254:80',
    'HTTP://127.0.0.1:20123',
    'file://127.0.0.1:20123',
    '127.0.0.1:20123',
    ' http://127.0.0.1:20123',
  ])('%j is refused', (url) => {
    expect(() => loopbackOnly(withEndpoint(url))).toThrow(/AWS_ENDPOINT_URL must be a URL of this machine/);
  });

  test('no endpoint at all is refused, since programs would call AWS', () => {
    expect(() => loopbackOnly({})).toThrow(/AWS_ENDPOINT_URL is missing/);
    expect(() => loopbackOnly({ AWS_ENDPOINT_URL_S3: ENDPOINT })).toThrow(/AWS_ENDPOINT_URL is missing/);
  });

  test('an endpoint for one service is held to the same, and named', () => {
    const environment = { ...withEndpoint(ENDPOINT), AWS_ENDPOINT_URL_STS: 'https://sts.amazonaws.com' };
    expect(() => loopbackOnly(environment)).toThrow(/AWS_ENDPOINT_URL_STS must be/);
  });

  test('a setting that makes programs pass endpoints over is refused', () => {
    const environment = { ...withEndpoint(ENDPOINT), AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'TRUE' };
    expect(() => loopbackOnly(environment)).toThrow(/AWS_IGNORE_CONFIGURED_ENDPOINT_URLS/);
  });

  test.each(['https_proxy', 'HTTP_PROXY', 'ALL_PROXY'])('a way out through %s is refused', (name) => {
    const environment = { ...withEndpoint(ENDPOINT), [name]: 'http://proxy.example:3128' };
    expect(() => loopbackOnly(environment)).toThrow(new RegExp(`${name} must be`));
  });
});

describe('what a child process is started with', () => {
  const environment = endpointEnvironment(ENDPOINT, ACCOUNT, 'eu-central-1');

  test('passes the guard', () => {
    expect(() => loopbackOnly(environment)).not.toThrow();
  });

  test('reads nobody’s profiles, and asks no metadata service', () => {
    expect(environment).toMatchObject({
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_REGION: 'eu-central-1',
    });
  });

  test('inherits neither keys nor endpoints nor proxies', () => {
    const inherited = {
      PATH: '/usr/bin',
      AWS_PROFILE: 'production',
      AWS_SESSION_TOKEN: 'of-somebody',
      AWS_ENDPOINT_URL_STS: 'https://sts.amazonaws.com',
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
      CDK_DEFAULT_ACCOUNT: '999999999999',
      ftp_proxy: 'http://proxy.example:3128',
      no_proxy: 'amazonaws.com',
    };
    const child = loopbackEnvironment(inherited, environment);
    expect(child).toEqual({ ...environment, PATH: '/usr/bin' });
  });

  test('a proxy that isn’t ours can’t be slipped in', () => {
    const changed = { ...environment, HTTPS_PROXY: 'http://proxy.example:3128' };
    expect(() => loopbackEnvironment({}, changed)).toThrow(/HTTPS_PROXY/);
  });
});
