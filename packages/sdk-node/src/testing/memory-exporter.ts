import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type {
  CompressingExporter,
  ExportResult,
  FinishUploads,
  ProfileUpload,
} from "../exporters/exporter.ts";

const compressInPool = promisify(gzip);

/** Keeps what it is given. */
export class MemoryExporter implements CompressingExporter {
  readonly uploads: ProfileUpload[] = [];
  /** Set by tests of the exit. */
  finish: FinishUploads | undefined;
  isStarted = false;
  isShutDown = false;
  /** What the next exports answer; success when there is none left. */
  readonly answers: ExportResult[] = [];

  start(): void {
    this.isStarted = true;
  }

  compress(bytes: Uint8Array): Promise<Uint8Array> {
    return compressInPool(bytes);
  }

  async export(upload: ProfileUpload, _signal: AbortSignal): Promise<ExportResult> {
    const answer = this.answers.shift() ?? { ok: true };
    if (answer.ok) this.uploads.push(upload);
    return answer;
  }

  async shutdown(): Promise<void> {
    this.isShutDown = true;
  }
}
