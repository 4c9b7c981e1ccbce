import type { Service } from '../call.ts';

/**
 * AWS CloudTrail, API version 2013-11-01 (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html). The CDK's
 * command line asks it about a stack that has failed. There is never anything: CloudTrail delivers events minutes after they happened.
 */
export const CLOUDTRAIL: Service = {
  signingName: 'cloudtrail',
  protocol: 'json',
  actions: {
    LookupEvents: () => ({ result: { Events: [] } }),
  },
};
