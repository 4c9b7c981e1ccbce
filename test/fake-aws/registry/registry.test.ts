import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeAws, type FakeAws } from '../server.ts';
import { jsonCall } from '../signed-call.ts';
import { isProperties, textAt, type Properties } from '../values.ts';
import { digestOf } from './images.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';
const PLACE = { account: ACCOUNT, region: REGION };
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

let aws: FakeAws;

beforeAll(async () => {
  aws = await startFakeAws();
});

afterAll(() => aws.close());

let repositories = 0;

function newRepository(properties: Properties = {}): string {
  repositories += 1;
  const id = `team/repository-${repositories}`;
  aws.world.add({ ...PLACE, type: 'AWS::ECR::Repository', id, properties, attributes: {}, stack: null });
  return id;
}

function ecr(action: string, input: Properties = {}, account = ACCOUNT) {
  const target = `AmazonEC2ContainerRegistry_V20150921.${action}`;
  return jsonCall(aws.endpoint, { account, region: REGION, service: 'ecr', target, input });
}

async function login(account = ACCOUNT): Promise<string> {
  const { body } = await ecr('GetAuthorizationToken', {}, account);
  const [data] = Array.isArray(body['authorizationData']) ? body['authorizationData'] : [];
  return isProperties(data) ? (textAt(data, 'authorizationToken') ?? '') : '';
}

interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly account?: string;
}

/** A request to the registry, logged in. @param path within a repository, or a location that was answered */
async function send(path: string, { account = ACCOUNT, headers = {}, ...rest }: Sending = {}) {
  const authorization = `Basic ${await login(account)}`;
  return fetch(`${aws.endpoint}${path}`, { ...rest, headers: { authorization, ...headers } });
}

function base(repository: string): string {
  return `/v2/${ACCOUNT}/${REGION}/${repository}`;
}

