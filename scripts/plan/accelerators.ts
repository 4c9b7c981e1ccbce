import {
  GlobalAcceleratorClient,
  paginateListAccelerators,
  paginateListEndpointGroups,
  paginateListListeners,
} from '@aws-sdk/client-global-accelerator';
import { AWS_SETTINGS } from '../lib/aws-settings.ts';

export interface Accelerator {
  readonly name: string;
  readonly arn: string;
}

/** The only region that has Global Accelerator's API, wherever its endpoints are. */
const API_REGION = 'us-west-2';

const client = (): GlobalAcceleratorClient =>
  new GlobalAcceleratorClient({ region: API_REGION, ...AWS_SETTINGS });

/** All of the account that the credentials are for. Fails with what AWS says. */
export async function listAccelerators(): Promise<readonly Accelerator[]> {
  const all: Accelerator[] = [];
  for await (const { Accelerators = [] } of paginateListAccelerators({ client: client() }, {}))
    for (const { Name: name, AcceleratorArn: arn } of Accelerators)
      if (name !== undefined && arn !== undefined) all.push({ name, arn });
  return all;
}

/** Regions that an accelerator leads to, each once. Fails with what AWS says. */
export async function regionsOfAccelerator({ arn }: Accelerator): Promise<readonly string[]> {
  const api = client();
  const regions = new Set<string>();
  for await (const { Listeners = [] } of paginateListListeners({ client: api }, { AcceleratorArn: arn }))
    for (const { ListenerArn } of Listeners)
      for await (const { EndpointGroups = [] } of paginateListEndpointGroups(
        { client: api },
        { ListenerArn },
      ))
        for (const { EndpointGroupRegion } of EndpointGroups)
          if (EndpointGroupRegion !== undefined) regions.add(EndpointGroupRegion);
  return [...regions];
}
