import type { MessagePort } from "node:worker_threads";
import type { Profile } from "@pyroscope-ts/protocol";
import type { Encoding, ExportResult, ProfileUpload, RetryAdvice, UploadBatch } from "./exporter.ts";
import type { ExporterTarget } from "./exporter-target.ts";

/** Work begins that the thread does at `port`, until that is closed: the uploads of a run, or the reading of source maps. */
export type HelperOpening =
  | { readonly kind: "uploads"; readonly targets: readonly ExporterTarget[]; readonly port: MessagePort }
  | { readonly kind: "source-maps"; readonly port: MessagePort };

/** What the main thread asks of the helper thread. */
export type HelperRequest =
  | { readonly kind: "encode"; readonly id: number; readonly profile: Profile }
  | {
      readonly kind: "export";
      readonly id: number;
      readonly exporterIndex: number;
      readonly upload: ProfileUpload;
    }
  | { readonly kind: "abort"; readonly id: number; readonly reason: string }
  /** The process ends: send all of it, count in `outcome`, and wake whoever waits there. */
  | { readonly kind: "finish"; readonly batches: readonly UploadBatch[]; readonly outcome: Int32Array };

/** What the helper thread answers; `finish` is answered in shared memory, because nobody reads messages any more. */
export type HelperAnswer =
  | { readonly kind: "encoded"; readonly id: number; readonly encoding: Encoding }
  | { readonly kind: "exported"; readonly id: number; readonly result: SentResult };

/** An {@link ExportResult} without objects that lose their class between threads. */
export type SentResult =
  | { readonly ok: true; readonly order?: string | undefined }
  | {
      readonly ok: false;
      readonly message: string;
      readonly isRejected: boolean;
      readonly retry: RetryAdvice;
    };

/** Element of `outcome` that is 0 until all is done, then 1. */
export const OUTCOME_DONE = 0;

/** Element of `outcome` that counts the uploads that arrived. */
export const OUTCOME_SENT_COUNT = 1;

export const OUTCOME_LENGTH = 2;

/** As it goes from the helper thread to the main thread. */
export function toSentResult(result: ExportResult): SentResult {
  if (result.ok) return result;
  const { error, retry } = result;
  return { ok: false, message: error.message, isRejected: error.code === "EXPORT_REJECTED", retry };
}
