import type { Service } from '../call.ts';
import { ACM_SERVICE } from './acm.ts';
import { APPLICATION_AUTO_SCALING } from './application-autoscaling.ts';
import { CLOUDFORMATION } from './cloudformation.ts';
import { CLOUDTRAIL } from './cloudtrail.ts';
import { CLOUDWATCH_API } from './cloudwatch.ts';
import { EC2_SERVICE } from './ec2.ts';
import { ECR } from './ecr.ts';
import { ECS } from './ecs.ts';
import { ELBV2_SERVICE } from './elbv2.ts';
import { GLOBAL_ACCELERATOR_SERVICE } from './globalaccelerator.ts';
import { IAM } from './iam.ts';
import { KMS_SERVICE } from './kms.ts';
import { LOGS_SERVICE } from './logs.ts';
import { RDS_SERVICE } from './rds.ts';
import { ROUTE53_SERVICE } from './route53.ts';
import { S3 } from './s3.ts';
import { SECRETS_MANAGER } from './secretsmanager.ts';
import { SERVICE_QUOTAS } from './service-quotas.ts';
import { SNS_API } from './sns.ts';
import { SSM } from './ssm.ts';
import { STS } from './sts.ts';

/** Every service that the endpoint answers for. */
export const SERVICES: readonly Service[] = [
  ACM_SERVICE,
  APPLICATION_AUTO_SCALING,
  CLOUDFORMATION,
  CLOUDTRAIL,
  CLOUDWATCH_API,
  EC2_SERVICE,
  ECR,
  ECS,
  ELBV2_SERVICE,
  GLOBAL_ACCELERATOR_SERVICE,
  IAM,
  KMS_SERVICE,
  LOGS_SERVICE,
  RDS_SERVICE,
  ROUTE53_SERVICE,
  S3,
  SECRETS_MANAGER,
  SERVICE_QUOTAS,
  SNS_API,
  SSM,
  STS,
];
