import type { Behaviour } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Place, type Properties, textAt } from '../values.ts';
import { requiredText } from './property-values.ts';

export const PARAMETER = 'AWS::SSM::Parameter';

// "PutParameter" (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html).
const NAME_MAX = 1011;
const LEVELS_MAX = 15;
const STANDARD_BYTES_MAX = 4096;
const ADVANCED_BYTES_MAX = 8192;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html. */
const parameter: Behaviour = {
  type: PARAMETER,

  create(context, properties) {
    const { world, place } = context;
    const name = textAt(properties, 'Name') ?? physicalName(context, NAME_MAX);
    checkName(name);
    if (world.find(place, PARAMETER, name) !== undefined) {
      throw new Refusal(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      );
    }
    checkValue(properties);
    return { id: name, attributes: attributesOf(place, name, properties) };
  },

  update({ place }, { id }, properties) {
    checkValue(properties);
    return attributesOf(place, id, properties);
  },
};

export const SSM: readonly Behaviour[] = [parameter];

function attributesOf({ account, region }: Place, name: string, properties: Properties): Properties {
  return {
    Arn: `arn:aws:ssm:${region}:${account}:parameter${name.startsWith('/') ? '' : '/'}${name}`,
    Type: requiredText(properties, 'Type'),
    Value: requiredText(properties, 'Value'),
  };
}

function checkName(name: string): void {
  if (!/^[\w./-]+$/u.test(name) || name.length > NAME_MAX) {
    throw new Refusal(
      'ValidationException',
      'Parameter name must be a fully qualified name. It can contain only letters, numbers and the symbols .-_ and / as a separator.',
    );
  }
  if (/^\/?(aws|ssm)/iu.test(name)) {
    throw new Refusal(
      'ValidationException',
      'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).',
    );
  }
  if (name.split('/').filter((level) => level !== '').length > LEVELS_MAX) {
    throw new Refusal(
      'HierarchyLevelLimitExceededException',
      `Parameter hierarchy must not exceed ${LEVELS_MAX} levels.`,
    );
  }
}

function checkValue(properties: Properties): void {
  // "Parameters of type SecureString are not supported by CloudFormation."
  if (!['String', 'StringList'].includes(requiredText(properties, 'Type'))) {
    throw new Refusal('UnsupportedParameterType', 'The parameter type is not supported.');
  }
  const value = requiredText(properties, 'Value');
  const limit = textAt(properties, 'Tier') === 'Advanced' ? ADVANCED_BYTES_MAX : STANDARD_BYTES_MAX;
  if (value === '' || Buffer.byteLength(value) > limit) {
    throw new Refusal(
      'ValidationException',
      `Parameter value must have between 1 and ${limit} bytes in its tier.`,
    );
  }
  const pattern = textAt(properties, 'AllowedPattern');
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 'u').test(value)) {
    throw new Refusal(
      'ParameterPatternMismatchException',
      `Parameter value, cannot be validated against allowedPattern: ${pattern}`,
    );
  }
}
