import { Compile } from 'typebox/compile';
import { Type } from 'typebox';

export interface IdentityOptions {
  readonly region: string;
  /** KEYHEARTH_TASK_ID; empty: not given. */
  readonly taskId: string;
  /** ECS_CONTAINER_METADATA_URI_V4; empty: this is no ECS task. */
  readonly ecsMetadataUri: string;
  /** Text that no other process has. */
  readonly unique: () => string;
  readonly log: { warn(fields: object, message: string): void };
  /** @default 2000 */
  readonly timeoutMs?: number;
}

const hasTaskArn = Compile(Type.Object({ TaskARN: Type.String() }));
const TASK_ARN = /^arn:[\w-]+:ecs:[\w-]+:\d{12}:task\/(?:[\w-]+\/)?([\w-]{1,128})$/;

/**
 * The name of this process among all tasks of its zone. On ECS it is `<region>/<ECS task id>`, so that whoever hears from ECS that the
 * task has stopped can say so to home; ECS never uses such an id twice. Elsewhere it is new for each process: what an earlier one
 * reported under a name of its own says nothing about this one. Never fails.
 *
 * Source: "Amazon ECS task metadata endpoint version 4", path `/task`, field `TaskARN`.
 */
export async function identifyTask(options: IdentityOptions): Promise<string> {
  const { region, taskId, ecsMetadataUri, unique, log, timeoutMs = 2000 } = options;
  if (taskId === '' && ecsMetadataUri !== '') {
    try {
      return `${region}/${await readEcsTaskId(ecsMetadataUri, timeoutMs)}`;
    } catch (error) {
      log.warn({ err: error }, 'ECS did not tell the id of this task, so its name is made up');
    }
  }
  return `${taskId === '' ? region : taskId}/${unique()}`;
}

async function readEcsTaskId(uri: string, timeoutMs: number): Promise<string> {
  const answer = await fetch(`${uri}/task`, { signal: AbortSignal.timeout(timeoutMs) });
  if (!answer.ok) throw new Error(`the ECS metadata endpoint answered with ${answer.status}`);
  const body: unknown = await answer.json();
  const id = hasTaskArn.Check(body) ? TASK_ARN.exec(body.TaskARN)?.[1] : undefined;
  if (id === undefined) throw new Error('the ECS metadata endpoint told no TaskARN');
  return id;
}
