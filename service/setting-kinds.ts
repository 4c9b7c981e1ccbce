import { parseDatabaseUrl } from './store/database-url.ts';
import { parseValkeyUrl } from './valkey/setting.ts';
import { parseVaultSetting, type VaultSetting } from './vault/setting.ts';

/** A zone’s, or a region’s: URLs are made from it. */
export const NAME = {
  matches: /^[a-z][a-z0-9-]{0,31}$/,
  allowed: 'lower-case letters, digits and dashes, at most 32',
};

/** A setting: its variable, how it is read, what it is where it isn't given, and what it means. */
export interface Setting<T> {
  readonly variable: string;
  /** Returns the value, or throws an Error that says what is allowed. */
  readonly parse: (text: string) => T;
  /** Undefined: must be given. */
  readonly fallback: T | undefined;
  readonly unit: string;
  readonly description: string;
  /** Its value is never shown. */
  readonly secret: boolean;
}

export interface SettingText<T> {
  readonly variable: string;
  readonly description: string;
  readonly fallback?: T;
  readonly secret?: boolean;
}

export function setting<T>(text: SettingText<T>, unit: string, parse: (text: string) => T): Setting<T> {
  const { variable, description, secret = false } = text;
  return { variable, description, secret, unit, parse, fallback: text.fallback };
}

export function number(
  text: SettingText<number> & { min: number; max: number; unit: string },
): Setting<number> {
  const { min, max } = text;
  return setting(text, text.unit, (value) => {
    const parsed = Number(value);
    if (value.trim() === '' || !Number.isInteger(parsed) || parsed < min || parsed > max) {
      throw new Error(`must be a whole number from ${min} to ${max}`);
    }
    return parsed;
  });
}

/** Like `number`; 0 means off, whatever the least value is. */
export function numberOr0(
  text: SettingText<number> & { min: number; max: number; unit: string },
): Setting<number> {
  const bounded = number(text);
  return setting(text, text.unit, (value) => {
    if (value === '0') return 0;
    try {
      return bounded.parse(value);
    } catch {
      throw new Error(`must be 0, or a whole number from ${text.min} to ${text.max}`);
    }
  });
}

export function choice<const T extends string>(text: SettingText<T> & { of: readonly T[] }): Setting<T> {
  return setting(text, text.of.join(' | '), (value) => {
    const found = text.of.find((one) => one === value);
    if (found === undefined) throw new Error(`must be one of ${text.of.join(', ')}`);
    return found;
  });
}

export function pattern(text: SettingText<string> & { matches: RegExp; allowed: string }): Setting<string> {
  return setting(text, 'text', (value) => {
    if (!text.matches.test(value)) throw new Error(`must be ${text.allowed}`);
    return value;
  });
}

/** `name=value,name=value`. */
export function pairs(text: SettingText<ReadonlyMap<string, string>>): Setting<ReadonlyMap<string, string>> {
  return setting(text, 'name=value,…', parsePairs);
}

/** Throws an Error that says what is allowed. */
function parsePairs(value: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of value.split(',').filter((one) => one !== '')) {
    const at = part.indexOf('=');
    if (at < 1 || at === part.length - 1) throw new Error('must be name=value pairs, separated by commas');
    found.set(part.slice(0, at), part.slice(at + 1));
  }
  return found;
}

/** `{region}` is part of the host; nothing follows host and port. */
export function parseUrlTemplate(text: string): string {
  const matches = /^https?:\/\/[a-z0-9.-]*\{region\}[a-z0-9.-]*(:\d+)?\/?$/.test(text);
  if (!matches || !URL.canParse(text.replaceAll('{region}', 'us-east-1'))) {
    throw new Error('must be like https://{region}.zone.example:8444, with {region} in the host and no path');
  }
  return text;
}

/** Names of regions, each with a URL that nothing follows but a port; a wrong one would mean a region that is never asked. */
export function parsePeers(text: string): ReadonlyMap<string, string> {
  const peers = parsePairs(text);
  for (const [region, url] of peers) {
    if (!NAME.matches.test(region)) throw new Error(`must name regions in ${NAME.allowed}`);
    if (!/^https?:\/\/[^/?#@\s]+\/?$/.test(url) || !URL.canParse(url)) {
      throw new Error(`must give region ${region} a URL like https://eu.zone.example:8444, without a path`);
    }
  }
  return peers;
}

export function list(
  text: SettingText<readonly string[]> & { matches?: RegExp; allowed?: string },
): Setting<readonly string[]> {
  return setting(text, 'list, separated by commas', (value) => {
    const parts = value.split(',').filter((one) => one !== '');
    const { matches, allowed } = text;
    if (matches !== undefined && (parts.length === 0 || !parts.every((part) => matches.test(part)))) {
      throw new Error(`must be a comma-separated list of ${allowed ?? 'values'}`);
    }
    return parts;
  });
}

/** `postgres://…,postgres://…`, at least one. */
export function databaseUrls(text: SettingText<readonly string[]>): Setting<readonly string[]> {
  return setting(text, 'postgres:// URLs, separated by commas', (value) => {
    const urls = value.split(',').filter((one) => one !== '');
    if (urls.length === 0) throw new Error('must be a comma-separated list of postgres:// URLs');
    return urls.map(checkedUrl);
  });
}

/** `postgres://…`; the text itself, once it is known to be one. */
export function databaseUrl(text: SettingText<string>): Setting<string> {
  return setting(text, 'postgres:// URL', checkedUrl);
}

function checkedUrl(value: string): string {
  parseDatabaseUrl(value);
  return value;
}

/** `file:<path>` or `kms:<ARN>`; none where it isn't given. */
export function vault(text: SettingText<VaultSetting>): Setting<VaultSetting> {
  return setting<VaultSetting>({ fallback: { kind: 'none' }, ...text }, 'file:… or kms:…', parseVaultSetting);
}

/** `redis://…` or `rediss://…`; the text itself, once it is known to be one; empty where it isn’t given. */
export function valkeyUrl(text: SettingText<string>): Setting<string> {
  return setting({ fallback: '', ...text }, 'redis:// or rediss:// URL', (value) => {
    parseValkeyUrl(value);
    return value;
  });
}
