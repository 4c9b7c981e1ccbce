import { isAbsolute } from 'node:path';

/** Which vault a task uses: what KEYHEARTH_VAULT says. */
export type VaultSetting =
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'kms'; readonly keyArn: string; readonly region: string };

/** The key itself, not an alias: an alias may lead to another key tomorrow, which reads nothing of what this one wrote. */
const KEY_ARN = /^arn:aws[a-z-]*:kms:(?<region>[a-z0-9-]+):\d{12}:key\/[A-Za-z0-9-]{1,128}$/;

/** Throws an Error that says what is allowed. */
export function parseVaultSetting(text: string): VaultSetting {
  const file = /^file:(.+)$/s.exec(text)?.[1];
  if (file !== undefined && isAbsolute(file)) return { kind: 'file', path: file };
  const keyArn = /^kms:(.+)$/s.exec(text)?.[1] ?? '';
  const region = KEY_ARN.exec(keyArn)?.groups?.['region'];
  if (region !== undefined) return { kind: 'kms', keyArn, region };
  throw new Error(
    'must be file:<absolute path of a key file>, or kms:<ARN of a key> like kms:arn:aws:kms:eu-west-1:123456789012:key/mrk-…',
  );
}
