/** What a registry answers when it doesn't do what it is asked. Codes: "Error Codes", OCI Distribution Specification. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  /** `BLOB_UNKNOWN`, `DIGEST_INVALID`, … */
  readonly code: string;
  /** HTTP status. */
  readonly status: number;

  constructor(code: string, message: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
