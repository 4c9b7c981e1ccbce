/** `.keyhearth/local.json`: what the running platform offers. */
export interface LocalFile {
  readonly zones: Readonly<Record<string, LocalZone>>;
}

export interface LocalZone {
  /** The zone's accelerator, without delay. */
  readonly url: string;
  readonly rootKey: string;
  readonly workspaceId: string;
  readonly apiId: string;
  readonly sampleKey: string;
  /** By client location: the accelerator as seen from there. */
  readonly clients: Readonly<Record<string, string>>;
  readonly regions: Readonly<Record<string, LocalRegion>>;
}

export interface LocalRegion {
  /** Direct port, past the accelerator. */
  readonly url: string;
  readonly role: 'home' | 'replica';
  /** Of its (first) task; null while it is down. */
  readonly pid: number | null;
  /** One by one, past the balancer where there are several. */
  readonly tasks: readonly { readonly url: string; readonly pid: number | null }[];
  readonly postgres: { readonly port: number; readonly pid: number | null };
  /** Its shared counters; null where this machine has no server for them. */
  readonly valkey: { readonly port: number; readonly pid: number | null } | null;
}
