import { expect, test } from 'vitest';
import { stackNames } from '../../infra/names.ts';
import { laterText, refuseBesides } from './besides.ts';

const ORIGIN = 'eu-central-1';
const ZONE = { environment: 'production', name: 'eu', origin: ORIGIN } as const;
const data = stackNames.data(ZONE, ORIGIN);
const service = stackNames.service(ZONE, ORIGIN);
const two = { ...ZONE, regions: [ORIGIN, 'eu-north-1'] };
const one = { ...ZONE, regions: [ORIGIN] };

test('an edit besides the region is refused, with the command that deploys it first', () => {
  expect(() => refuseBesides(two, [service])).toThrow(`npx cdk deploy --exclusively ${service}`);
  expect(refuseBesides(two, [])).toBeUndefined();
});

test('with one region left the rest may change, and the command says what to deploy afterwards', () => {
  expect(refuseBesides(one, [data, service])).toBeUndefined();
  expect(laterText(one, [data, service])).toContain(
    `npx cdk deploy --exclusively ${data} ${service} --parameters ${data}:GlobalMembership=none\n`,
  );
  expect(laterText(one, [service])).not.toContain('--parameters');
  expect(laterText(one, [])).toBe('');
});
