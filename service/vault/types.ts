/** What a key's text is encrypted for: decrypting it takes the same answers, so that a ciphertext moved to another key is no use. */
export interface VaultContext {
  readonly workspaceId: string;
  readonly keyId: string;
}

/**
 * Encrypts the texts of recoverable keys, with a key that belongs to the zone: KMS in AWS, a local key file elsewhere. Used at home
 * only. Fails with Problem: `precondition_failed` where the zone has none, or none that can read this ciphertext;
 * `vault_unavailable` where it doesn't answer.
 */
export interface Vault {
  /** Returns the ciphertext, which names the key that reads it. */
  encrypt(text: string, context: VaultContext): Promise<Uint8Array>;
  decrypt(ciphertext: Uint8Array, context: VaultContext): Promise<string>;
}
