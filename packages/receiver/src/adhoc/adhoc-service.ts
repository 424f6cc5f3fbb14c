import type { DiffTree, ProfileType, Tree } from "@pyroscope-ts/protocol";
import type { IngestLimits } from "../ingest/limits.ts";

/** A profile file that someone uploaded to look at. */
export interface AdHocEntry {
  readonly id: string;
  readonly name: string;
  readonly uploadedUnixMillis: number;
}

/** How much of a file is answered. */
interface AdHocView {
  readonly tenant: string;
  /** What decoding may cost. */
  readonly limits: IngestLimits;
  /** 0 for all. */
  readonly maxNodes: number;
}

/** A file to keep. */
export interface AdHocUpload extends AdHocView {
  readonly name: string;
  /** The file, as base64 text. */
  readonly base64: string;
}

/** Asks for one profile of a file. */
export interface AdHocQuery extends AdHocView {
  readonly id: string;
  /** One that {@link AdHocAnswer.types} names; the first for another one, or none. */
  readonly type: string | undefined;
}

/** Asks for the difference of two files. */
export interface AdHocDiffQuery extends AdHocView {
  readonly leftId: string;
  readonly rightId: string;
  /** The first that both have for another one, or none. */
  readonly type: string | undefined;
}

/** One profile of a file. */
export interface AdHocAnswer extends AdHocEntry {
  /** What its values count. */
  readonly profileType: ProfileType;
  /** Its name in `types`. */
  readonly type: string;
  /** Names of all profiles in the file; each once. */
  readonly types: readonly string[];
  readonly tree: Tree;
}

/** Two files laid over each other. */
export interface AdHocDiffAnswer {
  readonly profileType: ProfileType;
  /** Those that both have. */
  readonly types: readonly string[];
  readonly tree: DiffTree;
}

/** Single profile files of tenants, as the storage worker serves them. */
export interface AdHocService {
  /**
   * Keeps a file; it is durable when this resolves.
   *
   * @throws `ReceiverError` INVALID_ARGUMENT for one that is no profile or is above the tenant's limits,
   * RESOURCE_EXHAUSTED when the tenant has too many, STORAGE_UNAVAILABLE when the disk does not take it.
   */
  uploadAdHoc(command: AdHocUpload): Promise<AdHocAnswer>;
  /** @throws `ReceiverError` INVALID_ARGUMENT for what is no id, NOT_FOUND. */
  getAdHoc(query: AdHocQuery): Promise<AdHocAnswer>;
  /** The newest first. */
  listAdHoc(query: { readonly tenant: string }): Promise<readonly AdHocEntry[]>;
  /** @throws as {@link getAdHoc}; INVALID_ARGUMENT for files that have no type in common. */
  diffAdHoc(query: AdHocDiffQuery): Promise<AdHocDiffAnswer>;
}
