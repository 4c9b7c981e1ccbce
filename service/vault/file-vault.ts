import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { Problem } from '../domain/problem.ts';
import type { KeyFile } from './key-file.ts';
import type { Vault, VaultContext } from './types.ts';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
/** Version, and length of the key's id. */
const FIXED_BYTES = 2;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface FileVaultOptions {
  readonly zone: string;
  readonly keyFile: KeyFile;
}

/**
 * Encrypts with a key of a file, by AES-256-GCM. A ciphertext is `version (1) | length of id (1) | id | nonce (12) | text | tag (16)`; all
 * that stands before the nonce is authenticated, and so are zone and context. The nonce is random, which NIST SP 800-38D (8.3) allows
 * for 2^32 texts of one key: rotate it before.
 */
export class FileVault implements Vault {
  readonly #zone: string;
  readonly #keyFile: KeyFile;

  constructor({ zone, keyFile }: FileVaultOptions) {
    this.#zone = zone;
    this.#keyFile = keyFile;
  }

  async encrypt(text: string, context: VaultContext): Promise<Uint8Array> {
    const { current, keys } = this.#keyFile;
    const key = keys.get(current);
    // Checked when the file was read.
    if (key === undefined) throw new Error(`the vault has no key ${current}`);
    const id = Buffer.from(current, 'ascii');
    const header = Buffer.from([VERSION, id.length, ...id]);
    // Not injected: the same nonce twice would give both texts away.
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(this.#authenticated(header, context));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([header, nonce, sealed, cipher.getAuthTag()]);
  }

  async decrypt(ciphertext: Uint8Array, context: VaultContext): Promise<string> {
    const parts = partsOf(ciphertext);
    if (parts === null) throw unreadable('it is none of this vault’s');
    const key = this.#keyFile.keys.get(parts.keyId);
    if (key === undefined) throw unreadable(`the key file has no key ${parts.keyId}`);
    return open(key, parts, this.#authenticated(parts.header, context));
  }

  #authenticated(header: Uint8Array, { workspaceId, keyId }: VaultContext): Uint8Array {
    return Buffer.concat([header, Buffer.from(JSON.stringify([this.#zone, workspaceId, keyId]))]);
  }
}

interface Parts {
  readonly keyId: string;
  readonly header: Uint8Array;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
  readonly tag: Uint8Array;
}

/** Null where it can't be one of ours. */
function partsOf(ciphertext: Uint8Array): Parts | null {
  const [version, idBytes = 0] = ciphertext;
  const headerBytes = FIXED_BYTES + idBytes;
  const nonceEnd = headerBytes + NONCE_BYTES;
  const sealedEnd = ciphertext.length - TAG_BYTES;
  if (version !== VERSION || sealedEnd < nonceEnd) return null;
  const header = ciphertext.subarray(0, headerBytes);
  return {
    keyId: Buffer.from(header.subarray(FIXED_BYTES)).toString('latin1'),
    header,
    nonce: ciphertext.subarray(headerBytes, nonceEnd),
    sealed: ciphertext.subarray(nonceEnd, sealedEnd),
    tag: ciphertext.subarray(sealedEnd),
  };
}

function open(key: KeyObject, { nonce, sealed, tag }: Parts, authenticated: Uint8Array): string {
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticated);
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
  } catch {
    throw unreadable('it was changed, or belongs to another key');
  }
}

function unreadable(why: string): Problem {
  return new Problem(
    'precondition_failed',
    "The zone's vault can't read the text that was kept of this key.",
    {
      cause: new Error(`a ciphertext can't be read with the vault's key file: ${why}`),
    },
  );
}
