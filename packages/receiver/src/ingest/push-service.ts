import type { LabelSet, SampleTypeConfig } from "@pyroscope-ts/protocol";
import type { DiscardCode, DiscardReason } from "./discard-reasons.ts";
import type { IngestLimits } from "./limits.ts";
import type { PayloadFormat } from "./payload-format.ts";

/** The write side of the storage worker. Batches and results survive `structuredClone`. */
export interface PushService {
  /**
   * Admits or refuses each profile of a batch by itself; resolves when what was admitted is durable and can be queried.
   *
   * @returns one result for each profile, in the order of the items; only an OTLP request or a speedscope file
   * holds another number of profiles than one. Never rejects for what a client sent, nor for a disk that
   * does not take writes: those are results.
   */
  push(batch: PushBatch): Promise<readonly PushItemResult[]>;
}

/** The profiles of one request. */
export interface PushBatch {
  readonly tenant: string;
  /** When the request arrived: the time of profiles that name none, and the centre of the ingestion window. */
  readonly receivedUnixMillis: number;
  readonly items: readonly PushItem[];
  readonly limits: IngestLimits;
  /** `User-Agent` of the request, for log lines. */
  readonly client?: string;
}

/** One payload and the series that it was sent for. */
export interface PushItem {
  /** As sent; neither sorted nor checked. */
  readonly labels: LabelSet;
  /** A pprof, gzip or plain, unless `format` says otherwise. */
  readonly payload: Uint8Array;
  /** Set for what is no plain pprof. */
  readonly format?: PayloadFormat;
  /** Names the content where the payload's own hash does not: what it stands for may come again in other bytes. */
  readonly payloadHash?: Uint8Array;
  /** The client's id of the profile; log lines and error texts repeat it. */
  readonly id: string;
  /** Set for profiles of `/ingest`, whose series name and time depend on the profile itself. */
  readonly ingest?: IngestHints;
}

/** What the query string and the form of `/ingest` say beside the profile. */
interface IngestHints {
  /** Parameter `from`: the time of a profile that has none, or one in 1970. */
  readonly fromUnixNanos: bigint;
  /** Part `sample_type_config`, by sample type; undefined when the client sent none. */
  readonly sampleTypeConfig: ReadonlyMap<string, SampleTypeConfig> | undefined;
}

/** What became of one profile. */
export type PushItemResult = PushItemAdmitted | PushItemRefused;

/** Sizes of one stored profile. */
interface PushMeasures {
  /** `__name__`. */
  readonly profileName: string;
  /** Decompressed, as pprof. */
  readonly bytes: number;
  readonly sampleCount: number;
}

/** The item is durable. */
interface PushItemAdmitted {
  readonly ok: true;
  /** Profiles stored: one for each series that the item's samples belong to; 0 when every sample is zero. */
  readonly profiles: number;
  /** The service that it was kept for. */
  readonly service?: string;
  /** Set when so many of its frames are addresses without a name that a flame graph of them says little. */
  readonly isUnsymbolized?: true;
  /** What it measured, for metrics; absent where nothing was stored. */
  readonly measures?: PushMeasures;
  /** Series of it that relabeling rules of the tenant dropped; absent: none. */
  readonly droppedSeriesCount?: number;
  /** Label names that were made classic ones; absent: none. */
  readonly renamedLabelCount?: number;
  /** Series of the item that were folded into one, since the tenant has as many as it may; absent: none. */
  readonly foldedSeriesCount?: number;
}

/** Nothing of the item was stored. */
export interface PushItemRefused {
  readonly ok: false;
  readonly reason: DiscardReason;
  readonly code: DiscardCode;
  /** For the client. */
  readonly message: string;
  /** The payload is not what it was sent as, so that nothing else about it was looked at. */
  readonly isUndecodable: boolean;
  /** Decompressed size if known, else the size as sent. */
  readonly bytes: number;
  /** When it is worth trying again, if that helps. */
  readonly retryAfterSeconds?: number;
}
