import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** `npm run image`: builds the image from this checkout with podman or docker, whichever is there. */
const ROOT = resolve(import.meta.dirname, '..');
const BUILDERS = ['podman', 'docker'] as const;
const USAGE = `Usage: npm run image -- [options]

Builds the service's container image with podman or docker.

Options:
  --tag <name>         name of the image (default: keyhearth)
  --platform <name>    what it is for: linux/arm64 or linux/amd64 (default: this machine's)
  --node-image <name>  base image (default: the one that the Dockerfile names)
  --help               print this
`;

function main(): number {
  const { values } = parseArgs({
    options: {
      tag: { type: 'string', default: 'keyhearth' },
      platform: { type: 'string' },
      'node-image': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const builder = BUILDERS.find((name) => spawnSync(name, ['--version']).status === 0);
  if (builder === undefined) {
    throw new Error(
      `An image is built by podman or docker, and neither is on the PATH: install one of them.`,
    );
  }
  const { status, signal } = spawnSync(
    builder,
    [
      'build',
      '--tag',
      values.tag,
      ...(values.platform === undefined ? [] : ['--platform', values.platform]),
      ...(values['node-image'] === undefined ? [] : ['--build-arg', `NODE_IMAGE=${values['node-image']}`]),
      ROOT,
    ],
    // BuildKit, which knows the machine's own platform; podman's builder always does.
    { stdio: 'inherit', env: { ...process.env, DOCKER_BUILDKIT: '1' } },
  );
  if (status === 0) process.stdout.write(`Built ${values.tag} with ${builder}.\n`);
  return signal === null ? (status ?? 1) : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
