import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { buildApp } from '../../service/app.ts';
import { problemText } from '../../service/http/answers.ts';
import { routeNotFound } from '../../service/http/errors.ts';
import { testDeps } from '../../test/http/app-deps.ts';
import { regionOf, stacksOf, templateOf } from '../test/zones.ts';
import { PUBLIC_PATHS, ROUTE_NOT_FOUND } from './load-balancer.ts';

/** Of the service's routes, those that only peers and operators inside the network may call. */
const PRIVATE_ROUTES = ['/internal/:call', '/metrics'];

const template = templateOf(regionOf(stacksOf(), 'eu-west-3').service);

/** Fails where no resource of the type has the properties. */
const expectResource = (type: string, properties: object, of = template): void =>
  of.hasResourceProperties(type, properties);

/** As load balancers match: `*` is any text, `?` one character; case counts, nothing is decoded or normalised. */
function letIn(path: string): boolean {
  return PUBLIC_PATHS.some((pattern) => {
    const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
    return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(path);
  });
}

async function routesOfService(): Promise<readonly string[]> {
  const app = buildApp(testDeps());
  onTestFinished(() => app.close());
  await app.ready();
  // With no prefix in common, every line holds a whole path: `├── /v2/liveness (GET, HEAD)`.
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => /(\/\S*) \(/.exec(line)?.[1] ?? []);
}

test('the internet reaches every public route of the service and none of the private ones', async () => {
  const routes = await routesOfService();
  expect(routes).toEqual(expect.arrayContaining([...PRIVATE_ROUTES, '/v2/liveness', '/readyz']));
  for (const route of routes) expect([route, letIn(route)]).toEqual([route, !PRIVATE_ROUTES.includes(route)]);
});

test('no other way to write a private path gets in, not even one that the service understands', async () => {
  const app = buildApp(testDeps());
  onTestFinished(() => app.close());
  // This is why the rule lists what is public: the service decodes.
  expect((await app.inject('/%6detrics')).statusCode).toBe(200);
  for (const path of [
    '/%6detrics',
    '/m%65trics',
    '/metrics/',
    '/metrics;x',
    '//metrics',
    '/METRICS',
    '/%69nternal/report',
    '/internal%2Freport',
    '//internal/report',
    '/./internal/report',
    '/v2%2F../internal/report',
    '',
  ]) {
    expect([path, letIn(path)]).toEqual([path, false]);
  }
});

test('what gets in behind a public beginning is no private route to the service', async () => {
  const get = await listening();
  // That a request on this way arrives as it is written.
  expect(await get('/metrics')).toBe('up 1\n');
  for (const path of [
    '/v2/../metrics',
    '/v2/..%2fmetrics',
    '/v2//metrics',
    '/docs/../metrics',
    '/v2/%2e%2e/metrics',
  ]) {
    expect(letIn(path)).toBe(true);
    expect([path, await get(path)]).toEqual([path, expect.stringContaining('There is no such call')]);
  }
});

test('what is not let in is answered as the service answers unknown routes', () => {
  const { requestId } = ROUTE_NOT_FOUND.meta;
  const body = problemText(routeNotFound(), requestId);
  for (const port of [443, 8443]) {
    expectResource('AWS::ElasticLoadBalancingV2::Listener', {
      Port: port,
      Protocol: 'HTTPS',
      DefaultActions: [
        {
          Type: 'fixed-response',
          FixedResponseConfig: { StatusCode: '404', ContentType: 'application/json', MessageBody: body },
        },
      ],
    });
  }
  // ELB's limit of a fixed body.
  expect(body.length).toBeLessThanOrEqual(1024);
});

test('peers reach everything, over TLS 1.3 alone', () => {
  template.resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 3);
  expectResource('AWS::ElasticLoadBalancingV2::Listener', {
    Port: 8444,
    Protocol: 'HTTPS',
    SslPolicy: 'ELBSecurityPolicy-TLS13-1-3-PQ-2025-09',
    DefaultActions: [{ Type: 'forward' }],
  });
});

