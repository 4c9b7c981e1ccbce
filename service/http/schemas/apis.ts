import { Type } from 'typebox';
import { isIpRule } from '../../domain/ip-rules.ts';
import { body, Id, page, refused } from './fields.ts';

/** Bodies of the calls of `apis`. */

const ApiName = Type.String({ minLength: 3, maxLength: 256 });
/** The longest form of an address with the length of its block has 49 characters. */
const IpRule = Type.String({ minLength: 1, maxLength: 64 });
/** One that nobody can have is nobody's: the list is empty. */
const AnyExternalId = Type.String({ minLength: 1, maxLength: 255 });

export const CreateApiBody = body({ name: ApiName });
export const GetApiBody = body({ apiId: Id });
export const DeleteApiBody = body({ apiId: Id });
export const UpdateApiBody = body({
  apiId: Id,
  name: Type.Optional(ApiName),
  ipAllowlist: Type.Optional(Type.Array(IpRule, { maxItems: 100 })),
  recoverableKeys: Type.Optional(Type.Boolean()),
});
export const ListKeysBody = body({
  apiId: Id,
  ...page,
  externalId: Type.Optional(AnyExternalId),
  decrypt: Type.Optional(Type.Boolean()),
  /** Has no effect: a list is always read from the home's database, which is never behind. */
  revalidateKeysCache: Type.Optional(Type.Boolean()),
});

/** What the schema can't say of an allow list: verification couldn't decide by a rule that is none. */
export function checkIpAllowlist({ ipAllowlist = [] }: { readonly ipAllowlist?: readonly string[] }): void {
  for (const [index, rule] of ipAllowlist.entries()) {
    if (isIpRule(rule)) continue;
    throw refused(
      `body.ipAllowlist[${index}]`,
      'must be an IP address or a CIDR block',
      'Use a form such as "192.0.2.1", "192.0.2.0/24" or "2001:db8::/32".',
    );
  }
}
