import { describe, expect, it } from 'vitest';
import type { Properties } from '../values.ts';
import { requiredText } from './property-values.ts';
import { HERE, NetworkBench, THERE, refusalOf } from './network-bench.ts';

const VISIBILITY = { CloudWatchMetricsEnabled: true, MetricName: 'm', SampledRequestsEnabled: false };

function withAcl() {
  const bench = new NetworkBench();
  const acl = (changes: Properties = {}, place = HERE) =>
    bench.make(
      'WAFv2::WebACL',
      {
        Name: 'entry',
        Scope: 'REGIONAL',
        DefaultAction: { Allow: {} },
        VisibilityConfig: VISIBILITY,
        ...changes,
      },
      place,
    );
  const set = (Name: string, Addresses: readonly string[] = ['192.0.2.0/24']) =>
    bench.make('WAFv2::IPSet', { Name, Scope: 'REGIONAL', IPAddressVersion: 'IPV4', Addresses });
  return { bench, acl, set };
}

describe('a web ACL', () => {
  it('is known by name, id and scope; no other has its name', () => {
    const { acl } = withAcl();
    expect(acl().id).toMatch(/^entry\|[0-9a-f-]{36}\|REGIONAL$/u);
    expect(refusalOf(() => acl())).toMatch(/^WAFDuplicateItemException/u);
  });

  it('is made for CloudFront in us-east-1 only', () => {
    const { acl } = withAcl();
    expect(refusalOf(() => acl({ Scope: 'CLOUDFRONT' }))).toMatch(/^WAFInvalidParameterException/u);
    acl({ Scope: 'CLOUDFRONT' }, THERE);
  });

  it('has rules of different priorities, which name sets of addresses that exist and then stay', () => {
    const { bench, acl, set } = withAcl();
    const rule = (Priority: number, ARN: string) => ({
      Name: `r${Priority}`,
      Priority,
      Action: { Block: {} },
      VisibilityConfig: VISIBILITY,
      Statement: { NotStatement: { Statement: { IPSetReferenceStatement: { ARN } } } },
    });
    const offices = set('offices');
    const arn = requiredText(offices.attributes, 'Arn');
    expect(refusalOf(() => acl({ Rules: [rule(0, arn), rule(0, arn)] }))).toMatch(
      /^WAFDuplicateItemException/u,
    );
    expect(refusalOf(() => acl({ Rules: [rule(0, `${arn}x`)] }))).toMatch(/^WAFNonexistentItemException/u);
    const made = acl({ Rules: [rule(0, arn)] });
    expect(refusalOf(() => bench.remove(offices))).toMatch(/^WAFAssociatedItemException/u);
    bench.remove(made);
    bench.remove(offices);
  });

  it("isn't deleted while it is associated with a load balancer, which has to exist", () => {
    const { bench, acl } = withAcl();
    const made = acl();
    const balancer = bench.balancer(bench.network());
    const associate = (ResourceArn: string) =>
      bench.make('WAFv2::WebACLAssociation', {
        ResourceArn,
        WebACLArn: made.attributes['Arn'] ?? '',
      });
    expect(refusalOf(() => associate(`${balancer.id}x`))).toMatch(/^WAFNonexistentItemException/u);
    const association = associate(balancer.id);
    expect(refusalOf(() => bench.remove(made))).toMatch(/^WAFAssociatedItemException/u);
    bench.remove(association);
    bench.remove(made);
  });

  it('logs to a destination that exists and whose name begins with aws-waf-logs-', () => {
    const { bench, acl } = withAcl();
    const ResourceArn = acl().attributes['Arn'] ?? '';
    const log = (name: string) =>
      bench.make('WAFv2::LoggingConfiguration', {
        ResourceArn,
        LogDestinationConfigs: [`arn:aws:logs:eu-west-1:111111111111:log-group:${name}`],
      });
    expect(refusalOf(() => log('firewall'))).toMatch(/^WAFInvalidParameterException/u);
    expect(refusalOf(() => log('aws-waf-logs-a'))).toMatch(/it doesn't exist/u);
    bench.world.add({
      ...HERE,
      type: 'AWS::Logs::LogGroup',
      id: 'aws-waf-logs-a',
      stack: null,
      properties: {},
      attributes: {},
    });
    expect(log('aws-waf-logs-a').id).toBe(ResourceArn);
  });
});

it('a set of addresses has blocks in CIDR notation', () => {
  const { set } = withAcl();
  expect(refusalOf(() => set('offices', ['192.0.2.1']))).toMatch(/^WAFInvalidParameterException/u);
});
