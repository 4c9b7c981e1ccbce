import { callContext, createByCall, updateByCall } from '../behaviours/by-call.ts';
import { flagAt, requiredText } from '../behaviours/property-values.ts';
import { PARAMETER, SSM as SSM_BEHAVIOURS } from '../behaviours/ssm.ts';
import type { Answer, Call, Service } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt, textsAt } from '../values.ts';
import type { Resource } from '../world.ts';

const SECURE = 'SecureString';

/** AWS Systems Manager's Parameter Store. */
export const SSM: Service = {
  signingName: 'ssm',
  protocol: 'json',
  actions: {
    GetParameter(call) {
      const parameter = find(call, requiredText(call.input, 'Name'));
      // AWS's own answer has no sentence.
      if (parameter === undefined) throw new Refusal('ParameterNotFound', '');
      return { result: { Parameter: shapeOf(call, parameter) } };
    },
    GetParameters(call) {
      const named = textsAt(call.input, 'Names').map((name) => ({ name, parameter: find(call, name) }));
      return {
        result: {
          Parameters: named.flatMap(({ parameter }) =>
            parameter === undefined ? [] : [shapeOf(call, parameter)],
          ),
          InvalidParameters: named.filter(({ parameter }) => parameter === undefined).map(({ name }) => name),
        },
      };
    },
    GetParametersByPath(call) {
      const path = `${requiredText(call.input, 'Path').replace(/\/$/, '')}/`;
      const isDeep = flagAt(call.input, 'Recursive') === true;
      const below = call.world
        .all(PARAMETER, call)
        .filter(({ id }) => id.startsWith(path) && (isDeep || !id.slice(path.length).includes('/')));
      return { result: { Parameters: below.map((parameter) => shapeOf(call, parameter)) } };
    },
    PutParameter: putParameter,
    DeleteParameter(call) {
      const parameter = find(call, requiredText(call.input, 'Name'));
      if (parameter === undefined) throw new Refusal('ParameterNotFound', '');
      call.world.remove(parameter);
      return { result: {} };
    },
  },
};

/** By name or ARN: "GetParameter", AWS Systems Manager API Reference. */
function find({ world, account, region }: Call, reference: string): Resource | undefined {
  const parameters = world.all(PARAMETER, { account, region });
  return parameters.find(({ id, attributes }) => id === reference || attributes['Arn'] === reference);
}

/** A secure one's value is unreadable unless it is asked for decrypted. */
function shapeOf({ input }: Call, { id, properties, attributes, state }: Resource): Properties {
  const isClosed = state.get('secure') === true && flagAt(input, 'WithDecryption') !== true;
  const value = textAt(properties, 'Value') ?? '';
  return {
    Name: id,
    Type: state.get('secure') === true ? SECURE : (textAt(properties, 'Type') ?? 'String'),
    Value: isClosed ? Buffer.from(`encrypted:${value}`).toString('base64') : value,
    Version: state.get('version') ?? 1,
    LastModifiedDate: 0,
    ARN: attributes['Arn'] ?? null,
    DataType: textAt(properties, 'DataType') ?? 'text',
  };
}

function putParameter(call: Call): Answer {
  const { world, input } = call;
  const [behaviour] = SSM_BEHAVIOURS;
  if (behaviour === undefined) throw new Error('a parameter behaves in no way');
  const name = requiredText(input, 'Name');
  const context = callContext(world, call, name);
  const given = ['Type', 'Value', 'Description', 'Tier', 'AllowedPattern', 'DataType'];
  const properties: Record<string, Json> = {
    Name: name,
    ...Object.fromEntries(given.flatMap((key) => (input[key] === undefined ? [] : [[key, input[key]]]))),
  };
  // A template makes no secure ones, which is why a parameter knows of none: a call does.
  const isSecure = textAt(input, 'Type') === SECURE;
  if (isSecure) properties['Type'] = 'String';
  const existing = find(call, name);
  if (existing === undefined || flagAt(input, 'Overwrite') !== true) {
    createByCall(context, behaviour, properties).state.set('secure', isSecure);
    return { result: { Version: 1, Tier: textAt(properties, 'Tier') ?? 'Standard' } };
  }
  updateByCall(context, behaviour, existing, properties);
  const version = Number(existing.state.get('version') ?? 1) + 1;
  existing.state.set('version', version);
  if (isSecure) existing.state.set('secure', true);
  return { result: { Version: version, Tier: textAt(existing.properties, 'Tier') ?? 'Standard' } };
}
