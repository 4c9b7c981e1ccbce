import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { errorText, UserError } from './user-error.ts';
import { AWS_SETTINGS } from './aws-settings.ts';

/** Whose credentials there are: the 12 digits of an account, or that there are none. */
export type Identity = { readonly kind: 'account'; readonly account: string } | { readonly kind: 'none' };

/**
 * Asks AWS whose credentials the environment gives. No credentials at all are an answer; ones that AWS doesn't take, a profile that
 * doesn't work and an AWS that can't be reached are failures, with `UserError`: whoever has set credentials wants them used.
 *
 * @param region where it is asked: one that the account may use
 * @param otherwise what else somebody may do whose credentials fail, as it goes on after `or set AWS_PROFILE to others`
 */
export async function identify(region: string, otherwise = ''): Promise<Identity> {
  try {
    const { Account } = await new STSClient({ region, ...AWS_SETTINGS }).send(
      new GetCallerIdentityCommand({}),
    );
    if (Account === undefined) throw new Error('the answer names no account');
    return { kind: 'account', account: Account };
  } catch (error) {
    const isMissing = error instanceof Error && error.name === 'CredentialsProviderError';
    if (isMissing && process.env['AWS_PROFILE'] === undefined) return { kind: 'none' };
    throw new UserError(
      `AWS doesn’t say whose credentials these are: ${errorText(error)}. Renew them (\`aws sso login\`) or set AWS_PROFILE to others${otherwise}.`,
    );
  }
}
