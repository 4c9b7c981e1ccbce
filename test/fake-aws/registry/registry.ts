import { REPOSITORY } from '../behaviours/ecr.ts';
import type { Received } from '../protocols/calls.ts';
import type { Sent } from '../protocols/sent.ts';
import type { Place } from '../values.ts';
import type { World } from '../world.ts';
import { blobAnswer } from './blobs.ts';
import { manifestAnswer } from './manifests.ts';
import { RegistryRefusal } from './refusals.ts';
import { accountOfPassword } from './token.ts';
import { Uploads } from './uploads.ts';

const ROOT = /^\/v2\/?$/;
const REPOSITORY_PATH =
  /^\/v2\/(?<account>\d{12})\/(?<region>[a-z0-9-]+)\/(?<name>.+?)\/(?<kind>blobs|manifests|tags)\/(?<rest>.*)$/;
const UNAUTHORIZED = 401;
const NOT_FOUND = 404;
const METHOD_NOT_ALLOWED = 405;
const FORBIDDEN = 403;

/** A request to a repository that is there. */
export interface RepositoryCall extends Received {
  readonly world: World;
  readonly place: Place;
  /** Name of the repository. */
  readonly repository: string;
  /** What comes after the kind: `uploads/…`, a digest, a tag. */
  readonly rest: string;
  /** Path of the repository: `/v2/ACCOUNT/REGION/NAME`. */
  readonly base: string;
}

/** Does a request go to the registry, and to none of AWS's APIs? */
export function isRegistryPath(path: string): boolean {
  return ROOT.test(path) || path.startsWith('/v2/');
}

/**
 * The private registries of all accounts and regions, to push to and pull from as ACCOUNT/REGION/NAME. A repository has to be there as a
 * resource, as in ECR.
 * Source: "OCI Distribution Specification" 1.1; "Private registry authentication in Amazon ECR", Amazon ECR User Guide.
 */
export class Registry {
  readonly #world: World;
  readonly #uploads = new Uploads();

  constructor(world: World) {
    this.#world = world;
  }

  answer(received: Received): Sent {
    try {
      const account = callerAccount(received);
      if (ROOT.test(received.path)) return ok(200, '{}');
      return this.#repository(account, received);
    } catch (error) {
      if (error instanceof RegistryRefusal) return refusalAnswer(error, received.headers.host);
      throw error;
    }
  }

  #repository(account: string, received: Received): Sent {
    const found = REPOSITORY_PATH.exec(received.path)?.groups;
    if (found === undefined) throw new RegistryRefusal('UNSUPPORTED', 'No such path.', NOT_FOUND);
    const { account: owner = '', region = '', name = '', kind, rest = '' } = found;
    const place = { account: owner, region };
    // Repositories' policies aren't looked at, so that nobody reads another account's.
    if (owner !== account)
      throw new RegistryRefusal(
        'DENIED',
        `User of ${account} is not authorized to access ${name}`,
        FORBIDDEN,
      );
    if (this.#world.find(place, REPOSITORY, name) === undefined)
      throw new RegistryRefusal(
        'NAME_UNKNOWN',
        `The repository with name '${name}' does not exist in the registry with id '${owner}'`,
        NOT_FOUND,
      );
    const base = `/v2/${owner}/${region}/${name}`;
    const call = { ...received, world: this.#world, place, repository: name, rest, base };
    const upload = /^uploads\/(?<id>.*)$/.exec(rest)?.groups?.['id'];
    const sent =
      kind === 'manifests'
        ? manifestAnswer(call)
        : kind === 'blobs' && upload === undefined
          ? blobAnswer(call)
          : kind === 'blobs' && upload !== undefined
            ? this.#uploads.answer(call, upload)
            : tagsAnswer(call);
    if (sent === undefined)
      throw new RegistryRefusal('UNSUPPORTED', 'The operation is unsupported.', METHOD_NOT_ALLOWED);
    return sent;
  }
}

/** Throws unless the request has a password that `GetAuthorizationToken` gave. */
function callerAccount({ headers }: Received): string {
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const [user, password] = Buffer.from(basic, 'base64').toString().split(/:(.*)/s);
  const account = user === 'AWS' ? accountOfPassword(password ?? '') : undefined;
  if (account === undefined) throw new RegistryRefusal('UNAUTHORIZED', 'Not Authorized', UNAUTHORIZED);
  return account;
}

function tagsAnswer({ method, rest, world, place, repository }: RepositoryCall): Sent | undefined {
  if (method !== 'GET' || rest !== 'list') return undefined;
  const tags = world.images.list(place, repository).flatMap((manifest) => manifest.tags);
  return ok(200, JSON.stringify({ name: repository, tags: tags.toSorted() }));
}

function refusalAnswer({ code, message, status }: RegistryRefusal, host = ''): Sent {
  const sent = ok(status, JSON.stringify({ errors: [{ code, message }] }));
  if (status !== UNAUTHORIZED) return sent;
  const challenge = `Basic realm="http://${host}/",service="ecr.amazonaws.com"`;
  return { ...sent, headers: { ...sent.headers, 'www-authenticate': challenge } };
}

function ok(status: number, body: string): Sent {
  const headers = {
    'content-type': 'application/json',
    'docker-distribution-api-version': 'registry/2.0',
  };
  return { status, headers, body };
}
