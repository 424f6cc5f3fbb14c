import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import type { AdmittedProfile, ExpandRecord } from "./admission.ts";
import { type DataPaths, isSegmentName } from "./filenames.ts";
import type { Fs } from "./fs.ts";
import type { LocalCatalog } from "./local-catalog.ts";
import type { Quarantine } from "./quarantine.ts";
import { readFrames, seedOfSegment, type WalRecord } from "./wal-frame.ts";

export interface WalReplayOptions {
  readonly fs: Fs;
  readonly paths: DataPaths;
  readonly catalog: LocalCatalog;
  readonly quarantine: Quarantine;
  readonly expand: ExpandRecord;
  readonly log: (line: string) => void;
  /** Adds profiles of a record; counts none twice. */
  readonly insert: (tenant: string, profiles: readonly AdmittedProfile[]) => Promise<void>;
  /** Called after each segment that must be kept until a block replaces it. */
  readonly endSegment: (segment: string) => Promise<void>;
}

/**
 * Puts what was acknowledged and is in no block yet back into the head. A part of a segment that a block names is
 * skipped; what is damaged is set aside, and everything around it is used.
 *
 * @throws {@link ReceiverError} STORAGE_UNAVAILABLE when a segment cannot be read now: starting without it would lose it.
 */
export async function replayWal(options: WalReplayOptions): Promise<void> {
  const { fs, paths } = options;
  const names = (await fs.list(paths.wal)).map(({ name }) => name).filter(isSegmentName);
  for (const name of names.sort()) await replaySegment(options, name);
}

async function replaySegment(options: WalReplayOptions, name: string): Promise<void> {
  const { fs, paths, catalog } = options;
  const segment = await readSegment(fs, join(paths.wal, name));
  let isReplayed = false;
  let isSaved = true;
  for (const piece of readFrames(segment, seedOfSegment(name))) {
    if (piece.kind === "damage") {
      isSaved = (await setAside(options, name, piece.offset, piece.bytes, "no whole record")) && isSaved;
    } else if (!catalog.hasSegment(piece.record.tenant, name)) {
      isSaved = (await replayRecord(options, name, piece.offset, piece.record)) && isSaved;
      isReplayed = true;
    }
  }
  // A segment whose damage could not be copied stays for the next start; what is whole in it counts once then, too.
  if (!isSaved) return;
  if (isReplayed) await options.endSegment(name);
  else await fs.remove(join(paths.wal, name));
}

/** Returns whether the record is in the head or set aside. */
async function replayRecord(
  options: WalReplayOptions,
  segment: string,
  offset: number,
  { tenant, record }: WalRecord,
): Promise<boolean> {
  let profiles: readonly AdmittedProfile[];
  try {
    profiles = options.expand(tenant, record);
  } catch (error) {
    return await setAside(options, segment, offset, record, `the record does not expand: ${String(error)}`);
  }
  await options.insert(tenant, profiles);
  return true;
}

async function setAside(
  { quarantine, log }: WalReplayOptions,
  segment: string,
  offset: number,
  bytes: Uint8Array,
  reason: string,
): Promise<boolean> {
  try {
    await quarantine.addLogPiece(segment, offset, bytes, reason);
    return true;
  } catch (error) {
    log(`log segment ${segment} stays, its damaged part could not be copied: ${String(error)}`);
    return false;
  }
}

async function readSegment(fs: Fs, path: string): Promise<Buffer> {
  try {
    return await fs.readFile(path);
  } catch (cause) {
    throw new ReceiverError(`read ${path}: ${String(cause)}`, { code: "STORAGE_UNAVAILABLE", cause });
  }
}
