import { type aws_kms as kms, aws_iam as iam, Stack, Validations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DATABASE } from '../names.ts';

export interface TaskRolesProps {
  /** Of the region's own database cluster. */
  readonly clusterResourceId: string;
  readonly cacheArn: string;
  readonly cacheUserArn: string;
  /** Null where usage events go to a ClickHouse server. */
  readonly eventStreamArn: string | null;
  /** Encrypts the secrets that containers are given. */
  readonly secretKey: kms.IKey;
  /** This region's copy of the key that encrypts the texts of recoverable keys. */
  readonly recoverableKeyArn: string;
  /** Name of the zone, which is in the encryption context of those texts. */
  readonly zone: string;
}

/** What a task's processes may do, and what ECS may do to start one. */
export class TaskRoles extends Construct {
  /** Of the processes in a task: its own region's database, cache and event stream, and the key for recoverable keys. */
  readonly task: iam.Role;
  /** Of ECS: image, secrets, log. No process in a task has it. */
  readonly execution: iam.Role;

  constructor(scope: Construct, id: string, props: TaskRolesProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const ecsTasks = 'ecs-tasks.amazonaws.com';
    this.task = new iam.Role(this, 'Task', {
      // Only for tasks of this account and region, so that ECS can't be talked into it for somebody else's.
      assumedBy: new iam.ServicePrincipal(ecsTasks, {
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          ArnLike: { 'aws:SourceArn': `arn:aws:ecs:${stack.region}:${stack.account}:*` },
        },
      }),
    });
    this.execution = new iam.Role(this, 'Execution', { assumedBy: new iam.ServicePrincipal(ecsTasks) });
    const allow = (actions: string[], resources: string[]): void => {
      this.task.addToPrincipalPolicy(new iam.PolicyStatement({ actions, resources }));
    };
    const databaseUser = `arn:aws:rds-db:${stack.region}:${stack.account}:dbuser:${props.clusterResourceId}/${DATABASE.appUser}`;
    allow(['rds-db:connect'], [databaseUser]);
    allow(['elasticache:Connect'], [props.cacheArn, props.cacheUserArn]);
    if (props.eventStreamArn !== null) allow(['firehose:PutRecordBatch'], [props.eventStreamArn]);
    this.task.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ['kms:Encrypt', 'kms:Decrypt'],
        resources: [props.recoverableKeyArn],
        // service/vault/kms-vault.ts says it with each call; a ciphertext of another purpose has another context, or none.
        conditions: { StringEquals: { 'kms:EncryptionContext:zone': props.zone } },
      }),
    );
    // Reading the secrets themselves, the image and the log are granted where containers are given them.
    this.execution.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ['kms:Decrypt'],
        resources: [props.secretKey.keyArn],
        conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${stack.region}.amazonaws.com` } },
      }),
    );
    Validations.of(this.execution).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ecr:GetAuthorizationToken is for the whole registry; IAM knows no resource for it.',
    });
  }
}
