import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { GlobalAcceleratorClient } from '@aws-sdk/client-global-accelerator';
import { RDSClient } from '@aws-sdk/client-rds';
import { AWS_SETTINGS } from './aws-settings.ts';

/** The only region that has Global Accelerator's API, wherever its endpoints are. */
const ACCELERATOR_REGION = 'us-west-2';

/** Clients of AWS with the credentials that the environment gives, one for each service and region. */
export class AwsClients {
  readonly #cloudFormation = new Map<string, CloudFormationClient>();
  #accelerator: GlobalAcceleratorClient | null = null;

  cloudFormation(region: string): CloudFormationClient {
    const known = this.#cloudFormation.get(region);
    if (known !== undefined) return known;
    const made = new CloudFormationClient({ region, ...AWS_SETTINGS });
    this.#cloudFormation.set(region, made);
    return made;
  }

  globalAccelerator(): GlobalAcceleratorClient {
    this.#accelerator ??= new GlobalAcceleratorClient({ region: ACCELERATOR_REGION, ...AWS_SETTINGS });
    return this.#accelerator;
  }

  loadBalancing(region: string): ElasticLoadBalancingV2Client {
    return new ElasticLoadBalancingV2Client({ region, ...AWS_SETTINGS });
  }

  ec2(region: string): EC2Client {
    return new EC2Client({ region, ...AWS_SETTINGS });
  }

  rds(region: string): RDSClient {
    return new RDSClient({ region, ...AWS_SETTINGS });
  }
}
