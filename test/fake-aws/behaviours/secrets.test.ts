import { describe, expect, it } from 'vitest';
import type { Properties } from '../values.ts';
import { AWAY, DataWorld, HOME, THIRD, refusalOf } from './data-fixture.ts';
import { DELETED_SECRET, SECRET, findSecret, secretValue } from './secrets.ts';

function valueOf(how: Properties): string {
  return secretValue(new DataWorld().make(SECRET, { Name: 'mine', GenerateSecretString: how }));
}

describe('a secret', () => {
  it('is found by its name, its ARN, and its ARN without the characters that AWS adds', () => {
    const data = new DataWorld();
    const { id } = data.make(SECRET, { Name: 'a/b', SecretString: 'x' });
    expect(id).toMatch(/^arn:aws:secretsmanager:eu-central-1:111111111111:secret:a\/b-[0-9a-f]{6}$/u);
    for (const reference of ['a/b', id, id.slice(0, -7)]) {
      expect(findSecret(data.world, HOME, reference)?.id).toBe(id);
    }
  });

  it('is generated as it is asked for', () => {
    expect(valueOf({})).toHaveLength(32);
    expect(valueOf({ PasswordLength: 48, ExcludePunctuation: true })).toMatch(/^[0-9A-Za-z]{48}$/u);
    expect(
      valueOf({
        ExcludeLowercase: true,
        ExcludeUppercase: true,
        ExcludePunctuation: true,
        ExcludeCharacters: '12345678',
      }),
    ).toMatch(/^[09]{32}$/u);
    const template = { SecretStringTemplate: '{"username":"owner"}', GenerateStringKey: 'password' };
    expect(JSON.parse(valueOf(template))).toEqual({ username: 'owner', password: expect.any(String) });
  });

  it('has a character of each kind', () => {
    expect(valueOf({ PasswordLength: 4 })).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^\da-zA-Z]).{4}$/u);
  });

  it.each([
    ['a template without a key', { SecretStringTemplate: '{}' }, /^InvalidRequest/u],
    ['a template that is no object', { SecretStringTemplate: '[]', GenerateStringKey: 'x' }, /JSON object/u],
    [
      'nothing to choose from',
      { ExcludeLowercase: true, ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true },
      /^InvalidParameterException/u,
    ],
    ['too short for each kind', { PasswordLength: 3 }, /^InvalidParameterException/u],
  ])('is refused with %s', (_, how, refusal) => {
    expect(refusalOf(() => valueOf(how))).toMatch(refusal);
  });

  it('keeps its value until how it is generated changes', () => {
    const data = new DataWorld();
    const secret = data.make(SECRET, { Name: 'mine', GenerateSecretString: { PasswordLength: 20 } });
    const before = secretValue(secret);
    data.change(secret, { Description: 'x' });
    expect(secretValue(secret)).toBe(before);
    data.change(secret, { GenerateSecretString: { PasswordLength: 21 } });
    expect(secretValue(secret)).toHaveLength(21);
  });

  it('has a name that is free, and a key of its region', () => {
    const data = new DataWorld();
    const made = (others: Properties): string | undefined =>
      refusalOf(() => data.make(SECRET, { Name: 'mine', SecretString: 'x', ...others }));
    expect(made({ KmsKeyId: data.key(AWAY) })).toMatch(/^InvalidRequestException: Access to KMS/u);
    expect(made({ Name: 'a b' })).toMatch(/^ValidationException/u);
    expect(made({})).toBeUndefined();
    expect(made({})).toMatch(/^ResourceExistsException/u);
    data.add(DELETED_SECRET, 'gone', { place: HOME });
    expect(made({ Name: 'gone' })).toMatch(/already scheduled for deletion/u);
  });
});

describe('replicas of a secret', () => {
  const replicated = (data: DataWorld, ...regions: Properties[]): Properties => ({
    Name: 'mine',
    GenerateSecretString: {},
    KmsKeyId: data.key(),
    ReplicaRegions: regions,
  });

  it('have its value, name and characters, and go with it', () => {
    const data = new DataWorld();
    const secret = data.make(SECRET, replicated(data, { Region: 'eu-west-3', KmsKeyId: data.key(AWAY) }));
    const copy = findSecret(data.world, AWAY, 'mine');
    expect(copy && secretValue(copy)).toBe(secretValue(secret));
    expect(copy?.id).toBe(secret.id.replace('eu-central-1', 'eu-west-3'));
    data.remove(secret);
    expect(data.world.all(SECRET)).toEqual([]);
  });

  it('come and go with the list of regions', () => {
    const data = new DataWorld();
    const secret = data.make(SECRET, replicated(data, { Region: 'eu-west-3' }));
    data.change(secret, { ReplicaRegions: [{ Region: 'eu-west-1' }] });
    expect(findSecret(data.world, AWAY, 'mine')).toBeUndefined();
    expect(findSecret(data.world, THIRD, 'mine')).toBeDefined();
  });

  it.each([
    ['its own region', [{ Region: 'eu-central-1' }], /can't be a replica region/u],
    ['a region twice', [{ Region: 'eu-west-3' }, { Region: 'eu-west-3' }], /duplicates/u],
    ['a key that is not there', [{ Region: 'eu-west-3', KmsKeyId: 'no' }], /^InvalidRequestException/u],
    ['a name that is taken there', [{ Region: 'eu-west-1' }], /^ResourceExistsException/u],
  ])('are refused with %s', (_, regions, refusal) => {
    const data = new DataWorld();
    data.make(SECRET, { Name: 'mine', SecretString: 'x' }, THIRD);
    expect(refusalOf(() => data.make(SECRET, replicated(data, ...regions)))).toMatch(refusal);
    expect(findSecret(data.world, HOME, 'mine')).toBeUndefined();
  });
});
