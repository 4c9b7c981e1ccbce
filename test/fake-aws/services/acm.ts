import type { Call, Service } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import {
  CERTIFICATE,
  CERTIFICATE_BEHAVIOUR,
  certificateState,
  certificateStatus,
  checkNames,
  namesOf,
  newArn,
  usersOf,
  validationRecord,
} from '../behaviours/acm.ts';
import { callContext, removeByCall } from '../behaviours/by-call.ts';
import { requiredText } from '../behaviours/property-values.ts';

/** AWS Certificate Manager's API, version 2015-12-08. A certificate that was asked for is issued once a public zone has its records. */
export const ACM_SERVICE: Service = {
  signingName: 'acm',
  protocol: 'json',
  actions: {
    RequestCertificate: ({ world, account, region, input }) => {
      checkNames(input);
      const arn = newArn(world, { account, region });
      world.add({
        account,
        region,
        type: CERTIFICATE,
        id: arn,
        stack: null,
        properties: input,
        attributes: { CertificateArn: arn },
        state: certificateState(),
      });
      return { result: { CertificateArn: arn } };
    },
    DescribeCertificate: (call) => {
      const one = find(call);
      return { result: { Certificate: detail(call.world, one) } };
    },
    ListCertificates: (call) => {
      const wanted = textsAt(call.input, 'CertificateStatuses');
      const found = call.world
        .all(CERTIFICATE, call)
        .filter((one) => wanted.length === 0 || wanted.includes(certificateStatus(call.world, one)));
      return { result: { CertificateSummaryList: found.map((one) => summary(call.world, one)) } };
    },
    DeleteCertificate: (call) => {
      const one = find(call);
      removeByCall(callContext(call.world, one, one.id), CERTIFICATE_BEHAVIOUR, one);
      return { result: {} };
    },
  },
};

function find(call: Call): Resource {
  const arn = requiredText(call.input, 'CertificateArn');
  const found = call.world.find(call, CERTIFICATE, arn);
  if (found !== undefined) return found;
  throw new Refusal(
    'ResourceNotFoundException',
    `Could not find certificate ${arn} in account ${call.account}.`,
  );
}

function summary(world: World, one: Resource): Properties {
  const { id, properties, account, region } = one;
  return {
    CertificateArn: id,
    DomainName: requiredText(properties, 'DomainName'),
    SubjectAlternativeNameSummaries: namesOf(properties),
    Status: certificateStatus(world, one),
    Type: 'AMAZON_ISSUED',
    KeyAlgorithm: 'RSA-2048',
    InUse: usersOf(world, { account, region }, id).length > 0,
    CreatedAt: createdAt(one),
  };
}

function detail(world: World, one: Resource): Properties {
  const { id, properties, account, region } = one;
  const status = certificateStatus(world, one);
  return {
    CertificateArn: id,
    DomainName: requiredText(properties, 'DomainName'),
    SubjectAlternativeNames: namesOf(properties),
    DomainValidationOptions: namesOf(properties).map((name) => {
      const record = validationRecord(account, name);
      return {
        DomainName: name,
        ValidationDomain: name,
        ValidationMethod: textAt(properties, 'ValidationMethod') ?? 'EMAIL',
        ValidationStatus: status === 'ISSUED' ? 'SUCCESS' : 'PENDING_VALIDATION',
        ResourceRecord: { Name: record.name, Type: 'CNAME', Value: record.value },
      };
    }),
    Status: status,
    Type: 'AMAZON_ISSUED',
    KeyAlgorithm: 'RSA-2048',
    InUseBy: usersOf(world, { account, region }, id),
    CreatedAt: createdAt(one),
  };
}

/** Seconds since 1970. */
function createdAt({ state }: Resource): number | null {
  const text = state.get('createdAt');
  return typeof text === 'string' ? Date.parse(text) / 1000 : null;
}
