import type { Place } from './values.ts';

/** What a container waits for before it starts: "Container dependency" of ECS task definitions. */
export interface ContainerDependency {
  /** Name of a container of the same task. */
  readonly container: string;
  readonly condition: 'COMPLETE' | 'HEALTHY' | 'START' | 'SUCCESS';
}

/** A container of a task, with its task's overrides applied and its secrets read. */
export interface ContainerLaunch {
  readonly name: string;
  /** As in the task definition. */
  readonly image: string;
  /** Entry point, where the task definition names one, and command. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly essential: boolean;
  readonly dependsOn: readonly ContainerDependency[];
}

export interface TaskLaunch extends Place {
  /** Id of the ECS task: 32 hex digits. */
  readonly id: string;
  readonly family: string;
  /** In the order in which their dependencies let them start. */
  readonly containers: readonly ContainerLaunch[];
  /** Is aborted when the task is to stop. */
  readonly signal: AbortSignal;
  /** Takes a line that a container wrote; it ends up in its log group. */
  log(container: string, line: string): void;
}

/** Runs tasks as processes. */
export interface TaskRunner {
  /** Are the tasks of services run too, and not only those of RunTask? @default false: they count as running */
  readonly runsServices?: boolean;
  /** Resolves once the task has stopped, with the exit code of each container that ran. */
  run(launch: TaskLaunch): Promise<Readonly<Record<string, number>>>;
}