async function pushBlob(repository: string, bytes: Buffer): Promise<string> {
  const digest = digestOf(bytes);
  const { status } = await send(`${base(repository)}/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    body: bytes,
  });
  expect(status).toBe(201);
  return digest;
}

/** A manifest whose blobs are there, with something in it that makes it its own. */
async function pushableManifest(repository: string, mark: string): Promise<string> {
  const config = await pushBlob(repository, Buffer.from(`{"mark":"${mark}"}`));
  const layer = await pushBlob(repository, Buffer.from(mark));
  const layers = [{ digest: layer, size: mark.length }];
  return JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: { digest: config }, layers });
}

function putManifest(repository: string, reference: string, body: string, type = MANIFEST) {
  return send(`${base(repository)}/manifests/${reference}`, {
    method: 'PUT',
    headers: { 'content-type': type },
    body,
  });
}

async function codeOf(response: Response): Promise<string | undefined> {
  return /"code":"(\w+)"/.exec(await response.text())?.[1];
}

describe('logging in', () => {
  test('without a password is answered with how to log in', async () => {
    const response = await fetch(`${aws.endpoint}/v2/`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm="http:\/\/127\.0\.0\.1:\d+\/"/);
    expect(await codeOf(response)).toBe('UNAUTHORIZED');
  });

  test('with the password of an account is fine, and with another isn’t', async () => {
    expect((await send('/v2/')).status).toBe(200);
    const wrong = Buffer.from('AWS:password').toString('base64');
    const response = await fetch(`${aws.endpoint}/v2/`, { headers: { authorization: `Basic ${wrong}` } });
    expect(response.status).toBe(401);
  });

  test('gives the token of a user AWS, for this endpoint', async () => {
    const { body } = await ecr('GetAuthorizationToken');
    expect(body).toMatchObject({ authorizationData: [{ proxyEndpoint: aws.endpoint }] });
    expect(Buffer.from(await login(), 'base64').toString()).toMatch(/^AWS:.+/);
  });

  test('opens the account’s own repositories only', async () => {
    const repository = newRepository();
    const response = await send(`${base(repository)}/tags/list`, { account: '444455556666' });
    expect(response.status).toBe(403);
    expect(await codeOf(response)).toBe('DENIED');
  });
});

test('a repository that isn’t there takes nothing', async () => {
  const response = await send(`${base('none')}/blobs/uploads/`, { method: 'POST' });
  expect(response.status).toBe(404);
  expect(await codeOf(response)).toBe('NAME_UNKNOWN');
});

describe('a blob', () => {
  const bytes = Buffer.from('0123456789');
  const digest = digestOf(bytes);

  async function begin(repository: string): Promise<string> {
    const response = await send(`${base(repository)}/blobs/uploads/`, { method: 'POST' });
    expect(response.status).toBe(202);
    return response.headers.get('location') ?? '';
  }

  test('is uploaded at once', async () => {
    const repository = newRepository();
    await pushBlob(repository, bytes);
    const read = await send(`${base(repository)}/blobs/${digest}`);
    expect(Buffer.from(await read.arrayBuffer())).toEqual(bytes);
    expect(read.headers.get('docker-content-digest')).toBe(digest);
  });

  test('is uploaded in chunks, in their order', async () => {
    const repository = newRepository();
    const location = await begin(repository);
    const chunk = (range: string, body: Buffer) =>
      send(location, { method: 'PATCH', headers: { 'content-range': range }, body });
    expect((await chunk('0-3', bytes.subarray(0, 4))).headers.get('range')).toBe('0-3');
    expect((await chunk('6-9', bytes.subarray(6))).status).toBe(416);
    expect((await send(location)).headers.get('range')).toBe('0-3');
    await chunk('4-9', bytes.subarray(4));
    const closed = await send(`${location}?digest=${digest}`, { method: 'PUT' });
    expect(closed.status).toBe(201);
    expect(aws.world.images.blob(PLACE, repository, digest)).toEqual(bytes);
    expect((await send(location)).status).toBe(404);
  });

  test('that isn’t what its digest says is refused', async () => {
    const repository = newRepository();
    const location = await begin(repository);
    const body = Buffer.from('something else');
    const response = await send(`${location}?digest=${digest}`, { method: 'PUT', body });
    expect(response.status).toBe(400);
    expect(await codeOf(response)).toBe('DIGEST_INVALID');
    expect((await send(`${base(repository)}/blobs/${digest}`, { method: 'HEAD' })).status).toBe(404);
  });

  test('that another repository of the registry has is taken over', async () => {
    const [from, to] = [newRepository(), newRepository()];
    await pushBlob(from, bytes);
    const mount = (name: string) =>
      send(`${base(to)}/blobs/uploads/?mount=${digest}&from=${ACCOUNT}/${REGION}/${name}`, {
        method: 'POST',
      });
    expect((await mount('none')).status).toBe(202);
    expect((await mount(from)).status).toBe(201);
    expect((await send(`${base(to)}/blobs/${digest}`, { method: 'HEAD' })).status).toBe(200);
  });

  test('that is given up is gone', async () => {
    const location = await begin(newRepository());
    expect((await send(location, { method: 'DELETE' })).status).toBe(204);
    expect((await send(location, { method: 'PATCH', body: bytes })).status).toBe(404);
  });
});

describe('a manifest', () => {
  test('is read by its tag and by its digest, as it was pushed', async () => {
    const repository = newRepository();
    const manifest = await pushableManifest(repository, 'a');
    const pushed = await putManifest(repository, 'v1', manifest);
    expect(pushed.status).toBe(201);
    const digest = digestOf(Buffer.from(manifest));
    expect(pushed.headers.get('docker-content-digest')).toBe(digest);
    for (const reference of ['v1', digest]) {
      const read = await send(`${base(repository)}/manifests/${reference}`);
      expect(await read.text()).toBe(manifest);
      expect(read.headers.get('content-type')).toBe(MANIFEST);
    }
    expect(await (await send(`${base(repository)}/tags/list`)).json()).toMatchObject({ tags: ['v1'] });
  });

  test('whose blobs or images aren’t there is refused', async () => {
    const repository = newRepository();
    const elsewhere = await pushableManifest(newRepository(), 'a');
    expect(await codeOf(await putManifest(repository, 'v1', elsewhere))).toBe('BLOB_UNKNOWN');
    const index = (digest: string) => JSON.stringify({ schemaVersion: 2, manifests: [{ digest }] });
    const none = digestOf(Buffer.from('none'));
    expect(await codeOf(await putManifest(repository, 'v1', index(none), INDEX))).toBe('MANIFEST_UNKNOWN');
    const manifest = await pushableManifest(repository, 'b');
    const digest = digestOf(Buffer.from(manifest));
    await putManifest(repository, digest, manifest);
    expect((await putManifest(repository, 'v1', index(digest), INDEX)).status).toBe(201);
  });

  test('that isn’t what its digest says, or no manifest, is refused', async () => {
    const repository = newRepository();
    const manifest = await pushableManifest(repository, 'a');
    const other = digestOf(Buffer.from('other'));
    expect(await codeOf(await putManifest(repository, other, manifest))).toBe('DIGEST_INVALID');
    expect(await codeOf(await putManifest(repository, 'v1', 'no JSON'))).toBe('MANIFEST_INVALID');
  });

  test('that isn’t there is unknown', async () => {
    const response = await send(`${base(newRepository())}/manifests/v1`);
    expect(response.status).toBe(404);
    expect(await codeOf(response)).toBe('MANIFEST_UNKNOWN');
  });

  test('takes a tag over, unless the repository’s tags don’t change', async () => {
    for (const ImageTagMutability of ['MUTABLE', 'IMMUTABLE']) {
      const repository = newRepository({ ImageTagMutability });
      const [first, second] = [
        await pushableManifest(repository, 'a'),
        await pushableManifest(repository, 'b'),
      ];
      await putManifest(repository, 'v1', first);
      expect((await putManifest(repository, 'v1', first)).status).toBe(201);
      const again = await putManifest(repository, 'v1', second);
      const isFixed = ImageTagMutability === 'IMMUTABLE';
      expect(again.status).toBe(isFixed ? 400 : 201);
      const kept = digestOf(Buffer.from(isFixed ? first : second));
      expect(aws.world.images.find(PLACE, repository, 'v1')?.digest).toBe(kept);
    }
  });
});

describe('ECR', () => {
  test('names repositories at this endpoint', async () => {
    const { body } = await ecr('CreateRepository', { repositoryName: 'made/by-call' });
    const host = aws.endpoint.replace('http://', '');
    const repository = { repositoryUri: `${host}/${ACCOUNT}/${REGION}/made/by-call` };
    expect(body).toMatchObject({ repository });
    const described = await ecr('DescribeRepositories', { repositoryNames: ['made/by-call'] });
    expect(described.body).toMatchObject({ repositories: [repository] });
    const again = await ecr('CreateRepository', { repositoryName: 'made/by-call' });
    expect(again.body['__type']).toBe('RepositoryAlreadyExistsException');
    const none = await ecr('DescribeRepositories', { repositoryNames: ['none'] });
    expect(none.body['__type']).toBe('RepositoryNotFoundException');
  });

  test('describes what was pushed, by tag and digest', async () => {
    const repositoryName = newRepository();
    const manifest = await pushableManifest(repositoryName, 'a');
    for (const tag of ['v1', 'v2']) await putManifest(repositoryName, tag, manifest);
    const imageDigest = digestOf(Buffer.from(manifest));
    const described = await ecr('DescribeImages', { repositoryName, imageIds: [{ imageTag: 'v2' }] });
    expect(described.body).toMatchObject({
      imageDetails: [{ imageDigest, imageTags: ['v1', 'v2'], imageSizeInBytes: 1 }],
    });
    const listed = await ecr('ListImages', { repositoryName });
    expect(listed.body['imageIds']).toEqual([
      { imageDigest, imageTag: 'v1' },
      { imageDigest, imageTag: 'v2' },
    ]);
    const got = await ecr('BatchGetImage', {
      repositoryName,
      imageIds: [{ imageDigest }, { imageTag: 'none' }],
    });
    expect(got.body).toMatchObject({
      images: [{ imageManifest: manifest, imageId: { imageDigest } }],
      failures: [{ imageId: { imageTag: 'none' }, failureCode: 'ImageNotFound' }],
    });
    const none = await ecr('DescribeImages', { repositoryName, imageIds: [{ imageTag: 'none' }] });
    expect(none.body).toMatchObject({
      __type: 'ImageNotFoundException',
      message: expect.stringContaining("{imageDigest:null, imageTag:'none'}"),
    });
  });
});
