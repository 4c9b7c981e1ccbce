import {
  Aws,
  aws_rds as rds,
  CfnCondition,
  CfnOutput,
  CfnParameter,
  Fn,
  RemovalPolicy,
  Stack,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { outputKeys } from '../names.ts';
import { ENGINE, ENGINE_LIFECYCLE, ENGINE_VERSION } from './database-parameters.ts';

export interface GlobalDatabaseProps {
  /** Literal: see `globalClusterIdentifier` in names.ts. */
  readonly identifier: string;
  /** Whether the zone has replicas. */
  readonly several: boolean;
  readonly deletionProtection: boolean;
}

/** Parameters of the origin's data stack. CloudFormation keeps what was set, from one deployment to the next. */
export const GLOBAL_PARAMETERS = {
  /** How the cluster came to its global database. */
  membership: 'GlobalMembership',
  /** The endpoint that leads to the writer wherever it is. */
  writerEndpoint: 'WriterEndpoint',
} as const;

/**
 * Values of the first parameter. CloudFormation refuses a kept value that isn't allowed any more: so a zone that gets its first replica,
 * or loses its last, is stopped before anything is touched until somebody has done the steps of docs/OPERATIONS.md, "From one region to
 * several", and says so. Why: docs/adr/0017-from-one-region-to-several.md.
 */
const MEMBERSHIPS = {
  /** The zone has one region. */
  none: 'none',
  /** The cluster was made as a member. */
  created: 'created',
  /** The cluster was there before: the RDS call that made the global database took it in, and the template must not say so. */
  converted: 'converted',
} as const;

/**
 * The zone's global database, in its origin's data stack; with one region only the parameter that remembers that there is none. It is
 * made empty, never from a cluster that is there: CloudFormation would take a switchover for drift.
 */
export class GlobalDatabase extends Construct {
  /** For the cluster's own property; null in a zone of one region. */
  readonly membership: string | null;
  readonly #identifier: string;

  constructor(scope: Construct, id: string, props: GlobalDatabaseProps) {
    super(scope, id);
    this.#identifier = props.identifier;
    const parameter = this.#membershipParameter(props.several);
    new CfnOutput(Stack.of(this), outputKeys.data.globalMembership, { value: parameter.valueAsString });
    if (!props.several) {
      this.membership = null;
      return;
    }
    const created = new CfnCondition(this, 'Created', {
      expression: Fn.conditionEquals(parameter.valueAsString, MEMBERSHIPS.created),
    });
    const globalCluster = this.#globalCluster(props);
    this.membership = Fn.conditionIf(created.logicalId, globalCluster.ref, Aws.NO_VALUE).toString();
  }

  /**
   * The endpoint that leads to the writer wherever it is, as somebody has told CloudFormation, which can't read it itself: its schema has
   * the endpoint as an object whose members can't be had (coverage roadmap, issue 2364). Until then the origin's own, which is right
   * as long as the writer has never moved.
   */
  writerEndpoint(originEndpoint: string): string {
    const parameter = new CfnParameter(Stack.of(this), GLOBAL_PARAMETERS.writerEndpoint, {
      default: '',
      // Nobody can name another host here, for the migrator presents the master user's password to it.
      allowedPattern: `^(${this.#identifier}[.]global-[a-z0-9]+[.]global[.]rds[.]amazonaws[.]com)?$`,
      description:
        'Endpoint of the global database. See docs/OPERATIONS.md, "The endpoint of a global database"',
      constraintDescription: `must be ${this.#identifier}.global-<id>.global.rds.amazonaws.com, without port`,
    });
    const untold = new CfnCondition(this, 'Untold', {
      expression: Fn.conditionEquals(parameter.valueAsString, ''),
    });
    return Fn.conditionIf(untold.logicalId, originEndpoint, parameter.valueAsString).toString();
  }

  #membershipParameter(several: boolean): CfnParameter {
    const { none, created, converted } = MEMBERSHIPS;
    return new CfnParameter(Stack.of(this), GLOBAL_PARAMETERS.membership, {
      default: several ? created : none,
      allowedValues: several ? [created, converted] : [none],
      description:
        'How the cluster came to its global database. See docs/OPERATIONS.md, "From one region to several"',
      constraintDescription: `must be ${several ? `${created} or ${converted}` : none}: follow docs/OPERATIONS.md, "From one region to several"`,
    });
  }

  #globalCluster({ identifier, deletionProtection }: GlobalDatabaseProps): rds.CfnGlobalCluster {
    const made = new rds.CfnGlobalCluster(this, 'Cluster', {
      globalClusterIdentifier: identifier,
      engine: ENGINE,
      engineVersion: ENGINE_VERSION.auroraPostgresFullVersion,
      engineLifecycleSupport: ENGINE_LIFECYCLE,
      storageEncrypted: true,
      deletionProtection,
    });
    made.applyRemovalPolicy(
      deletionProtection ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    );
    return made;
  }
}