test('a rule has no more patterns than load balancers take, and both public ports have the same', () => {
  const rules = Object.values(template.findResources('AWS::ElasticLoadBalancingV2::ListenerRule'));
  expect(rules.map(({ Properties }) => Properties.Conditions)).toEqual([
    [{ Field: 'path-pattern', PathPatternConfig: { Values: PUBLIC_PATHS } }],
    [{ Field: 'path-pattern', PathPatternConfig: { Values: PUBLIC_PATHS } }],
  ]);
  expect(PUBLIC_PATHS.length).toBeLessThanOrEqual(5);
});

test('every listener leads to the one target group, which takes tasks out of use within half a minute', () => {
  template.resourceCountIs('AWS::ElasticLoadBalancingV2::TargetGroup', 1);
  expectResource('AWS::ElasticLoadBalancingV2::TargetGroup', {
    TargetType: 'ip',
    Port: 8080,
    Protocol: 'HTTP',
    HealthCheckPath: '/readyz',
    HealthCheckIntervalSeconds: 10,
    HealthCheckTimeoutSeconds: 5,
    HealthyThresholdCount: 2,
    UnhealthyThresholdCount: 2,
    Matcher: { HttpCode: '200' },
  });
  expect(attributesOf('TargetGroup', 'TargetGroupAttributes')).toMatchObject({
    'deregistration_delay.timeout_seconds': '20',
    'load_balancing.algorithm.type': 'least_outstanding_requests',
    'stickiness.enabled': 'false',
  });
});

test('the load balancer is internal, drops what is malformed, and appends the client’s address', () => {
  expectResource('AWS::ElasticLoadBalancingV2::LoadBalancer', {
    Scheme: 'internal',
    IpAddressType: 'ipv4',
  });
  expect(attributesOf('LoadBalancer', 'LoadBalancerAttributes')).toMatchObject({
    'deletion_protection.enabled': 'true',
    'routing.http.drop_invalid_header_fields.enabled': 'true',
    'routing.http.desync_mitigation_mode': 'strictest',
    'routing.http.xff_header_processing.mode': 'append',
  });
});

test('the load balancer closes idle connections before a task would', () => {
  const app = buildApp(testDeps());
  onTestFinished(() => app.close());
  const idleS = Number(
    attributesOf('LoadBalancer', 'LoadBalancerAttributes')['idle_timeout.timeout_seconds'],
  );
  expect(idleS).toBeGreaterThan(30);
  expect(idleS * 1000).toBeLessThan(app.server.keepAliveTimeout);
});

test('a zone that may go without a trace has a load balancer that may, too', () => {
  const stack = regionOf(stacksOf({ deletionProtection: false }), 'eu-west-3').service;
  expect(
    JSON.stringify(templateOf(stack).findResources('AWS::ElasticLoadBalancingV2::LoadBalancer')),
  ).toContain('{"Key":"deletion_protection.enabled","Value":"false"}');
});

/** The service behind a socket, and a client that sends paths as they are: `inject` would resolve their dots. */
async function listening(): Promise<(path: string) => Promise<string>> {
  const folder = await mkdtemp(join(tmpdir(), 'keyhearth-'));
  const socketPath = join(folder, 'service');
  const app = buildApp(testDeps());
  onTestFinished(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });
  await app.listen({ path: socketPath });
  return async (path) => {
    const sent = request({ socketPath, path, agent: false }).end();
    const [answer] = await once(sent, 'response');
    return text(answer);
  };
}

function attributesOf(type: string, property: string): Record<string, string> {
  const [resource] = Object.values(template.findResources(`AWS::ElasticLoadBalancingV2::${type}`));
  const attributes: readonly { Key: string; Value: string }[] = resource?.['Properties'][property];
  return Object.fromEntries(attributes.map(({ Key, Value }) => [Key, Value]));
}
