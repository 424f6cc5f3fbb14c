import type { Profile } from "@pyroscope-ts/protocol";
import { encodeProfile } from "../exporters/encode-profile.ts";
import type {
  Encoding,
  ExportResult,
  FinishUploads,
  Helper,
  NamedExporter,
  ProfileExporter,
  ProfileUpload,
} from "../exporters/exporter.ts";
import { ScriptCache } from "../source-maps/script-cache.ts";
import type { SourceMapThread, SourceMapThreadListener } from "../source-maps/source-maps.ts";

/** Keeps what it is given. */
export class MemoryExporter implements ProfileExporter {
  readonly uploads: ProfileUpload[] = [];
  isShutDown = false;
  /** What the next exports answer; success when there is none left. */
  readonly answers: ExportResult[] = [];

  async export(upload: ProfileUpload, _signal: AbortSignal): Promise<ExportResult> {
    const answer = this.answers.shift() ?? { ok: true };
    if (answer.ok) this.uploads.push(upload);
    return answer;
  }

  async shutdown(): Promise<void> {
    this.isShutDown = true;
  }
}

/** A helper without a thread, whose one exporter is of memory. */
export class MemoryHelper implements Helper {
  readonly exporter: MemoryExporter = new MemoryExporter();
  readonly exporters: readonly NamedExporter[];
  /** Set by tests of the exit. */
  finish: FinishUploads | undefined;
  /** CPU time that each profile takes. */
  encodeMs = 0;
  isShutDown = false;
  encodedCount = 0;

  /** @param names - those of its exporters: the first is that of memory, others take everything. */
  constructor(names: readonly string[] = ["pyroscope"]) {
    this.exporters = names.map((name, index) => {
      const exporter = index === 0 ? this.exporter : new MemoryExporter();
      return {
        name,
        export: (upload, signal) => exporter.export(upload, signal),
        shutdown: () => exporter.shutdown(),
      };
    });
  }

  get uploads(): readonly ProfileUpload[] {
    return this.exporter.uploads;
  }

  async encode(profile: Profile): Promise<Encoding> {
    // As another thread: not before the event loop has turned.
    await new Promise((resolve) => setImmediate(resolve));
    this.encodedCount++;
    return { parts: encodeProfile(profile), cpuMs: this.encodeMs };
  }

  /** Set by tests of bundles. */
  problem: string | undefined;

  readonly openSourceMaps = ({ onAnswer }: SourceMapThreadListener): SourceMapThread => {
    const cache = new ScriptCache(0);
    return {
      postMessage: (request) => setImmediate(() => onAnswer(cache.answer(request))),
      terminate: async () => {},
    };
  };

  async shutdown(): Promise<void> {
    this.isShutDown = true;
  }
}
