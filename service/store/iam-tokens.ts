import { Signer } from '@aws-sdk/rds-signer';

/** Whom a token lets in, and where. */
export interface TokenPlace {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** Makes a new token: text that stands in for the password for 15 minutes. May take long, or fail with any error. */
export type SignToken = (place: TokenPlace) => Promise<string>;

/** No token, so no connection. Its message names the place and the kind of failure, never a token or a credential. */
export class TokenFailure extends Error {
  override readonly name = 'TokenFailure';
}

/**
 * Signs RDS IAM tokens with the credentials that the AWS SDK finds (in ECS: the task role's). Signing is local arithmetic of about
 * 0.1 ms; what may go over the network is finding the credentials, which a signer keeps and renews. So there is one signer for
 * each place.
 */
export function rdsTokens(region: string): SignToken {
  const signers = new Map<string, Signer>();
  return async ({ host, port, user }) => {
    const place = `${user}@${host}:${port}`;
    const signer = signers.get(place) ?? new Signer({ hostname: host, port, username: user, region });
    signers.set(place, signer);
    return await signer.getAuthToken();
  };
}

/** A token within `timeoutMs`. Throws `TokenFailure`, and nothing else. */
export async function tokenInTime(sign: SignToken, place: TokenPlace, timeoutMs: number): Promise<string> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('too late')), timeoutMs);
  timer.unref();
  try {
    return await Promise.race([sign(place), late]);
  } catch (error) {
    // Only the kind of error is told on: what a provider of credentials says may quote what it read.
    const kind = error instanceof Error ? error.name : typeof error;
    throw new TokenFailure(
      `no IAM token for ${place.user} at ${place.host}:${place.port} within ${timeoutMs} ms (${kind}): ` +
        'does this task have a role, and its credentials endpoint an answer?',
    );
  } finally {
    clearTimeout(timer);
  }
}
