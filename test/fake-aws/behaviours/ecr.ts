import type { Behaviour } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import { checkPolicy } from './iam-policy-document.ts';
import { flagAt } from './property-values.ts';

export const REPOSITORY = 'AWS::ECR::Repository';

// "CreateRepository" (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html).
const NAME_MAX = 256;
const NAME = /^(?:[a-z0-9]+(?:[._-]+[a-z0-9]+)*\/)*[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/u;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-repository.html. */
const repository: Behaviour = {
  type: REPOSITORY,

  create(context, properties) {
    const { world, place } = context;
    const name = textAt(properties, 'RepositoryName') ?? physicalName(context, NAME_MAX, { lowerCase: true });
    if (!NAME.test(name) || name.length < 2 || name.length > NAME_MAX) {
      throw new Refusal(
        'InvalidParameterException',
        `Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '${NAME.source}''`,
      );
    }
    if (world.find(place, REPOSITORY, name) !== undefined) {
      throw new Refusal(
        'RepositoryAlreadyExistsException',
        `The repository with name '${name}' already exists in the registry with id '${place.account}'`,
      );
    }
    checkPolicies(properties);
    return {
      id: name,
      attributes: {
        Arn: `arn:aws:ecr:${place.region}:${place.account}:repository/${name}`,
        RepositoryUri: `${place.account}.dkr.ecr.${place.region}.amazonaws.com/${name}`,
      },
    };
  },

  update(_, __, properties) {
    checkPolicies(properties);
    return undefined;
  },

  // "EmptyOnDelete: If true, deleting the repository force deletes the contents of the repository."
  remove({ world, place }, { id, properties }) {
    if (world.images.holds(place, id) && flagAt(properties, 'EmptyOnDelete') !== true) {
      throw new Refusal(
        'RepositoryNotEmptyException',
        `The repository with name '${id}' in registry with id '${place.account}' cannot be deleted because it still contains images`,
      );
    }
    world.images.forget(place, id);
  },
};

export const ECR: readonly Behaviour[] = [repository];

function checkPolicies(properties: Properties): void {
  if (properties['RepositoryPolicyText'] !== undefined) {
    checkPolicy(properties['RepositoryPolicyText'], 'resource', 'InvalidParameterException');
  }
  const lifecycle = textAt(properties, 'LifecyclePolicy.LifecyclePolicyText');
  if (lifecycle === undefined) return;
  try {
    JSON.parse(lifecycle);
  } catch {
    throw new Refusal(
      'InvalidParameterException',
      "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: not valid JSON'",
    );
  }
}
