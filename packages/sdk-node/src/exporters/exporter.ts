import type { Profile } from "@pyroscope-ts/protocol";
import type { SdkError } from "../errors.ts";
import type { Label } from "../labels/label.ts";
import type { ProfileTypeName } from "../options.ts";
import type { SourceMapThread, SourceMapThreadListener } from "../source-maps/source-maps.ts";
import type { EncodedProfile } from "./encode-profile.ts";
import type { UploadPace } from "./upload-pace.ts";

/** One pprof of one profile type. */
export interface UploadProfile extends EncodedProfile {
  /** First part of the profile type id: `process_cpu`, `wall`, `memory`. */
  readonly name: string;
  /** What of the process it is. */
  readonly type: ProfileTypeName;
  /** A UUID; the same at every attempt. */
  readonly id: string;
}

/** All profiles of one window, or some of them where all would be more than servers take at once. */
export interface ProfileUpload {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  /** Labels of every profile of the window. */
  readonly labels: readonly Label[];
  readonly profiles: readonly UploadProfile[];
}

/** How an export ended. A failure is part of normal life, so it is returned. */
export type ExportResult =
  | {
      readonly ok: true;
      /** What the server asks to have recorded, in its own words. */
      readonly order?: string | undefined;
    }
  | {
      readonly ok: false;
      readonly error: SdkError;
      /** When to send the same upload again: `never`, or as its attempts are counted or not. */
      readonly retry: RetryAdvice;
    };

/**
 * `never`: the server does not want it. `limited`: the server failed at it, perhaps because of what is in it,
 * so a few attempts are enough. `patient`: the server is away or overloaded, which says nothing about it.
 */
export interface RetryAdvice {
  readonly kind: "never" | "limited" | "patient";
  /** Milliseconds that the server asked to wait, or undefined. */
  readonly afterMs: number | undefined;
}

/** Sends uploads somewhere. Reports failure in its result; never throws, never rejects. */
export interface ProfileExporter {
  export(upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult>;
  /** Closes connections; an export that runs fails. */
  shutdown(): Promise<void>;
}

/** An exporter of a run. */
export interface NamedExporter extends ProfileExporter {
  /** What status() calls it. */
  readonly name: string;
  /** How fast it may be given uploads; as fast as it takes them without one. */
  readonly pace?: UploadPace | undefined;
  /** Takes an upload in the `exit` event, after which nothing asynchronous runs. May throw. */
  readonly exportAtExit?: ((upload: ProfileUpload) => void) | undefined;
}

/** Uploads for the exporter at an index of {@link Helper.exporters}, oldest first. */
export interface UploadBatch {
  readonly exporterIndex: number;
  readonly uploads: readonly ProfileUpload[];
}

/**
 * Sends `batches` before it returns: no later than after `timeoutMs`. What is being exported already is waited for too.
 *
 * @returns how many of all these uploads arrived.
 */
export type FinishUploads = (batches: readonly UploadBatch[], timeoutMs: number) => number;

/** A profile as it is sent. */
export interface Encoding {
  /** More than one where it is larger than servers take. */
  readonly parts: readonly EncodedProfile[];
  /** CPU time that it took. */
  readonly cpuMs: number;
}

/** The thread that encodes, compresses, sends and reads source maps, beside the one that is profiled. */
export interface Helper {
  encode(profile: Profile): Promise<Encoding>;
  /** Throws where no thread can be started; undefined where that is known beforehand. */
  readonly openSourceMaps: ((listener: SourceMapThreadListener) => SourceMapThread) | undefined;
  /** Why all of this is done in the thread that is profiled, where that is known; undefined in the normal case. */
  readonly problem: string | undefined;
  /** Those that run in the thread. */
  readonly exporters: readonly NamedExporter[];
  /** For the `exit` event; undefined where that is not possible. */
  readonly finish: FinishUploads | undefined;
  /** Ends the thread; an export that runs fails. */
  shutdown(): Promise<void>;
}

/** Bytes that an upload takes in a queue. */
export function uploadBytes(upload: ProfileUpload): number {
  return upload.profiles.reduce((sum, { pprof }) => sum + pprof.byteLength, 0);
}

/** Bytes of an upload before compression. */
export function rawUploadBytes(upload: ProfileUpload): number {
  return upload.profiles.reduce((sum, { rawBytes }) => sum + rawBytes, 0);
}
