import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Match } from 'aws-cdk-lib/assertions';
import { regionOf, stacksOf, templateOf } from '../test/zones.ts';
import type { Zone } from '../../topology/types.ts';

const serviceOf = (zone: Partial<Zone>): ReturnType<typeof templateOf> =>
  templateOf(regionOf(stacksOf(zone), 'eu-west-3').service);

const template = serviceOf({ firewall: { requestsPer5Minutes: 1234 } });

/** Fails where no resource of the type has the properties. */
const expectResource = (type: string, properties: object, of = template): void =>
  of.hasResourceProperties(type, properties);

test('a zone that asks for no firewall has none', () => {
  const types = Object.values(serviceOf({}).toJSON()['Resources']).map((resource) =>
    JSON.stringify(resource),
  );
  expect(types.filter((text) => text.includes('AWS::WAFv2'))).toEqual([]);
});

test('a client above the limit is refused with 429, while peers are never counted', () => {
  expectResource('AWS::WAFv2::WebACL', {
    Scope: 'REGIONAL',
    DefaultAction: { Allow: {} },
    Rules: Match.arrayWith([
      Match.objectLike({
        Statement: {
          RateBasedStatement: {
            Limit: 1234,
            EvaluationWindowSec: 300,
            AggregateKeyType: 'IP',
            ScopeDownStatement: {
              NotStatement: { Statement: { IPSetReferenceStatement: Match.anyValue() } },
            },
          },
        },
        Action: { Block: { CustomResponse: Match.objectLike({ ResponseCode: 429 }) } },
      }),
    ]),
  });
  expectResource('AWS::WAFv2::IPSet', {
    Addresses: Match.arrayWith(['10.0.0.0/8']),
  });
});

test('a bad reputation is counted, not refused', () => {
  expectResource('AWS::WAFv2::WebACL', {
    Rules: Match.arrayWith([
      Match.objectLike({
        Statement: {
          ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'AWSManagedRulesAmazonIpReputationList' },
        },
        OverrideAction: { Count: {} },
      }),
    ]),
  });
});

test('it stands in front of the load balancer', () => {
  const [loadBalancer] = Object.keys(template.findResources('AWS::ElasticLoadBalancingV2::LoadBalancer'));
  expectResource('AWS::WAFv2::WebACLAssociation', { ResourceArn: { Ref: loadBalancer } });
});

test('no rule looks where keys are, no sample shows headers, and the log holds no place for a key', () => {
  const acl = JSON.stringify(template.findResources('AWS::WAFv2::WebACL'));
  expect(acl).not.toMatch(/FieldToMatch|CustomKeys|"SampledRequestsEnabled":true/);
  expectResource('AWS::WAFv2::LoggingConfiguration', {
    RedactedFields: Match.arrayWith([{ QueryString: {} }, { SingleHeader: { Name: 'authorization' } }]),
    LoggingFilter: { DefaultBehavior: 'DROP', Filters: Match.anyValue() },
  });
});

test('it logs to a group that is encrypted, has an end, and the name that AWS asks for', () => {
  const name = 'aws-waf-logs-keyhearth-test-eu-svc-eu-west-3';
  expectResource('AWS::Logs::LogGroup', {
    LogGroupName: name,
    RetentionInDays: 30,
    KmsKeyId: Match.anyValue(),
  });
  expectResource('AWS::WAFv2::LoggingConfiguration', {
    LogDestinationConfigs: [`arn:aws:logs:eu-west-3:222222222222:log-group:${name}`],
  });
});

test('what the firewall answers points to a place on docs/ERRORS.md that is there', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/ERRORS.md'), 'utf8');
  const text = JSON.stringify(template.toJSON());
  const anchors = [...text.matchAll(/ERRORS\.md#([a-z/_]+)/g)].map(([, anchor = '']) => anchor);
  expect(anchors.length).toBeGreaterThan(0);
  for (const anchor of anchors) expect(page).toContain(`<a id="${anchor}"></a>`);
});
