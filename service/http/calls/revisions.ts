import type { FastifyPluginCallback } from 'fastify';
import { parseRevision, type Revision } from '../../domain/revision.ts';
import type { RegionProgress } from '../../home/types.ts';
import type { HttpDeps } from '../deps.ts';
import { invalidInput } from '../errors.ts';
import { prepareManagement } from '../management.ts';
import { WaitForRevisionBody } from '../schemas/revisions.ts';

const DEFAULT_TIMEOUT_MS = 2000;

/** Who has applied a write. Answered by the home, which every task reports to. Any root key of the zone may ask. */
export function revisionRoutes(deps: HttpDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    prepareManagement(
      app,
      deps,
    )({
      kind: 'read',
      path: '/v2/revisions.wait',
      body: WaitForRevisionBody,
      check: (input) => {
        revisionOf(input.revision);
      },
      waitsMs: (input) => input.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      run: async (_principal, input) => {
        const timeoutMs = input.timeoutMs ?? DEFAULT_TIMEOUT_MS;
        const progress = await deps.taskStatus.wait(revisionOf(input.revision), 'all', timeoutMs);
        return { regions: Object.fromEntries(progress.map(progressEntry)) };
      },
    });
    done();
  };
}

function progressEntry({ region, ...progress }: RegionProgress): [string, Omit<RegionProgress, 'region'>] {
  return [region, progress];
}

function revisionOf(text: string): Revision {
  const revision = parseRevision(text);
  if (revision !== undefined) return revision;
  throw invalidInput('body.revision is no revision.', {
    location: 'body.revision',
    message: 'must be a revision',
    fix: 'Send the value of a Keyhearth-Revision header as it was answered.',
  });
}
