import { FileVault } from './file-vault.ts';
import { readKeyFile } from './key-file.ts';
import { KmsVault } from './kms-vault.ts';
import { NoVault } from './no-vault.ts';
import type { VaultSetting } from './setting.ts';
import type { Vault } from './types.ts';

/**
 * The vault that KEYHEARTH_VAULT names. Reads a key file at once, so that a wrong one stops the start: throws an Error whose sentence
 * names the file and what to do. Calls nobody: a task starts whether KMS answers or not.
 */
export function createVault(setting: VaultSetting, { zone }: { readonly zone: string }): Vault {
  switch (setting.kind) {
    case 'none':
      return new NoVault();
    case 'file':
      return new FileVault({ zone, keyFile: readKeyFile(setting.path) });
    case 'kms':
      return new KmsVault({ zone, keyArn: setting.keyArn, region: setting.region });
  }
}
