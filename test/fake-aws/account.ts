import { isProperties, textAt, type Json } from './values.ts';

/** Keys that a program signs its calls with. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of a role that was assumed. */
  readonly sessionToken?: string;
}

/** Who a call is from. */
export interface Caller {
  /** 12 digits. */
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
}

interface Session {
  readonly account: string;
  readonly role: string;
  readonly name: string;
}

/** Ids of long-lived keys begin with AKIA and those of STS with ASIA, as AWS's do; ours go on with a mark and the account. */
const KEY_ID = /^(?:AKIA|ASIA)TEST(\d{12})$/;
/** Nothing verifies it. It says what it is, should it ever be seen anywhere. */
const SECRET = 'local-aws-not-a-secret';

/** Keys of an administrator of the account. Every account exists. */
export function accountKeys(account: string): Keys {
  if (!/^\d{12}$/.test(account)) throw new Error(`an account has 12 digits, and ${account} isn't one`);
  return { accessKeyId: `AKIATEST${account}`, secretAccessKey: SECRET };
}

/** Keys of a role's session; the token says which. */
export function sessionKeys(session: Session): Keys & { readonly sessionToken: string } {
  return {
    accessKeyId: `ASIATEST${session.account}`,
    secretAccessKey: SECRET,
    sessionToken: Buffer.from(JSON.stringify(session)).toString('base64'),
  };
}

/** Whose keys they are, or undefined where nobody got them here. */
export function callerOf(accessKeyId: string, sessionToken: string | undefined): Caller | undefined {
  const account = KEY_ID.exec(accessKeyId)?.[1];
  if (account === undefined) return undefined;
  if (accessKeyId.startsWith('AKIA'))
    return { account, arn: `arn:aws:iam::${account}:user/administrator`, userId: `AIDATEST${account}` };
  const session = readToken(sessionToken);
  if (session?.account !== account) return undefined;
  return {
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${session.role}/${session.name}`,
    userId: `AROATEST${account}:${session.name}`,
  };
}

function readToken(token: string | undefined): Session | undefined {
  let parsed: Json;
  try {
    parsed = JSON.parse(Buffer.from(token ?? '', 'base64').toString());
  } catch {
    return undefined;
  }
  if (!isProperties(parsed)) return undefined;
  const [account, role, name] = ['account', 'role', 'name'].map((part) => textAt(parsed, part));
  if (account === undefined || role === undefined || name === undefined) return undefined;
  return { account, role, name };
}
