import { createTransport, type Transport } from './transport.ts';

/** Where the tasks of other regions are. */
export interface PeerPlaces {
  /** `http://host:port` or `https://host:port` of regions that are known by name. */
  readonly urls: ReadonlyMap<string, string>;
  /** For any other region: such a URL with `{region}` in it; empty: there is none. @default '' */
  readonly urlTemplate?: string;
  /** TLS name of all peers with an https URL. @default the URL's host */
  readonly serverName?: string;
  /** PEM of the only authority that their certificates may come from. @default those that Node knows */
  readonly ca?: string;
  /** A connection that isn't there after so long is given up. @default 500, and 1500 for https, which takes one more round trip */
  readonly connectTimeoutMs?: number;
}

/** One transport per region, made when it is first needed. */
export interface Transports {
  /** Undefined where nothing says how such a region is reached, or too many are reached already. */
  of(region: string): Transport | undefined;
  /** Ends those to other regions than these, once their calls have ended. */
  retain(regions: readonly string[]): void;
  close(): Promise<void>;
}

/**
 * Names of regions come from the zone's data and go into URLs, so they are nothing that could lead to another host; the same as
 * KEYHEARTH_REGION allows.
 */
const REGION = /^[a-z][a-z0-9-]{0,31}$/;
/** More regions than any zone has: a limit for what wrong data can cause. */
const MAX_TRANSPORTS = 32;

export function createTransports(places: PeerPlaces): Transports {
  const { urls, urlTemplate = '', serverName, ca } = places;
  const open = new Map<string, Transport>();

  function urlOf(region: string): string | undefined {
    const named = urls.get(region);
    if (named !== undefined) return named;
    return urlTemplate === '' || !REGION.test(region)
      ? undefined
      : urlTemplate.replaceAll('{region}', region);
  }

  function connect(url: string): Transport {
    const connectTimeoutMs = places.connectTimeoutMs ?? (url.startsWith('https:') ? 1500 : 500);
    return createTransport(url, {
      connectTimeoutMs,
      ...(serverName === undefined ? {} : { serverName }),
      ...(ca === undefined ? {} : { ca }),
    });
  }

  return {
    of(region) {
      const known = open.get(region);
      if (known !== undefined) return known;
      const url = urlOf(region);
      if (url === undefined || open.size >= MAX_TRANSPORTS) return undefined;
      const transport = connect(url);
      open.set(region, transport);
      return transport;
    },
    retain(regions) {
      const kept = new Set(regions);
      for (const [region, transport] of open) {
        if (kept.has(region)) continue;
        open.delete(region);
        // It waits for calls that have limits of their own, and can only fail where it is closed already.
        transport.retire().catch(() => {});
      }
    },
    async close() {
      const all = [...open.values()];
      open.clear();
      await Promise.all(all.map(async (transport) => await transport.close()));
    },
  };
}
