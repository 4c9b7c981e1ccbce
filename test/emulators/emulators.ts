import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { type CloudFormationClient, ValidateTemplateCommand } from '@aws-sdk/client-cloudformation';
import type { Adaptation } from './adapt.ts';
import { MINISTACK_GAPS } from './ministack-gaps.ts';
import { MOTO_DIFFERENCES, MOTO_GAPS, MOTO_UNDESTROYABLE } from './moto-gaps.ts';
import type { Probe } from './probe.ts';
import type { ServerOptions } from './server.ts';

/** Something that CloudFormation does and an emulator doesn't: how templates go round it, and what shows that it is still so. */
export interface Gap extends Adaptation {
  /** None where the gap goes with another one, which `follows` names. */
  readonly probe?: Probe;
}

/** Something that an emulator makes otherwise than the template says, without a word. */
export interface Difference {
  readonly type: string;
  /** One of the facts of inspect.ts; `deletion` where what was to go is still there, or what was to stay is gone. */
  readonly fact: string;
  readonly reason: string;
}

export interface Undestroyable {
  readonly part: string;
  readonly reason: string;
  readonly probe: Probe;
}

export interface Emulator {
  readonly name: string;
  /** Which environment variable holds the path of its program. `.ci/emulators.sh` sets it. */
  readonly variable: string;
  readonly server: (program: string, folder: string) => ServerOptions;
  /** Those of `types` that it can't make, as the emulator itself has it. */
  readonly unknownTypes: (
    types: ReadonlySet<string>,
    program: string,
    client: CloudFormationClient,
  ) => Promise<ReadonlySet<string>>;
  readonly gaps: readonly Gap[];
  /** Types whose absence is made up for through the service's own API, since something that it does know needs a real one. */
  readonly standIns: readonly string[];
  /** Does a stack that a change set made have outputs there? Where it hasn't, the CLI has to do without change sets. */
  readonly givesOutputsToChangeSets: boolean;
  readonly differences: readonly Difference[];
  /** Stacks that it can't destroy, by a part of their names. */
  readonly undestroyable?: Undestroyable;
  /** Does its RDS know the version of Aurora that the templates name? */
  readonly knowsEngineVersion: boolean;
  /** Does it refuse a cluster of a global database that isn't there? */
  readonly refusesOrphans: boolean;
  /** Does it refuse to delete a stack with termination protection? */
  readonly protectsStacks: boolean;
}

const moto: Emulator = {
  name: 'moto',
  variable: 'KEYHEARTH_MOTO',
  server: (command, folder) => ({
    command,
    args: (port) => ['-H', '127.0.0.1', '-p', String(port)],
    env: () => ({}),
    readyPath: '/moto-api/',
    folder,
  }),
  unknownTypes: (types, program) => {
    // It passes over types that it doesn't know without a word, so the list is that of its own code.
    const script =
      'import json; from moto.cloudformation import parsing; print(json.dumps(list(parsing.get_model_map())))';
    const known = execFileSync(join(dirname(program), 'python'), ['-c', script], { encoding: 'utf8' });
    const names = new Set(JSON.parse(known) as readonly string[]);
    return Promise.resolve(new Set([...types].filter((type) => !names.has(type))));
  },
  gaps: MOTO_GAPS,
  standIns: ['AWS::CertificateManager::Certificate'],
  givesOutputsToChangeSets: false,
  differences: MOTO_DIFFERENCES,
  undestroyable: MOTO_UNDESTROYABLE,
  knowsEngineVersion: true,
  refusesOrphans: false,
  protectsStacks: false,
};

const ministack: Emulator = {
  name: 'ministack',
  variable: 'KEYHEARTH_MINISTACK',
  server: (command, folder) => ({
    command,
    args: () => [],
    env: (port) => ({
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      // It would start containers for databases and tasks.
      DOCKER_HOST: 'unix:///nonexistent',
      S3_DATA_DIR: join(folder, 's3'),
    }),
    readyPath: '/_ministack/health',
    folder,
  }),
  unknownTypes: async (types, _program, client) => {
    const resources = [...types].map((type, index) => [`Resource${index}`, { Type: type }] as const);
    const body = JSON.stringify({ Resources: Object.fromEntries(resources) });
    try {
      await client.send(new ValidateTemplateCommand({ TemplateBody: body }));
      return new Set();
    } catch (error) {
      const names =
        error instanceof Error ? /Unrecognized resource types: \[(.*)\]/.exec(error.message) : null;
      if (names?.[1] === undefined) throw error;
      return new Set(names[1].split(', '));
    }
  },
  gaps: MINISTACK_GAPS,
  standIns: [],
  givesOutputsToChangeSets: true,
  differences: [],
  knowsEngineVersion: false,
  refusesOrphans: true,
  protectsStacks: true,
};

export const EMULATORS: readonly Emulator[] = [moto, ministack];
