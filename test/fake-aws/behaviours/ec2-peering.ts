import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Place, textAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { blockOf, overlap } from './cidr.ts';
import { PEERING, VPC, ec2Id, existing } from './ec2-lookups.ts';
import { requiredText } from './property-values.ts';

const peering: Behaviour = {
  type: PEERING,

  // AWS::EC2::VPCPeeringConnection: within one account it is accepted without a role, in another region too when PeerRegion says which.
  // The reasons for which it doesn't become active, and the sentence: AWS's answer "VpcPeeringConnection failed to stabilize",
  // https://repost.aws/knowledge-center/cloudformation-vpc-peering-error.
  create({ world, place }, properties) {
    const requester = existing(world, place, VPC, requiredText(properties, 'VpcId'));
    const account = textAt(properties, 'PeerOwnerId') ?? place.account;
    const region = textAt(properties, 'PeerRegion') ?? place.region;
    const id = ec2Id(world, 'pcx');
    const accepter = world.find({ account, region }, VPC, requiredText(properties, 'PeerVpcId'));
    if (accepter === undefined || overlap(networkOf(requester), networkOf(accepter))) {
      throw unstable(
        `VpcPeeringConnection ${id} failed to stabilize. Reason: Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range`,
      );
    }
    if (account !== place.account && textAt(properties, 'PeerRoleArn') === undefined) {
      throw unstable(
        `VpcPeeringConnection ${id} failed to stabilize. Reason: Pending Acceptance by ${account}`,
      );
    }
    // "VPC peering limitations", https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html: one between the same two.
    const twin = livePeerings(world, place.account, requester.id).find((other) => joins(other, accepter.id));
    if (twin !== undefined) {
      throw new Refusal(
        'VpcPeeringConnectionAlreadyExists',
        `VpcPeeringConnection already exists between ${requester.id} and ${accepter.id}: ${twin.id}`,
      );
    }
    return { id, attributes: { Id: id }, state: new Map([['status', 'active']]) };
  },
};

export const EC2_PEERING: readonly Behaviour[] = [peering];

/** The connections that a VPC is part of, whichever side asked for them and whatever region keeps them. */
export function livePeerings(world: World, account: string, vpc: string): readonly Resource[] {
  return world
    .all(PEERING)
    .filter(
      (one) =>
        (one.account === account || textAt(one.properties, 'PeerOwnerId') === account) && joins(one, vpc),
    );
}

/** The VPC at the other end. Undefined where it is gone. */
export function otherEnd(world: World, connection: Resource, vpc: string): Resource | undefined {
  const { properties, account, region } = connection;
  const requester = requiredText(properties, 'VpcId');
  if (requester !== vpc) return world.find(connection, VPC, requester);
  const peer: Place = {
    account: textAt(properties, 'PeerOwnerId') ?? account,
    region: textAt(properties, 'PeerRegion') ?? region,
  };
  return world.find(peer, VPC, requiredText(properties, 'PeerVpcId'));
}

function joins({ properties }: Resource, vpc: string): boolean {
  return textAt(properties, 'VpcId') === vpc || textAt(properties, 'PeerVpcId') === vpc;
}

function networkOf(vpc: Resource) {
  return blockOf(requiredText(vpc.attributes, 'CidrBlock'));
}

/** What CloudFormation says of a resource that was made and doesn't become usable. */
function unstable(sentence: string): Refusal {
  return new Refusal('NotStabilized', sentence);
}
