import type { Behaviour } from '../behaviour.ts';
import { AUTO_SCALING } from './autoscaling.ts';
import { BUDGETS } from './budgets.ts';
import { CLOUDWATCH } from './cloudwatch.ts';
import { ECR } from './ecr.ts';
import { capacityProviders, cluster } from './ecs-cluster.ts';
import { service } from './ecs-service.ts';
import { taskDefinition } from './ecs-task-definition.ts';
import { serviceLinkedRole } from './iam-linked-roles.ts';
import { managedPolicy, policy } from './iam-policies.ts';
import { role } from './iam-role.ts';
import { SNS } from './sns.ts';
import { SSM } from './ssm.ts';

export const ACCOUNT: readonly Behaviour[] = [
  role,
  policy,
  managedPolicy,
  serviceLinkedRole,
  cluster,
  capacityProviders,
  taskDefinition,
  service,
  ...AUTO_SCALING,
  ...BUDGETS,
  ...CLOUDWATCH,
  ...ECR,
  ...SNS,
  ...SSM,
];
