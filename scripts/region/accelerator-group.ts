import {
  DeleteSecurityGroupCommand,
  DescribeSecurityGroupsCommand,
  type EC2Client,
  EC2ServiceException,
} from '@aws-sdk/client-ec2';
import { waitFor } from '../lib/wait.ts';

/** Name of the security group that Global Accelerator makes in the network of an endpoint, and leaves there. */
const GROUP = 'GlobalAccelerator';
/** Its network interfaces may be there for some minutes after the accelerator says that it is deployed. */
const RELEASE_MS = 20 * 60_000;
const LOOK_MS = 3_000;

/** Deletes what Global Accelerator leaves behind in a network, which can't be deleted before. Waits while it is still in use. */
export async function deleteAcceleratorGroup(client: EC2Client, vpcId: string): Promise<void> {
  const { SecurityGroups = [] } = await client.send(
    new DescribeSecurityGroupsCommand({
      Filters: [
        { Name: 'vpc-id', Values: [vpcId] },
        { Name: 'group-name', Values: [GROUP] },
      ],
    }),
  );
  for (const { GroupId } of SecurityGroups) {
    if (GroupId === undefined) continue;
    await waitFor(async () => await isDeleted(client, GroupId), {
      what: `Global Accelerator to let go of ${GroupId}`,
      timeoutMs: RELEASE_MS,
      intervalMs: LOOK_MS,
    });
  }
}

async function isDeleted(client: EC2Client, groupId: string): Promise<boolean> {
  try {
    await client.send(new DeleteSecurityGroupCommand({ GroupId: groupId }));
    return true;
  } catch (error) {
    if (!(error instanceof EC2ServiceException)) throw error;
    if (error.name === 'InvalidGroup.NotFound') return true;
    if (error.name === 'DependencyViolation') return false;
    throw error;
  }
}
