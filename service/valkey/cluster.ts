import { createCluster } from '@redis/client';
import { CounterUnreachable } from '../verify/ports.ts';
import type { ValkeyAccess } from './access.ts';
import { inTime } from './in-time.ts';
import { slotOf } from './key-slot.ts';

/** One connection: TCP and TLS. */
const CONNECT_TIMEOUT_MS = 2000;
/** Finding out who has which slots, over as many connections as that takes. */
const DISCOVERY_TIMEOUT_MS = 5000;
/** A connection on which nothing happens at all, neither question nor answer. Checks keep those that are needed from it. */
const SILENCE_TIMEOUT_MS = 15_000;
const CHECK_TIMEOUT_MS = 2000;
/** Commands under way to one node, at most. */
const COMMANDS_MAX = 20_000;

/** Where a node listens. */
export interface ValkeyNode {
  readonly host: string;
  readonly port: number;
}

function createClient({ host, port, tls, credentials }: ValkeyAccess, roots: readonly ValkeyNode[]) {
  return createCluster({
    rootNodes: (roots.length === 0 ? [{ host, port }] : roots).map((node) => ({ socket: { ...node } })),
    // The older protocol needs no command before AUTH, and counts come as numbers in both.
    RESP: 2,
    // Connections to the nodes are made by `connect`, which bounds each: one node that is gone doesn't keep the others away.
    minimizeConnections: true,
    // Timed by who asks: a timer for each command would be thousands of them.
    commandOptions: { timeout: 0 },
    defaults: {
      socket: {
        ...(tls === null ? {} : { tls: true, secureContext: tls.secureContext }),
        connectTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SILENCE_TIMEOUT_MS,
        // What is lost stays lost: a new `ValkeyCluster` takes its place.
        reconnectStrategy: false,
      },
      credentialsProvider: { type: 'async-credentials-provider', credentials },
      disableOfflineQueue: true,
      commandsQueueMaxLength: COMMANDS_MAX,
      disableClientInfo: true,
      maintNotifications: 'disabled',
    },
  });
}

/**
 * Connections to the primaries of a cluster, made once: what is lost is not made again, except where a slot moved to a node that wasn't
 * known. Never waits for a connection with a command: what can't be sent now fails now.
 */
export class ValkeyCluster {
  readonly #client: ReturnType<typeof createClient>;
  /** Addresses of nodes that didn't answer the last check. */
  #silent: ReadonlySet<string> = new Set();
  #lastError: Error | null = null;

  /**
   * @param onLost called when a connection broke, maybe often.
   * @param roots nodes of which one is asked for the others; none: the one that `access` names.
   */
  constructor(access: ValkeyAccess, onLost: () => void, roots: readonly ValkeyNode[] = []) {
    this.#client = createClient(access, roots);
    const keep = (error: unknown): void => {
      this.#lastError = error instanceof Error ? error : new Error(String(error));
    };
    this.#client.on('error', keep);
    this.#client.on('node-error', (error) => {
      keep(error);
      onLost();
    });
  }

  /** Finds the nodes and connects to as many as answer; bounded. Fails where none does, with the reason. */
  async connect(): Promise<void> {
    try {
      await inTime(DISCOVERY_TIMEOUT_MS, this.#client.connect());
    } catch (error) {
      // The client's own error only says that nobody could be asked.
      throw this.#lastError ?? error;
    }
    await this.check();
    if (this.nodesUp === 0) throw this.#lastError ?? new Error('no node of the cluster answers');
  }

  /** Primaries that have slots. */
  get nodes(): number {
    return this.#client.masters.length;
  }

  /** Those of them that answer. */
  get nodesUp(): number {
    return this.#client.masters.filter((node) => this.#isUp(node)).length;
  }

  /** Where those are that answer. */
  get living(): readonly ValkeyNode[] {
    return this.#client.masters.filter((node) => this.#isUp(node)).map(({ host, port }) => ({ host, port }));
  }

  /** The address of the node that has the key with that tag; empty: none has. */
  nodeOf(tag: string): string {
    return this.#client.slots[slotOf(tag)]?.master.address ?? '';
  }

  /** Why the last connection failed or was lost; null where none did. */
  get lastError(): Error | null {
    return this.#lastError;
  }

  /** Asks each node for a sign of life; bounded, never fails. */
  async check(): Promise<void> {
    const silent = new Set<string>();
    await Promise.all(
      this.#client.masters.map(async (node) => {
        try {
          const answer = async (): Promise<string> => await (await this.#client.nodeClient(node)).ping();
          await inTime(CHECK_TIMEOUT_MS, answer());
        } catch (error) {
          this.#lastError = error instanceof Error ? error : new Error(String(error));
          silent.add(node.address);
        }
      }),
    );
    this.#silent = silent;
  }

  /**
   * Sends a command to the node that has the key with that tag. Fails at once, with `CounterUnreachable`, where that node isn't connected or
   * didn't answer the last check. Follows a slot that moved. Not bounded in time: a node that stops answering is noticed by `check`.
   */
  send(tag: string, key: string, args: readonly string[]): Promise<unknown> {
    const node = this.#client.slots[slotOf(tag)]?.master;
    if (node === undefined || !this.#isUp(node)) {
      return Promise.reject(new CounterUnreachable('the node of this counter is not connected'));
    }
    return this.#client.sendCommand(key, false, [...args]);
  }

  /** Ends all connections; whoever waits for an answer gets an Error. */
  destroy(): void {
    this.#client.destroy();
  }

  #isUp(node: {
    readonly address: string;
    readonly client?: { readonly isReady: boolean } | undefined;
  }): boolean {
    return node.client?.isReady === true && !this.#silent.has(node.address);
  }
}
