/** A request that was accepted, as another Pyroscope takes it. */
export interface ForwardedPush {
  readonly tenant: string;
  /** Path and query, such as `/ingest?name=shop`. */
  readonly path: string;
  readonly contentType: string;
  /** Decompressed; nobody else holds or changes it. */
  readonly body: Uint8Array;
}

/** Header of a request that a receiver forwarded: it is not forwarded again, so that two receivers never play ball. */
export const FORWARDED_HEADER = "x-pyroscope-forwarded";
