/** What AWS answers when it doesn't do what it is asked: its code, its sentence, its status. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** `DependencyViolation`, `ValidationError`, … */
  readonly code: string;
  /** HTTP status. */
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
