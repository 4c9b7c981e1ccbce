import { randomUUID } from 'node:crypto';
import type { Sent } from '../protocols/sent.ts';
import { digestOf } from './images.ts';
import { RegistryRefusal } from './refusals.ts';
import type { RepositoryCall } from './registry.ts';

const CREATED = 201;
const ACCEPTED = 202;
const NO_CONTENT = 204;
const BAD_REQUEST = 400;
const NOT_FOUND = 404;
const RANGE_NOT_SATISFIABLE = 416;

interface Upload {
  /** Path of its repository. */
  readonly base: string;
  readonly chunks: Buffer[];
}

/** Blobs on their way: at once, in chunks, or taken over from another repository of the same registry. "Pushing blobs", OCI Distribution Specification. */
export class Uploads {
  readonly #uploads = new Map<string, Upload>();

  /** @param id empty for a new upload. Undefined for a method that there isn't. */
  answer(call: RepositoryCall, id: string): Sent | undefined {
    if (id === '') return call.method === 'POST' ? this.#begin(call) : undefined;
    const upload = this.#uploads.get(id);
    if (upload?.base !== call.base)
      throw new RegistryRefusal('BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry', NOT_FOUND);
    switch (call.method) {
      case 'GET':
        return progress(NO_CONTENT, id, upload);
      case 'PATCH':
        append(upload, call);
        return progress(ACCEPTED, id, upload);
      case 'PUT': {
        append(upload, call);
        const sent = store(call, Buffer.concat(upload.chunks));
        this.#uploads.delete(id);
        return sent;
      }
      case 'DELETE':
        this.#uploads.delete(id);
        return { status: NO_CONTENT, headers: {}, body: '' };
      default:
        return undefined;
    }
  }

  #begin(call: RepositoryCall): Sent {
    const { query, base } = call;
    const mounted = mount(call);
    if (mounted !== undefined) return mounted;
    if (query.has('digest')) return store(call, call.body);
    const id = randomUUID();
    const upload = { base, chunks: [] };
    this.#uploads.set(id, upload);
    return progress(ACCEPTED, id, upload);
  }
}

/** Of a blob that another repository of this registry has; undefined where it has to be uploaded. */
function mount(call: RepositoryCall): Sent | undefined {
  const { query, world, place, repository } = call;
  const digest = query.get('mount');
  const prefix = `${place.account}/${place.region}/`;
  const from = query.get('from') ?? '';
  const bytes =
    digest === null || !from.startsWith(prefix)
      ? undefined
      : world.images.blob(place, from.slice(prefix.length), digest);
  if (bytes === undefined) return undefined;
  world.images.addBlob(place, repository, bytes);
  return stored(call, digestOf(bytes));
}

function store(call: RepositoryCall, bytes: Buffer): Sent {
  const digest = digestOf(bytes);
  if (call.query.get('digest') !== digest)
    throw new RegistryRefusal(
      'DIGEST_INVALID',
      'provided digest did not match uploaded content',
      BAD_REQUEST,
    );
  call.world.images.addBlob(call.place, call.repository, bytes);
  return stored(call, digest);
}

function stored({ base }: RepositoryCall, digest: string): Sent {
  const headers = { location: `${base}/blobs/${digest}`, 'docker-content-digest': digest };
  return { status: CREATED, headers, body: '' };
}

function append(upload: Upload, { headers, body }: RepositoryCall): void {
  const start = /^(?:bytes )?(\d+)-/.exec(headers['content-range'] ?? '')?.[1];
  if (start !== undefined && Number(start) !== sizeOf(upload))
    throw new RegistryRefusal('BLOB_UPLOAD_INVALID', 'chunks must come in order', RANGE_NOT_SATISFIABLE);
  if (body.length > 0) upload.chunks.push(body);
}

function progress(status: number, id: string, upload: Upload): Sent {
  const headers = {
    location: `${upload.base}/blobs/uploads/${id}`,
    'docker-upload-uuid': id,
    range: `0-${Math.max(0, sizeOf(upload) - 1)}`,
  };
  return { status, headers, body: '' };
}

function sizeOf({ chunks }: Upload): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}
