import type { RegionStatus } from './zone-platform.ts';

/** What of a region can be killed alone. */
export const PARTS = ['service', 'database', 'valkey'] as const;
export type Part = (typeof PARTS)[number];

/** What `npx keyhearth local …` asks of the running platform: one POST on loopback, with a token that only its owner can read. */
export type ControlCommand = QuestionCommand | ChangeCommand;

/** Changes nothing. */
export interface QuestionCommand {
  readonly name: 'status' | 'databases';
  readonly zone?: string | undefined;
}

/** Changes something in one region. */
export type ChangeCommand = { readonly zone?: string | undefined } & (
  | {
      readonly name: 'kill';
      readonly region: string;
      readonly only?: Part | undefined;
      /** Only this one of the region's tasks, counted from 0. */
      readonly task?: number | undefined;
    }
  | {
      readonly name: 'start' | 'pause-replication' | 'resume-replication' | 'promote';
      readonly region: string;
    }
  | { readonly name: 'lag'; readonly region: string; readonly lagMs: number }
);

/** How to get at one region's database; for `doctor feed`. */
export interface DatabaseAccess {
  readonly zone: string;
  readonly region: string;
  readonly role: 'home' | 'replica';
  readonly url: string;
}

export function isQuestion(command: ControlCommand): command is QuestionCommand {
  return command.name === 'status' || command.name === 'databases';
}

/** Answered once the effect holds. */
export interface ControlResult {
  /** One sentence on what is so now. */
  readonly message: string;
  /** For `status`. */
  readonly regions?: readonly RegionStatus[];
  /** For `databases`. */
  readonly databases?: readonly DatabaseAccess[];
}

/** `.keyhearth/control.json`, mode 0600. */
export interface ControlFile {
  readonly port: number;
  readonly token: string;
}

/** Body of an answer that isn't a result. `isMistake`: the person can mend it, and the message says how. */
export interface ControlFailure {
  readonly error: string;
  readonly isMistake: boolean;
}
