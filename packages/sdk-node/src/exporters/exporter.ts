import type { SdkError } from "../errors.ts";
import type { Label } from "../labels/label.ts";

/** One pprof of one profile type. */
export interface UploadProfile {
  /** First part of the profile type id: `process_cpu`, `wall`, `memory`. */
  readonly name: string;
  /** A UUID; the same at every attempt. */
  readonly id: string;
  /** pprof, compressed with gzip. */
  readonly pprof: Uint8Array;
}

/** All profiles of one window. */
export interface ProfileUpload {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  /** Labels of every profile of the window. */
  readonly labels: readonly Label[];
  readonly profiles: readonly UploadProfile[];
}

/** How an export ended. A failure is part of normal life, so it is returned. */
export type ExportResult =
  | { readonly ok: true }
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

/**
 * Sends `uploads`, oldest first in the list, before it returns: no later than after `timeoutMs`. What is being
 * exported already is waited for too.
 *
 * @returns how many of all these arrived.
 */
export type FinishUploads = (uploads: readonly ProfileUpload[], timeoutMs: number) => number;

/** Sends uploads somewhere. Reports failure in its result; never throws, never rejects. */
export interface ProfileExporter {
  export(upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult>;
  /** For the `exit` event, after which nothing asynchronous runs; undefined where that is not possible. */
  readonly finish?: FinishUploads | undefined;
  /** Closes connections; an export that runs fails. */
  shutdown(): Promise<void>;
}

/** An exporter with a thread of its own, which compresses too. */
export interface CompressingExporter extends ProfileExporter {
  /** Starts the thread, so that the first upload finds it ready. Never throws. */
  start(): void;
  /** `bytes` in gzip. */
  compress(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Bytes that an upload takes in a queue. */
export function uploadBytes(upload: ProfileUpload): number {
  return upload.profiles.reduce((sum, { pprof }) => sum + pprof.byteLength, 0);
}
