/** Of every client: patient with AWS's throttling, and not with a network that doesn't answer. */
export const AWS_SETTINGS = {
  maxAttempts: 6,
  retryMode: 'adaptive',
  requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000 },
} as const;
