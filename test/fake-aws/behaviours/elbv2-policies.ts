/**
 * Security policies that listeners may name. Sources: "Security policies for your Application Load Balancer"
 * (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html) and the CDK's `SslPolicy`.
 */
export const SSL_POLICIES: ReadonlySet<string> = new Set(
  [
    '2016-08',
    'FS-2018-06',
    'FS-1-1-2019-08',
    'FS-1-2-2019-08',
    'FS-1-2-Res-2019-08',
    'FS-1-2-Res-2020-10',
    'TLS-1-0-2015-04',
    'TLS-1-1-2017-01',
    'TLS-1-2-2017-01',
    'TLS-1-2-Ext-2018-06',
    ...['1-0', '1-1', '1-2', '1-2-Ext1', '1-2-Ext2', '1-2-Res', '1-3'].map((name) => `TLS13-${name}-2021-06`),
    ...['1-0', '1-1', '1-2', '1-2-Ext0', '1-2-Ext1', '1-2-Ext2', '1-2-Res', '1-3'].map(
      (name) => `TLS13-${name}-FIPS-2023-04`,
    ),
    ...['1-0', '1-2', '1-2-Ext1', '1-2-Ext2', '1-2-Res', '1-3'].map((name) => `TLS13-${name}-PQ-2025-09`),
    ...['1-0', '1-2', '1-2-Ext0', '1-2-Ext1', '1-2-Ext2', '1-2-Res', '1-3'].map(
      (name) => `TLS13-${name}-FIPS-PQ-2025-09`,
    ),
  ].map((name) => `ELBSecurityPolicy-${name}`),
);
