import { Problem } from '../domain/problem.ts';
import type { Vault } from './types.ts';

/** Of a zone that has none: every call is refused, with the setting that would give it one. */
export class NoVault implements Vault {
  encrypt(): Promise<never> {
    return refused();
  }

  decrypt(): Promise<never> {
    return refused();
  }
}

async function refused(): Promise<never> {
  throw new Problem(
    'precondition_failed',
    'This zone has no vault, so no text of a key can be kept or read back. Whoever runs the zone sets KEYHEARTH_VAULT to file:<path> or kms:<key ARN>.',
  );
}
