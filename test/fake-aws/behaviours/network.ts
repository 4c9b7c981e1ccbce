import type { Behaviour } from '../behaviour.ts';
import { EC2_ENDPOINTS } from './ec2-endpoints.ts';
import { EC2_FLOW_LOGS } from './ec2-flow-logs.ts';
import { EC2_GATEWAYS } from './ec2-gateways.ts';
import { EC2_PEERING } from './ec2-peering.ts';
import { EC2_ROUTES } from './ec2-routes.ts';
import { EC2_SECURITY_GROUPS } from './ec2-security-groups.ts';
import { EC2_VPC } from './ec2-vpc.ts';

/** What VPCs are made of. */
export const NETWORK: readonly Behaviour[] = [
  ...EC2_VPC,
  ...EC2_GATEWAYS,
  ...EC2_ROUTES,
  ...EC2_SECURITY_GROUPS,
  ...EC2_ENDPOINTS,
  ...EC2_PEERING,
  ...EC2_FLOW_LOGS,
];
