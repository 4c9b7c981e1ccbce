import { expect, it } from 'vitest';
import type { Call, Service } from '../call.ts';
import type { Properties } from '../values.ts';
import { HERE, NetworkBench, first } from '../behaviours/network-bench.ts';
import { ACM_SERVICE } from './acm.ts';
import { EC2_SERVICE } from './ec2.ts';
import { ROUTE53_SERVICE } from './route53.ts';

/** Makes a call as the dispatcher would, and gives its result or its body. */
async function ask(
  bench: NetworkBench,
  service: Service,
  action: string,
  {
    input = {},
    path = '/',
    query = '',
    body = '',
  }: Partial<Record<'path' | 'query' | 'body', string>> & {
    readonly input?: Properties;
  } = {},
): Promise<unknown> {
  const call: Call = {
    ...HERE,
    world: bench.world,
    action,
    input,
    method: 'POST',
    path,
    query: new URLSearchParams(query),
    headers: {},
    body: Buffer.from(body),
    endpoint: 'http://127.0.0.1:1',
  };
  const answer = await service.actions[action]?.(call);
  if (answer === undefined) throw new Error(`no action ${action}`);
  return 'raw' in answer ? String(answer.raw.body) : answer.result;
}

it('EC2 finds by id, by filter and with wildcards, and refuses ids that nothing has', async () => {
  const bench = new NetworkBench();
  const { subnets, vpc } = bench.network();
  bench.network('10.1');
  const subnet = first(subnets);
  const found = (input: Properties) => ask(bench, EC2_SERVICE, 'DescribeSubnets', { input });
  const items = { subnetSet: { item: [{ subnetId: subnet.id, availableIpAddressCount: 251 }] } };
  expect(await found({ SubnetId: [subnet.id] })).toMatchObject(items);
  const filter = [
    { Name: 'vpc-id', Value: [vpc.id] },
    { Name: 'availability-zone', Value: ['*1a'] },
  ];
  expect(await found({ Filter: filter })).toMatchObject(items);
  await expect(found({ SubnetId: ['subnet-0'] })).rejects.toThrow("'subnet-0' does not exist");
  await expect(found({ Filter: [{ Name: 'colour', Value: ['x'] }] })).rejects.toThrow('colour');
});

it("EC2 deletes a security group by a stack's rules", async () => {
  const bench = new NetworkBench();
  const network = bench.network();
  const balancer = bench.balancer(network);
  const remove = () =>
    ask(bench, EC2_SERVICE, 'DeleteSecurityGroup', { input: { GroupId: network.group.id } });
  await expect(remove()).rejects.toThrow('has a dependent object');
  bench.remove(balancer);
  expect(await remove()).toMatchObject({ return: true });
  await expect(remove()).rejects.toThrow('does not exist');
});

it('EC2 shows a peering connection in the regions of both ends', async () => {
  const bench = new NetworkBench();
  const far = { account: HERE.account, region: 'us-east-1' };
  const properties = {
    VpcId: bench.network('10.1', far).vpc.id,
    PeerVpcId: bench.network().vpc.id,
    PeerRegion: HERE.region,
  };
  const { id } = bench.make('EC2::VPCPeeringConnection', properties, far);
  expect(await ask(bench, EC2_SERVICE, 'DescribeVpcPeeringConnections')).toMatchObject({
    vpcPeeringConnectionSet: {
      item: [
        {
          vpcPeeringConnectionId: id,
          status: { code: 'active' },
          accepterVpcInfo: { cidrBlock: '10.0.0.0/16' },
        },
      ],
    },
  });
});

it('Route 53 makes a zone by hand, changes its records and finds it by name', async () => {
  const bench = new NetworkBench();
  const body = (reference: string) =>
    `<CreateHostedZoneRequest><Name>example.com</Name><CallerReference>${reference}</CallerReference></CreateHostedZoneRequest>`;
  const made = String(await ask(bench, ROUTE53_SERVICE, 'CreateHostedZone', { body: body('1') }));
  expect(made).toContain('<NameServer>');
  await expect(ask(bench, ROUTE53_SERVICE, 'CreateHostedZone', { body: body('1') })).rejects.toThrow(
    'CallerReference',
  );
  const [, id] = /\/hostedzone\/(Z[0-9A-F]+)/u.exec(made) ?? [];
  const path = `/2013-04-01/hostedzone/${id}/rrset`;
  const change = (action: string) =>
    ask(bench, ROUTE53_SERVICE, 'ChangeResourceRecordSets', {
      path,
      body: `<ChangeResourceRecordSetsRequest><ChangeBatch><Changes><Change><Action>${action}</Action><ResourceRecordSet><Name>a.example.com</Name><Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`,
    });
  await change('CREATE');
  await expect(change('CREATE')).rejects.toThrow('already exists');
  await change('UPSERT');
  expect(await ask(bench, ROUTE53_SERVICE, 'ListResourceRecordSets', { path })).toContain(
    '<Name>a.example.com.</Name>',
  );
  await expect(ask(bench, ROUTE53_SERVICE, 'DeleteHostedZone', { path })).rejects.toThrow('non-required');
  await change('DELETE');
  await expect(change('DELETE')).rejects.toThrow('not found');
  const named = (query: string) => ask(bench, ROUTE53_SERVICE, 'ListHostedZonesByName', { query });
  expect(await named('dnsname=example.com')).toContain(`/hostedzone/${id}`);
  expect(await named('dnsname=zzz.org')).not.toContain('<Id>');
});

it('Route 53 knows its calls by method and path', () => {
  const actionOf = (method: string, path: string) =>
    ROUTE53_SERVICE.actionOf?.(method, path, new URLSearchParams());
  expect(actionOf('GET', '/2013-04-01/hostedzone')).toBe('ListHostedZones');
  expect(actionOf('GET', '/2013-04-01/hostedzone/Z1')).toBe('GetHostedZone');
  expect(actionOf('POST', '/2013-04-01/hostedzone/Z1/rrset/')).toBe('ChangeResourceRecordSets');
  expect(actionOf('GET', '/2013-04-01/healthcheck')).toBe('GET /2013-04-01/healthcheck');
});

it('a certificate that was asked for by hand is issued once a public zone has its record', async () => {
  const bench = new NetworkBench();
  const zone = bench.make('Route53::HostedZone', { Name: 'example.com' });
  const input = { DomainName: 'keys.example.com', ValidationMethod: 'DNS' };
  await ask(bench, ACM_SERVICE, 'RequestCertificate', { input });
  const list = (status: string) =>
    ask(bench, ACM_SERVICE, 'ListCertificates', { input: { CertificateStatuses: [status] } });
  expect(await list('PENDING_VALIDATION')).toMatchObject({ CertificateSummaryList: [{ InUse: false }] });
  const { id } = first(bench.world.all('AWS::CertificateManager::Certificate'));
  const describe = () => ask(bench, ACM_SERVICE, 'DescribeCertificate', { input: { CertificateArn: id } });
  const [, name = ''] = /"Name":"([^"]+)"/u.exec(JSON.stringify(await describe())) ?? [];
  bench.make('Route53::RecordSet', {
    HostedZoneId: zone.id,
    Name: name,
    Type: 'CNAME',
    TTL: '300',
    ResourceRecords: ['proof.acm-validations.aws.'],
  });
  expect(await describe()).toMatchObject({ Certificate: { Status: 'ISSUED', InUseBy: [] } });
  expect(await list('PENDING_VALIDATION')).toEqual({ CertificateSummaryList: [] });
});
