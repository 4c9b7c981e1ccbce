import { DecryptCommand, EncryptCommand, KMSClient, KMSServiceException } from '@aws-sdk/client-kms';
import { Problem } from '../domain/problem.ts';
import type { Vault, VaultContext } from './types.ts';

/**
 * Of a whole call, with everything that comes before it: credentials, connection, a second attempt. Less than a database session may
 * wait in a transaction, since some texts are encrypted inside one.
 */
const TIMEOUT_MS = 1500;
const CONNECTION_TIMEOUT_MS = 800;
const RETRY_AFTER_S = 1;

/** Trying again doesn't help: the key or the ciphertext is not what it was. */
const LASTING: ReadonlySet<string> = new Set([
  'DisabledException',
  'IncorrectKeyException',
  'InvalidCiphertextException',
  'InvalidKeyUsageException',
  // A key whose deletion is scheduled, for one.
  'KMSInvalidStateException',
  'NotFoundException',
]);

export interface KmsVaultOptions {
  readonly zone: string;
  /** This region's own copy of the zone's key. */
  readonly keyArn: string;
  readonly region: string;
  /** Where KMS is. @default the region's own, or what AWS_ENDPOINT_URL names. */
  readonly endpoint?: string;
  /** @default 1500 */
  readonly timeoutMs?: number;
}

/**
 * Encrypts in KMS, with the credentials that the AWS SDK finds (in ECS: the task role's). A ciphertext names its key by id, which the
 * copies of a multi-Region key share along with their key material: what one region's copy encrypted, any other's decrypts. Zone,
 * workspace and key are KMS's encryption context: authenticated, not encrypted, and in CloudTrail's record of the call.
 */
export class KmsVault implements Vault {
  readonly #zone: string;
  readonly #keyArn: string;
  readonly #timeoutMs: number;
  readonly #client: KMSClient;

  /** Calls nobody. */
  constructor({ zone, keyArn, region, endpoint, timeoutMs = TIMEOUT_MS }: KmsVaultOptions) {
    this.#zone = zone;
    this.#keyArn = keyArn;
    this.#timeoutMs = timeoutMs;
    this.#client = new KMSClient({
      region,
      maxAttempts: 2,
      requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: timeoutMs },
      ...(endpoint === undefined ? {} : { endpoint }),
    });
  }

  async encrypt(text: string, context: VaultContext): Promise<Uint8Array> {
    const command = new EncryptCommand({
      KeyId: this.#keyArn,
      Plaintext: Buffer.from(text, 'utf8'),
      EncryptionContext: this.#encryptionContext(context),
    });
    const { CiphertextBlob: ciphertext } = await this.#inTime('Encrypt', (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    );
    return this.#told('Encrypt', ciphertext);
  }

  async decrypt(ciphertext: Uint8Array, context: VaultContext): Promise<string> {
    const command = new DecryptCommand({
      // Named, though the ciphertext names it: one that was made with a key of somebody else's is refused, not read.
      KeyId: this.#keyArn,
      CiphertextBlob: ciphertext,
      EncryptionContext: this.#encryptionContext(context),
    });
    const { Plaintext: text } = await this.#inTime('Decrypt', (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    );
    return Buffer.from(this.#told('Decrypt', text)).toString('utf8');
  }

  #encryptionContext({ workspaceId, keyId }: VaultContext): Record<string, string> {
    return { zone: this.#zone, workspaceId, keyId };
  }

  /** Race and signal: finding credentials, and the pause before a second attempt, don't listen to the signal. */
  async #inTime<T>(action: string, call: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const abort = new AbortController();
    const timer = setTimeout(() => {
      reject(new Error('too late'));
      abort.abort();
    }, this.#timeoutMs);
    try {
      return await Promise.race([call(abort.signal), late]);
    } catch (error) {
      throw this.#problem(action, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #told(action: string, bytes: Uint8Array | undefined): Uint8Array {
    if (bytes === undefined) throw this.#problem(action, new Error('an answer without what was asked for'));
    return bytes;
  }

  #problem(action: string, error: unknown): Problem {
    const cause = new Error(`KMS ${action} with ${this.#keyArn}: ${kindOf(error, this.#timeoutMs)}`);
    if (error instanceof KMSServiceException && LASTING.has(error.name)) {
      const detail =
        action === 'Encrypt'
          ? "The zone's vault can't keep this key's text: its key of KMS can't be used."
          : "The zone's vault can't read the text that was kept of this key.";
      return new Problem('precondition_failed', detail, { cause });
    }
    return new Problem('vault_unavailable', "The zone's vault doesn't answer. Try again.", {
      cause,
      retryAfterS: RETRY_AFTER_S,
    });
  }
}

/** Only KMS's own sentences are told on. What else fails may quote what it read: a parser does, and that may be a key's text. */
function kindOf(error: unknown, timeoutMs: number): string {
  if (error instanceof KMSServiceException) return `${error.name}: ${error.message}`;
  if (error instanceof Error) {
    return error.message === 'too late' ? `no answer within ${timeoutMs} ms` : error.name;
  }
  return typeof error;
}
