import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeError, SdkError } from "../errors.ts";
import type { ExportResult, ProfileExporter, ProfileUpload, UploadProfile } from "./exporter.ts";

/** A directory of profiles. */
export interface FileTarget {
  readonly kind: "file";
  /** Made when it does not exist. */
  readonly directory: string;
  /** Bytes of all profiles in the directory; beyond it the oldest are deleted. */
  readonly maxBytes: number;
  readonly maxFiles: number;
}

// The names that this exporter gives; nothing else in the directory is touched. They sort by time.
const PROFILE_FILE = /^\d{8}T\d{6}\.\d{3}Z-.+-[0-9a-f]{8}\.pb\.gz$/;
const TEMPORARY_FILE = /^\.\d{8}T\d{6}\.\d{3}Z-.+\.tmp$/;

// What a process that was killed has left; no file takes that long to write.
const TEMPORARY_AGE_MS = 60_000;

/**
 * Writes each profile to a file of its own, for `go tool pprof` and the like, and deletes the oldest of the directory.
 *
 * A file appears whole or not at all: it is written under another name and renamed. Several processes may share a
 * directory and its limits.
 */
export class FileExporter implements ProfileExporter {
  readonly #target: FileTarget;

  constructor(target: FileTarget) {
    this.#target = target;
  }

  /** Files are named by the ids of profiles, so that an attempt at what was written in part writes it again. */
  async export(upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult> {
    const { directory } = this.#target;
    try {
      await mkdir(directory, { recursive: true });
      for (const profile of upload.profiles) {
        signal.throwIfAborted();
        await this.#write(formatFileName(upload, profile), profile.pprof);
      }
      await this.#deleteOldest();
      return { ok: true };
    } catch (cause) {
      const message = `writing profiles to ${directory}: ${describeError(cause)}`;
      const error = new SdkError(message, { code: "EXPORT_UNREACHABLE", cause });
      return { ok: false, error, retry: { kind: "patient", afterMs: undefined } };
    }
  }

  async shutdown(): Promise<void> {}

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const { directory } = this.#target;
    const temporary = join(directory, `.${name}.tmp`);
    try {
      await writeFile(temporary, bytes);
      await rename(temporary, join(directory, name));
    } catch (error) {
      // On a disk that is full every window would leave a part of a file.
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async #deleteOldest(): Promise<void> {
    const { directory, maxBytes, maxFiles } = this.#target;
    const names = await readdir(directory);
    let files = 0;
    let bytes = 0;
    for (const name of names
      .filter((each) => PROFILE_FILE.test(each))
      .sort()
      .reverse()) {
      files++;
      bytes += (await statFile(join(directory, name)))?.size ?? 0;
      if (files > maxFiles || bytes > maxBytes) await rm(join(directory, name), { force: true });
    }
    for (const name of names.filter((each) => TEMPORARY_FILE.test(each))) {
      const file = await statFile(join(directory, name));
      if (file !== undefined && Date.now() - file.mtimeMs > TEMPORARY_AGE_MS) {
        await rm(join(directory, name), { force: true });
      }
    }
  }
}

/** Undefined when another process has deleted it. */
async function statFile(
  path: string,
): Promise<{ readonly size: number; readonly mtimeMs: number } | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

// The longest name that every file system takes is 255 bytes; the rest of the name has 70.
const MAX_SERVICE_LENGTH = 100;

/** `20261127T131500.250Z-checkout-inuse_space-1f0c9a7e.pb.gz`: time of the window, application, type, id. */
export function formatFileName(upload: ProfileUpload, { id, type }: UploadProfile): string {
  const time = new Date(upload.startUnixMs).toISOString().replaceAll(/[-:]/g, "");
  const service = upload.labels.find(({ name }) => name === "service_name")?.value ?? "unknown_service";
  const safeService = service.replaceAll(/[^A-Za-z0-9_.]/g, "_").slice(0, MAX_SERVICE_LENGTH);
  return `${time}-${safeService}-${type}-${id.slice(0, 8)}.pb.gz`;
}
