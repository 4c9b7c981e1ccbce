import type { ZoneDeployment } from '../../topology/deployment.ts';
import { boundaryName, zoneBoundaryName } from '../names.ts';
import type { PolicyStatement } from './policy-types.ts';

/** Global services of which bearers of the permission boundary are allowed a part only: the part below. */
export const LIMITED: readonly string[] = ['iam:*', 'sts:*'];

/**
 * What bearers of a zone's permission boundary may do with roles and stacks, through which they could leave it. Nothing else of IAM is
 * allowed: no users, no groups, no policies, no boundaries, neither new ones nor changes. A role is made and changed only under one of
 * the zone's boundaries, each by its whole name. These are made by administrators and by CloudFormation as the CDK's role.
 */
export function bearerStatements(zone: ZoneDeployment): readonly PolicyStatement[] {
  const { account, regions } = zone;
  const ofAccount = (kind: string, name: string): string => `arn:aws:iam::${account}:${kind}/${name}`;
  const boundaries = [zoneBoundaryName(zone), ...regions.map(({ region }) => boundaryName(zone, region))];
  const roles = ['keyhearth-*', 'cdk-*'].map((name) => ofAccount('role', name));
  return [
    {
      Sid: 'Identities',
      Effect: 'Allow',
      Action: [
        'iam:CreateServiceLinkedRole',
        'iam:Get*',
        'iam:List*',
        'iam:Simulate*',
        'sts:DecodeAuthorizationMessage',
        'sts:GetCallerIdentity',
      ],
      Resource: '*',
    },
    {
      Sid: 'BoundedRoles',
      Effect: 'Allow',
      Action: ['iam:*RolePolicy', 'iam:CreateRole', 'iam:DeleteRole', 'iam:UpdateRole*'],
      Resource: '*',
      Condition: {
        StringEquals: { 'iam:PermissionsBoundary': boundaries.map((name) => ofAccount('policy', name)) },
      },
    },
    {
      Sid: 'RolesInUse',
      Effect: 'Allow',
      Action: ['iam:PassRole', 'iam:TagRole', 'iam:UntagRole', 'sts:AssumeRole'],
      Resource: roles,
    },
    // Where a role trusts a user by name, that it isn't allowed would not be enough.
    { Sid: 'NoOtherRoles', Effect: 'Deny', Action: 'sts:AssumeRole', NotResource: roles },
    {
      Sid: 'Stacks',
      Effect: 'Allow',
      Action: 'cloudformation:*',
      // CloudFormation goes on with the role that a stack was made with: stacks of other tenants have other ones.
      Resource: `arn:aws:cloudformation:*:${account}:stack/keyhearth-*`,
      Condition: { StringEquals: { 'aws:RequestedRegion': regions.map(({ region }) => region) } },
    },
    {
      // A zone has no computers, and runs no commands in its tasks: those would be other tenants', with their roles.
      Sid: 'NoComputers',
      Effect: 'Deny',
      Action: ['ec2:*Instance*', 'ecs:ExecuteCommand'],
      Resource: '*',
    },
  ];
}
