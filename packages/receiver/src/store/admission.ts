import type { LabelSet, Profile } from "@pyroscope-ts/protocol";

/**
 * What makes a profile the same profile again: 64 bits of a hash of tenant and final labels (`hi`), and 64 of one of time
 * and payload (`lo`), both unsigned. Formats whose time is a whole second get a random one: there every request counts.
 */
export interface ProfileIdentity {
  readonly hi: bigint;
  readonly lo: bigint;
}

/** The part of one pprof that belongs to one series. Everything about it is decided. */
export interface AdmittedProfile {
  /** Final labels in order, with `__name__` and `service_name`. */
  readonly labels: LabelSet;
  readonly timeUnixNanos: bigint;
  readonly identity: ProfileIdentity;
  /** Shared by the parts of one pprof; not changed. */
  readonly profile: Profile;
  /** Hashes of its strings that decoding made, of the seed `TEXT_SEED`, two lanes each; undefined: the store makes them. */
  readonly stringHashes?: Int32Array | undefined;
  /** Rows of `profile.samples` that belong here; undefined: all. */
  readonly sampleRows: Uint32Array | undefined;
  /** One for each of these samples, 0 for none; undefined: none at all. */
  readonly spanIds: BigUint64Array | undefined;
  /** Two for each of these samples, the high half first, 0 and 0 for none; undefined: none at all. */
  readonly traceIds: BigUint64Array | undefined;
}

/** What one request adds: one record of the log. */
export interface Admission {
  readonly tenant: string;
  /** What {@link ExpandRecord} needs to make the same profiles again. Opaque to the store. */
  readonly record: Uint8Array;
  readonly profiles: readonly AdmittedProfile[];
}

/** Makes the profiles of a log record again, exactly; judges nothing, knows no `now`. */
export type ExpandRecord = (tenant: string, record: Uint8Array) => readonly AdmittedProfile[];
