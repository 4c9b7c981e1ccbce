import type { Place } from './values.ts';

/** A container of a task, with its task's overrides applied and its secrets read. */
export interface ContainerLaunch {
  readonly name: string;
  /** As in the task definition. */
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly essential: boolean;
}

export interface TaskLaunch extends Place {
  /** Id of the ECS task: 32 hex digits. */
  readonly id: string;
  readonly family: string;
  /** In the order in which their dependencies let them start. */
  readonly containers: readonly ContainerLaunch[];
  /** Takes a line that a container wrote; it ends up in its log group. */
  log(container: string, line: string): void;
}

/** Runs tasks as processes. */
export interface TaskRunner {
  /** Resolves once the task has stopped, with the exit code of each container that ran. */
  run(launch: TaskLaunch): Promise<Readonly<Record<string, number>>>;
}
