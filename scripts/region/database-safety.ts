import { globalClusterIdentifier, type ZoneName } from '../../infra/names.ts';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import { UserError } from '../lib/user-error.ts';

/** A member of a global database, as RDS lists it. */
export interface GlobalMember {
  /** `arn:aws:rds:<region>:<account>:cluster:<identifier>` */
  readonly arn: string;
  readonly isWriter: boolean;
}

/** What is known of the database in a region that goes. */
export interface LeavingDatabase {
  readonly zone: ZoneName;
  readonly region: AwsRegion;
  /** Regions that stay. */
  readonly remaining: readonly AwsRegion[];
  /** ARN of the cluster that is there; null where RDS says that there is none. */
  readonly clusterArn: string | null;
  /** Members of the zone's global database; null where RDS says that there is none of its name. */
  readonly members: readonly GlobalMember[] | null;
  /** Status of each writer's cluster by its ARN, asked for in its own region; `missing` where there is none. */
  readonly writerStatus: ReadonlyMap<string, string>;
  /** Whether the origin's data stack, which owns the global database, is deployed. */
  readonly originHasData: boolean;
}

const KEEP =
  'Nothing of its database is deleted until that is clear, for it may be the only copy of the zone’s keys:';
const SECTION = 'docs/OPERATIONS.md, "Removing a region"';

/**
 * Fails with `UserError` unless the database of a region that goes is gone already, or is a copy of one that somebody else has: a reader
 * of the zone's own global database, whose one writer is available in a region that stays. What isn't known for certain isn't deleted.
 */
export function refuseLoss(found: LeavingDatabase): void {
  const { zone, region, remaining, clusterArn, members, writerStatus, originHasData } = found;
  if (clusterArn === null) return;
  const global = globalClusterIdentifier(zone);
  const refuse = (what: string, advice: string): never => {
    throw new UserError(
      `${what} ${KEEP} ${advice} Look at \`aws rds describe-global-clusters --region ${region} --global-cluster-identifier ${global}\` and see ${SECTION}.`,
    );
  };
  const stay = remaining.join(' or ');
  if (members === null) {
    return refuse(
      `There is no global database ${global}, and ${region} has the cluster ${clusterArn}.`,
      'without one it is a database of its own. Join the regions to one again, or take a snapshot of the cluster and delete it by hand once you are sure.',
    );
  }
  const own = members.filter(({ arn }) => arn === clusterArn);
  if (own.length !== 1) {
    return refuse(
      `${clusterArn} isn't a member of the global database ${global}: it was taken out, and has its own data since.`,
      'if it was promoted, it is the newest. Join the regions to it again, or take a snapshot of it and delete it by hand once you are sure.',
    );
  }
  if (own[0]?.isWriter !== false) {
    throw new UserError(
      `${region} is the home of zone ${zone.name}: its database takes the writes. Move home to ${stay} first (docs/OPERATIONS.md, "Moving home").`,
    );
  }
  if (!originHasData) {
    return refuse(
      `The origin's data stack, which owns the global database ${global}, isn't deployed.`,
      'deploy it, or bring the zone into order otherwise, first.',
    );
  }
  const [writer, ...others] = members.filter(({ isWriter }) => isWriter);
  if (writer === undefined) {
    return refuse(
      `The global database ${global} has no writer: nothing shows that another region has all that ${region} has.`,
      `fail over to ${stay} first.`,
    );
  }
  if (others.length > 0) {
    return refuse(
      `The global database ${global} has ${others.length + 1} writers: it is just being changed, or broken.`,
      'run this again once it has one.',
    );
  }
  const home = remaining.find((one) => one === regionOfArn(writer.arn));
  if (home === undefined) {
    return refuse(
      `The writer of the global database ${global} is ${writer.arn}, in none of the regions that stay.`,
      `move home to ${stay} first (docs/OPERATIONS.md, "Moving home").`,
    );
  }
  const status = writerStatus.get(writer.arn) ?? 'unknown';
  if (status !== 'available') {
    refuse(
      `The writer of the zone, ${writer.arn}, is ${status}.`,
      `run this again once ${home} has a database that is available.`,
    );
  }
}

/** The region that an ARN names. */
export function regionOfArn(arn: string): string | undefined {
  return arn.split(':')[3];
}
