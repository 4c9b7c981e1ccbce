import {
  aws_route53 as route53,
  aws_secretsmanager as secretsmanager,
  CfnOutput,
  Fn,
  Lazy,
  RemovalPolicy,
  Stack,
  Validations,
} from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { DATABASE, privateDomain, secretNames, stackNames } from '../names.ts';
import type { BaseStack } from './base-stack.ts';
import { RegionStack } from './region-stack.ts';

export interface ZoneStackProps {
  readonly zone: ZoneDeployment;
  /** Of all regions, the origin first. */
  readonly bases: readonly BaseStack[];
}

interface NewSecret {
  readonly name: string;
  readonly description: string;
  readonly generate: secretsmanager.SecretStringGenerator;
}

/**
 * What a zone has once and every region reads: secrets with a replica in each region, and the private names of the regions.
 */
export class ZoneStack extends RegionStack {
  readonly privateZone: route53.IHostedZone;
  /** JSON with `username` and `password`. */
  readonly masterSecret: secretsmanager.Secret;
  /** Text. */
  readonly peerSecret: secretsmanager.Secret;
  /** Key of the output that holds a secret's name and suffix, by the secret. */
  readonly #nameOutputs = new Map<secretsmanager.Secret, string>();

  constructor(scope: Construct, { zone, bases }: ZoneStackProps) {
    super(scope, {
      zone,
      region: zone.origin,
      stackName: stackNames.zone(zone),
      description: `Keyhearth zone ${zone.name}: secrets and private names of all its regions`,
      holdsData: true,
    });
    this.privateZone = this.#makePrivateZone(bases);
    this.masterSecret = this.#makeSecret('Master', bases, {
      name: secretNames.master(zone),
      description: 'Keyhearth: master user of the database',
      generate: {
        secretStringTemplate: JSON.stringify({ username: DATABASE.masterUser }),
        generateStringKey: 'password',
        // RDS's reference of CreateDBCluster allows 41.
        passwordLength: 40,
        // It may become part of a URL.
        excludePunctuation: true,
      },
    });
    this.peerSecret = this.#makeSecret('Peers', bases, {
      name: secretNames.peers(zone),
      description: 'Keyhearth: what regions sign their calls to each other with',
      generate: { passwordLength: 64, excludePunctuation: true },
    });
  }

  /**
   * ARN of a secret's copy in a region: name and random suffix are those of the origin's, only the region differs. To be used in stacks
   * of that region, since Secrets Manager answers for a region's own copies only. Such a stack is deployed after this one.
   *
   * The suffix is an output of its own: a piece cut out of another stack's ARN, in the reading template, would need `Fn::Split` around
   * `Fn::GetStackOutput`. The order of the stacks is noted when the value is resolved, as the CDK does it for its own references.
   */
  arnIn(region: AwsRegion, secret: secretsmanager.Secret): string {
    const output = this.#nameOutputs.get(secret);
    if (output === undefined) throw new Error(`${secret.node.path} isn't a secret of ${this.stackName}`);
    const name = Lazy.uncachedString({
      produce: ({ scope }) => {
        const reader = Stack.of(scope);
        if (reader !== this) reader.addStackDependency(this);
        return Fn.getStackOutput(this.stackName, output, this.region);
      },
    });
    return `arn:aws:secretsmanager:${region}:${this.zone.account}:secret:${name}`;
  }

  #makePrivateZone(bases: readonly BaseStack[]): route53.IHostedZone {
    const name = privateDomain(this.zone);
    const made = new route53.CfnHostedZone(this, 'PrivateZone', {
      name: `${name}.`,
      vpcs: bases.map((base) => ({ vpcId: base.factsFor(this).vpcId, vpcRegion: base.here.region })),
    });
    return route53.HostedZone.fromHostedZoneAttributes(this, 'PrivateZoneByName', {
      hostedZoneId: made.attrId,
      zoneName: name,
    });
  }

  #makeSecret(
    id: string,
    bases: readonly BaseStack[],
    { name, description, generate }: NewSecret,
  ): secretsmanager.Secret {
    const secret = new secretsmanager.Secret(this, id, {
      secretName: name,
      description,
      generateSecretString: generate,
      removalPolicy: this.zone.deletionProtection
        ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        : RemovalPolicy.DESTROY,
    });
    // The L2's own properties want keys as constructs and would write into their policies, which belong to the regions' base stacks.
    const resource = secret.node.defaultChild;
    if (!(resource instanceof secretsmanager.CfnSecret))
      throw new Error(`no resource in ${secret.node.path}`);
    const [origin, ...others] = bases.map((base) => ({
      region: base.here.region,
      kmsKeyId: base.factsFor(this).dataKeyArn,
    }));
    resource.kmsKeyId = origin?.kmsKeyId;
    resource.replicaRegions = others;
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Rotation would be a Lambda function that may change the database and every task. Who needs it follows docs/OPERATIONS.md.',
    });
    const output = `${id}SecretName`;
    // An ARN's seventh part: `<name>-<six random characters>`.
    new CfnOutput(this, output, { value: Fn.select(6, Fn.split(':', secret.secretArn)) });
    this.#nameOutputs.set(secret, output);
    return secret;
  }
}
