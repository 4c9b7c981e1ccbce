import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { errorText, UserError } from '../lib/user-error.ts';
import { AWS_SETTINGS } from '../lib/aws-settings.ts';

/** Whose credentials there are: the 12 digits of an account, or a sentence that says that there are none. */
export type Identity =
  | { readonly kind: 'account'; readonly account: string }
  | { readonly kind: 'none'; readonly why: string };

/**
 * Asks AWS whose credentials the environment gives. No credentials at all are an answer; ones that AWS doesn't take, a profile that
 * doesn't work and an AWS that can't be reached are failures, with `UserError`: whoever has set credentials wants them used.
 *
 * @param region where it is asked: one that the account may use
 */
export async function identify(region: string): Promise<Identity> {
  try {
    const { Account } = await new STSClient({ region, ...AWS_SETTINGS }).send(
      new GetCallerIdentityCommand({}),
    );
    if (Account === undefined) throw new Error('the answer names no account');
    return { kind: 'account', account: Account };
  } catch (error) {
    const isMissing = error instanceof Error && error.name === 'CredentialsProviderError';
    if (isMissing && process.env['AWS_PROFILE'] === undefined)
      return {
        kind: 'none',
        why: 'There are no AWS credentials, so this is planned as if nothing were deployed.',
      };
    throw new UserError(
      `AWS doesn’t say whose credentials these are: ${errorText(error)}. Renew them (\`aws sso login\`) or set AWS_PROFILE to others; --offline plans as if nothing were deployed.`,
    );
  }
}
