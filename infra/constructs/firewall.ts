import { aws_wafv2 as wafv2, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PRIVATE_RANGES } from '../../topology/address-range.ts';
import { EncryptedLogGroup, type EncryptedLogGroupProps } from './encrypted-log-group.ts';

/** Headers that may hold a key or a session. `x-api-key` is what gateways take keys from as a rule. */
const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'x-api-key', 'cookie'];
const BLOCKED_BODY = 'too-many-requests';

export interface FirewallProps extends Omit<EncryptedLogGroupProps, 'logGroupName'> {
  readonly loadBalancerArn: string;
  /** From one client address; above it, requests are refused. */
  readonly requestsPer5Minutes: number;
}

/**
 * Refuses clients that call too often, and counts those that AWS knows for attacks: an operator looks at that number before anybody is
 * locked out, since callers are servers whose addresses at cloud providers had other owners before. No rule looks into a body or a
 * header, so that the firewall never handles a key.
 */
export class Firewall extends Construct {
  constructor(scope: Construct, id: string, props: FirewallProps) {
    super(scope, id);
    // Where peers come from: every range of a zone is private. No client's address is, and the accelerator keeps those.
    const peers = new wafv2.CfnIPSet(this, 'PrivateAddresses', {
      scope: 'REGIONAL',
      ipAddressVersion: 'IPV4',
      addresses: [...PRIVATE_RANGES],
    });
    const acl = new wafv2.CfnWebACL(this, 'WebAcl', {
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('WebAcl'),
      // The service answers 429 as application/problem+json, which isn't among the types that a firewall can send.
      customResponseBodies: {
        [BLOCKED_BODY]: { contentType: 'APPLICATION_JSON', content: JSON.stringify(TOO_MANY_REQUESTS) },
      },
      rules: [rateRule(props.requestsPer5Minutes, peers.attrArn), REPUTATION_RULE],
    });
    new wafv2.CfnWebACLAssociation(this, 'Association', {
      webAclArn: acl.attrArn,
      resourceArn: props.loadBalancerArn,
    });
    const stack = Stack.of(this);
    const log = new EncryptedLogGroup(this, 'Log', {
      ...props,
      // AWS asks for this prefix.
      logGroupName: `aws-waf-logs-${stack.stackName}`,
    });
    const logging = new wafv2.CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      // Without the `:*` that the group's own attribute ends in.
      logDestinationConfigs: [
        stack.formatArn({ service: 'logs', resource: `log-group:aws-waf-logs-${stack.stackName}` }),
      ],
      // A body is never in such a log. The query string is nobody's place for a key, but somebody's mistake.
      redactedFields: [
        { queryString: {} },
        ...SECRET_HEADERS.map((name) => ({ singleHeader: { Name: name } })),
      ],
    });
    // Of the rest, the service's own events and metrics tell. The library writes this one property's names as they are given.
    logging.addPropertyOverride('LoggingFilter', {
      DefaultBehavior: 'DROP',
      Filters: [{ Behavior: 'KEEP', Requirement: 'MEETS_ANY', Conditions: KEPT }],
    });
    logging.node.addDependency(log);
  }
}

const KEPT = [{ ActionCondition: { Action: 'BLOCK' } }, { ActionCondition: { Action: 'COUNT' } }];

const TOO_MANY_REQUESTS = {
  meta: { requestId: 'req_firewall' },
  error: {
    title: 'Too Many Requests',
    detail: 'This address has sent more requests than this service allows. Wait before you send more.',
    status: 429,
    type: 'https://github.com/keyhearth/keyhearth/blob/main/docs/ERRORS.md#keyhearth/firewall/too_many_requests',
  },
} as const;

function visibility(metricName: string): wafv2.CfnWebACL.VisibilityConfigProperty {
  // Samples show whole headers in the console.
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false };
}

function rateRule(limit: number, peersArn: string): wafv2.CfnWebACL.RuleProperty {
  return {
    name: 'too-many-requests',
    priority: 0,
    statement: {
      rateBasedStatement: {
        limit,
        evaluationWindowSec: 300,
        aggregateKeyType: 'IP',
        // A few tasks of another region may pass on all of its management calls.
        scopeDownStatement: {
          notStatement: { statement: { ipSetReferenceStatement: { arn: peersArn } } },
        },
      },
    },
    action: {
      block: {
        customResponse: {
          responseCode: 429,
          customResponseBodyKey: BLOCKED_BODY,
          responseHeaders: [{ name: 'retry-after', value: '60' }],
        },
      },
    },
    visibilityConfig: visibility('TooManyRequests'),
  };
}

const REPUTATION_RULE: wafv2.CfnWebACL.RuleProperty = {
  name: 'ip-reputation',
  priority: 1,
  statement: {
    managedRuleGroupStatement: { vendorName: 'AWS', name: 'AWSManagedRulesAmazonIpReputationList' },
  },
  overrideAction: { count: {} },
  visibilityConfig: visibility('IpReputation'),
};
