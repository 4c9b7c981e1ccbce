import { resourceSchema } from '../../../scripts/lib/resource-schemas.ts';
import { members } from '../call.ts';
import { Refusal } from '../refusal.ts';
import type { Json, Properties } from '../values.ts';
import type { ChangeSet, ResourceChange } from './change-set.ts';
import type { ParameterValue } from './parameters.ts';
import type { Stack, StackEvent, StackResource } from './stack.ts';
import { neededCapabilities } from './template-check.ts';
import type { Template } from './template.ts';
import { plain } from './text.ts';

/** An object without the members that have no value. */
export function compact(members_: Readonly<Record<string, Json | undefined>>): Properties {
  return Object.fromEntries(
    Object.entries(members_).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/**
 * A page of a list, with the token of the next one where there is more.
 *
 * @throws Refusal for a token that no page ended with
 */
export function page<T>(
  entries: readonly T[],
  token: Json | undefined,
  size: number,
): { readonly entries: readonly T[]; readonly next: string | undefined } {
  const start = token === undefined || token === '' ? 0 : Number(token);
  if (!Number.isInteger(start) || start < 0) throw new Refusal('ValidationError', 'Invalid NextToken.');
  const end = start + size;
  return { entries: entries.slice(start, end), next: end < entries.length ? String(end) : undefined };
}

export function stackAnswer(stack: Stack): Properties {
  return compact({
    StackId: stack.id,
    StackName: stack.name,
    Description: stack.definition?.template.description,
    Parameters: members(parameterAnswers(stack.definition?.parameters)),
    CreationTime: stack.created.toISOString(),
    LastUpdatedTime: stack.updated?.toISOString(),
    DeletionTime: stack.deleted?.toISOString(),
    RollbackConfiguration: {},
    StackStatus: stack.status,
    StackStatusReason: stack.statusReason,
    DisableRollback: stack.disableRollback,
    NotificationARNs: members(stack.notificationArns),
    Capabilities: members(stack.capabilities),
    Outputs: members(
      stack.outputs.map(({ key, value, description, exportName }) =>
        compact({ OutputKey: key, OutputValue: value, Description: description, ExportName: exportName }),
      ),
    ),
    RoleARN: stack.roleArn,
    Tags: members(stack.definition?.tags ?? []),
    EnableTerminationProtection: stack.terminationProtection,
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  });
}

export function summaryAnswer(stack: Stack): Properties {
  return compact({
    StackId: stack.id,
    StackName: stack.name,
    TemplateDescription: stack.definition?.template.description,
    CreationTime: stack.created.toISOString(),
    LastUpdatedTime: stack.updated?.toISOString(),
    DeletionTime: stack.deleted?.toISOString(),
    StackStatus: stack.status,
    StackStatusReason: stack.statusReason,
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  });
}

export function resourceAnswer(entry: StackResource): Properties {
  return compact({
    LogicalResourceId: entry.logicalId,
    PhysicalResourceId: entry.physicalId === '' ? undefined : entry.physicalId,
    ResourceType: entry.type,
    ResourceStatus: entry.status,
    ResourceStatusReason: entry.statusReason,
    DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
  });
}

/** As of DescribeStackResources, which names the stack and the time otherwise than ListStackResources. */
export function fullResourceAnswer(stack: Stack, entry: StackResource): Properties {
  return {
    StackId: stack.id,
    StackName: stack.name,
    ...resourceAnswer(entry),
    Timestamp: entry.changed.toISOString(),
  };
}

export function eventAnswer(stack: Stack, event: StackEvent): Properties {
  return compact({
    StackId: stack.id,
    StackName: stack.name,
    EventId: event.id,
    LogicalResourceId: event.logicalId,
    PhysicalResourceId: event.physicalId,
    ResourceType: event.type,
    Timestamp: event.at.toISOString(),
    ResourceStatus: event.status,
    ResourceStatusReason: event.reason,
    ResourceProperties: event.properties && JSON.stringify(event.properties),
    OperationId: event.operation,
  });
}

/** "OperationEvent" (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_OperationEvent.html): of a stack's operation. */
export function operationEventAnswer(stack: Stack, event: StackEvent): Properties {
  const { ResourceProperties: _properties, ...common } = eventAnswer(stack, event);
  return {
    ...common,
    EventType: 'STACK_EVENT',
    OperationStatus: event.status.endsWith('FAILED') ? 'FAILED' : 'SUCCEEDED',
  };
}

/** …and of a change set's early validation. */
export function findingAnswers(changeSet: ChangeSet): readonly Properties[] {
  return changeSet.findings.map(({ logicalId, type, validation, path, reason }, index) => ({
    EventId: `${changeSet.id.split('/').at(-1)}-${index}`,
    StackId: changeSet.stackId,
    EventType: 'VALIDATION_ERROR',
    LogicalResourceId: logicalId,
    PhysicalResourceId: '',
    ResourceType: type,
    Timestamp: changeSet.created.toISOString(),
    ValidationFailureMode: 'FAIL',
    ValidationName: validation,
    ValidationStatus: 'FAILED',
    ValidationStatusReason: reason,
    ValidationPath: path,
  }));
}

export function changeSetAnswer(changeSet: ChangeSet, includeValues: boolean): Properties {
  return compact({
    ...changeSetSummary(changeSet),
    Parameters: members(parameterAnswers(changeSet.definition.parameters)),
    NotificationARNs: members(changeSet.notificationArns),
    Capabilities: members(changeSet.capabilities),
    Tags: members(changeSet.definition.tags),
    RollbackConfiguration: {},
    OnStackFailure: changeSet.onStackFailure,
    Changes: members(changeSet.changes.map((change) => changeAnswer(change, includeValues))),
  });
}

export function changeSetSummary(changeSet: ChangeSet): Properties {
  return compact({
    ChangeSetId: changeSet.id,
    ChangeSetName: changeSet.name,
    StackId: changeSet.stackId,
    StackName: changeSet.stackName,
    Description: changeSet.description,
    CreationTime: changeSet.created.toISOString(),
    Status: changeSet.status,
    StatusReason: changeSet.statusReason,
    ExecutionStatus: changeSet.executionStatus,
    IncludeNestedStacks: false,
  });
}

function changeAnswer(change: ResourceChange, includeValues: boolean): Properties {
  const { action, logicalId, physicalId, type, replacement, scope, details, before, after } = change;
  return {
    Type: 'Resource',
    ResourceChange: compact({
      Action: action,
      LogicalResourceId: logicalId,
      PhysicalResourceId: physicalId,
      ResourceType: type,
      Replacement: replacement,
      Scope: members(scope),
      Details: members(details),
      BeforeContext:
        includeValues && before !== undefined ? JSON.stringify({ Properties: before }) : undefined,
      AfterContext: includeValues && after !== undefined ? JSON.stringify({ Properties: after }) : undefined,
    }),
  };
}

export function templateSummaryAnswer(template: Template): Properties {
  const capabilities = neededCapabilities(template);
  const types = [...new Set([...template.resources.values()].map(({ type }) => type))];
  return compact({
    Description: template.description,
    Parameters: members(
      [...template.parameters].map(([name, definition]) =>
        compact({
          ParameterKey: name,
          DefaultValue: definition['Default'] === undefined ? undefined : plain(definition['Default']),
          ParameterType: plain(definition['Type'] ?? 'String'),
          NoEcho: definition['NoEcho'] === true || definition['NoEcho'] === 'true',
          Description: definition['Description'],
        }),
      ),
    ),
    Capabilities: members(capabilities),
    CapabilitiesReason:
      capabilities.length === 0
        ? undefined
        : `The following resource(s) require capabilities: [${types.filter((type) => type.startsWith('AWS::IAM::')).join(', ')}]`,
    ResourceTypes: members([...template.resources.values()].map(({ type }) => type)),
    ResourceIdentifierSummaries: members(
      types.map((type) => ({
        ResourceType: type,
        LogicalResourceIds: members(
          [...template.resources].flatMap(([id, one]) => (one.type === type ? [id] : [])),
        ),
        ResourceIdentifiers: members([...(resourceSchema(type)?.names ?? [])]),
      })),
    ),
  });
}

function parameterAnswers(
  parameters: ReadonlyMap<string, ParameterValue> | undefined,
): readonly Properties[] {
  return [...(parameters ?? [])].map(([name, { given, stored }]) =>
    compact({ ParameterKey: name, ParameterValue: given, ResolvedValue: stored }),
  );
}
