import type { Json, Properties } from '../values.ts';
import type { Definition } from './stack.ts';

export type ChangeSetType = 'CREATE' | 'UPDATE' | 'IMPORT';

/** A failure that DescribeEvents tells of, where a change set failed by CloudFormation's early validation. */
export interface EarlyFinding {
  readonly logicalId: string;
  readonly type: string;
  readonly validation: 'NAME_CONFLICT_VALIDATION' | 'PROPERTY_VALIDATION';
  /** `/Resources/Topic/Properties/TopicName`. */
  readonly path: string;
  readonly reason: string;
}

/** What would happen to a resource. */
export interface ResourceChange {
  readonly action: 'Add' | 'Import' | 'Modify' | 'Remove';
  readonly logicalId: string;
  readonly physicalId: string | undefined;
  readonly type: string;
  readonly replacement: 'Conditional' | 'False' | 'True' | undefined;
  readonly scope: readonly string[];
  readonly details: readonly Json[];
  /** Properties as they are and as they would be. */
  readonly before: Properties | undefined;
  readonly after: Properties | undefined;
  /** Physical id of what is imported. */
  readonly imported?: string;
}

export interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly stackId: string;
  readonly stackName: string;
  readonly type: ChangeSetType;
  readonly description: string | undefined;
  readonly created: Date;
  readonly status: 'CREATE_COMPLETE' | 'FAILED';
  readonly statusReason: string | undefined;
  executionStatus:
    | 'AVAILABLE'
    | 'EXECUTE_COMPLETE'
    | 'EXECUTE_FAILED'
    | 'EXECUTE_IN_PROGRESS'
    | 'OBSOLETE'
    | 'UNAVAILABLE';
  readonly definition: Definition;
  readonly changes: readonly ResourceChange[];
  readonly findings: readonly EarlyFinding[];
  readonly capabilities: readonly string[];
  readonly notificationArns: readonly string[];
  readonly roleArn: string | undefined;
  /** `DO_NOTHING`, `ROLLBACK` or `DELETE`: what to do where creation fails. */
  readonly onStackFailure: string | undefined;
}
