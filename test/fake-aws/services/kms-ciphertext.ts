import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { DELETED_KEY, findKey, KEY, REPLICA_KEY } from '../behaviours/key-lookups.ts';
import { flagAt, requiredText } from '../behaviours/property-values.ts';
import type { Answer, Call } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt, valueAt } from '../values.ts';
import type { Resource } from '../world.ts';

/**
 * Encrypt and Decrypt of symmetric keys: "Encrypt" and "Decrypt", AWS KMS API Reference. Key material follows from account and id, which
 * are what the copies of a multi-Region key share: "How multi-Region keys work", AWS KMS Developer Guide.
 */
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** "Plaintext", Encrypt: of a symmetric key. */
const PLAINTEXT_BYTES_MAX = 4096;

export function encrypt(call: Call): Answer {
  const key = usable(call, requiredText(call.input, 'KeyId'));
  const plaintext = bytesAt(call.input, 'Plaintext');
  if (plaintext.length === 0 || plaintext.length > PLAINTEXT_BYTES_MAX) {
    throw new Refusal(
      'ValidationException',
      `Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to ${PLAINTEXT_BYTES_MAX}`,
    );
  }
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, materialOf(key), nonce);
  cipher.setAAD(contextOf(call));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const id = Buffer.from(key.id);
  const blob = Buffer.concat([Buffer.from([id.length]), id, nonce, sealed, cipher.getAuthTag()]);
  return answer(key, { CiphertextBlob: blob.toString('base64') });
}

export function decrypt(call: Call): Answer {
  const blob = bytesAt(call.input, 'CiphertextBlob');
  const idEnd = 1 + (blob[0] ?? 0);
  const id = blob.subarray(1, idEnd).toString();
  const named = textAt(call.input, 'KeyId');
  if (blob.length < idEnd + NONCE_BYTES + TAG_BYTES) throw invalid();
  const key = named === undefined ? ofCiphertext(call, id) : usable(call, named);
  if (key.id !== id) {
    throw new Refusal(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    );
  }
  const decipher = createDecipheriv(ALGORITHM, materialOf(key), blob.subarray(idEnd, idEnd + NONCE_BYTES));
  decipher.setAAD(contextOf(call));
  decipher.setAuthTag(blob.subarray(-TAG_BYTES));
  try {
    const sealed = blob.subarray(idEnd + NONCE_BYTES, -TAG_BYTES);
    const plaintext = Buffer.concat([decipher.update(sealed), decipher.final()]);
    return answer(key, { Plaintext: plaintext.toString('base64') });
  } catch {
    throw invalid();
  }
}

/** The key that is named, in this region; an ARN of another region or account isn't looked up. */
function usable({ world, account, region }: Call, reference: string): Resource {
  const [, , , where = region, owner = account] = reference.split(':');
  if (where !== region || owner !== account) throw new Refusal('NotFoundException', `Invalid arn ${where}`);
  const id = reference.split('/').at(-1) ?? reference;
  const place = { account, region };
  const found =
    findKey(world, place, reference) ??
    [KEY, REPLICA_KEY, DELETED_KEY]
      .map((type) => world.find(place, type, id))
      .find((one) => one !== undefined);
  if (found === undefined || found === null)
    throw new Refusal('NotFoundException', `Key '${reference}' does not exist`);
  const arn = requiredText(found.attributes, 'Arn');
  if (found.type === DELETED_KEY)
    throw new Refusal('KMSInvalidStateException', `${arn} is pending deletion.`);
  if (flagAt(found.properties, 'Enabled') === false)
    throw new Refusal('DisabledException', `${arn} is disabled.`);
  return found;
}

function ofCiphertext(call: Call, id: string): Resource {
  try {
    return usable(call, id);
  } catch (error) {
    if (error instanceof Refusal && error.code !== 'NotFoundException') throw error;
    throw new Refusal(
      'AccessDeniedException',
      'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
    );
  }
}

function materialOf({ account, id }: Resource): Buffer {
  return createHash('sha256').update(`key material of ${account} ${id}`).digest();
}

/** Pairs in any order. */
function contextOf({ input }: Call): Buffer {
  const context = valueAt(input, 'EncryptionContext') ?? {};
  const pairs = Object.entries(context).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

function bytesAt(input: Properties, path: string): Buffer {
  return Buffer.from(requiredText(input, path), 'base64');
}

function answer({ attributes }: Resource, result: Properties): Answer {
  return {
    result: { ...result, KeyId: attributes['Arn'] ?? null, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
  };
}

/** KMS says nothing more: the message is null. */
function invalid(): Refusal {
  return new Refusal('InvalidCiphertextException', '');
}
