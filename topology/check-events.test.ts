import { expect, test } from 'vitest';

import { EVERY_CHOICE, problemsWith } from './test-zones.ts';

function problemsOfRepository(repository: string): readonly string[] {
  return problemsWith({ image: { ...EVERY_CHOICE.image, repository } });
}

test.each([
  ['123456789012.dkr.ecr.eu-central-1.amazonaws.com/keyhearth', 'keyhearth'],
  ['123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/keyhearth:v1', 'team/keyhearth'],
  [`ghcr.io/team/keyhearth@sha256:${'0a'.repeat(32)}`, 'team/keyhearth'],
  ['localhost:5000/keyhearth', 'keyhearth'],
])('a repository with its registry is refused with what to write: %s', (repository, name) => {
  const [problem, ...rest] = problemsOfRepository(repository);
  expect(rest).toEqual([]);
  expect(problem).toMatch(/^image\.repository: /);
  expect(problem).toContain(
    `must be the name of an ECR repository without its registry, which is each region's own: write "${name}"`,
  );
});

test.each([
  ['mirror/eu-west-1/keyhearth', 'eu-west-1'],
  ['euw1-az2/keyhearth', 'euw1-az2'],
  ['222222222222/keyhearth', '222222222222'],
])('a repository with a place in its name is refused: %s', (repository, place) => {
  expect(problemsOfRepository(repository)).toEqual([
    expect.stringContaining(`image.repository: "${repository}" holds ${place}, which reads like a region`),
  ]);
});

test.each(['keyhearth', 'west/keyhearth-1', 'key.hearth', 'team/key.hearth', 'team/keyhearth/v1.2'])(
  'a repository without its registry is accepted: %s',
  (repository) => {
    expect(problemsOfRepository(repository)).toEqual([]);
  },
);
